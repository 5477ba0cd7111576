"""Becomes another program that does not outlive the process which started it.

Run as a script, `python -IS launch.py OPTIONS -- COMMAND...`, never imported: it is the child's
side of `src.sandbox.processes`. A separate program is used rather than `preexec_fn`, because the
latter may deadlock when the parent has threads and cannot check that the parent is still there.

On Linux the kernel can deliver `--signal` when the parent's thread ends, so the command replaces
this process. Elsewhere, and wherever a signal alone may not be enough, `--watch` makes this process
stay and read a pipe whose other end only the parent holds: end of file means that the parent is
gone. The command then gets the signal and, if that does not help in time, is killed with everything
of its process group.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def main() -> None:
    options = _options()
    if options.map_user is not None:
        _enter_user_namespace(options.map_user)
    if options.user is not None:
        _become(*map(int, options.user.split(":")))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if options.watch is None:
        _die_with_parent(options.parent, options.signal)
        _execute(options.command)
    sys.exit(_watch(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True, help="pid that must still be ours")
    parser.add_argument("--signal", type=int, required=True, help="sent when the parent is gone")
    parser.add_argument("--watch", type=int, help="file descriptor that ends with the parent")
    parser.add_argument("--grace", type=float, help="seconds from the signal to the kill")
    parser.add_argument("--user", help="UID:GID to become, without supplementary groups")
    parser.add_argument("--map-user", type=int, help="uid to appear as, files staying one's own")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _enter_user_namespace(appears_as: int) -> None:
    """Root outside becomes `appears_as` inside; the command loses every capability by exec."""
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    if _libc().unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter a user namespace")
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{appears_as} {outside_uid} 1"),
        ("gid_map", f"{appears_as} {outside_gid} 1"),
    ):
        Path("/proc/self", name).write_text(content)


def _die_with_parent(parent: int, number: int) -> None:
    """Must come after any change of user, which makes the kernel forget the wish."""
    _libc().prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent was gone before the start")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _execute(command: list[str]) -> NoReturn:
    try:
        os.execvp(command[0], command)  # noqa: S606  # the caller's own command, without a shell
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


def _watch(options: argparse.Namespace) -> int:
    """Runs the command to its end and returns its exit status, as a shell would give it."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # A signal that comes before there is anybody to hand it to has to wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    lifeline: int = options.watch
    child = _fork(lifeline, options.command)
    for forwarded in FORWARDED:
        signal.signal(forwarded, lambda received, _frame: _send(child, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    deadline: float | None = None
    while True:
        seconds = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([woken] if deadline else [lifeline, woken], [], [], seconds)
        if lifeline in ready:
            deadline = time.monotonic() + options.grace
            _send(child, options.signal)
        if woken in ready:
            os.read(woken, 512)
        finished, status = os.waitpid(child, os.WNOHANG)
        if deadline is not None and (finished or time.monotonic() > deadline):
            # The parent is gone, so nobody else ends what the command left, or the command itself.
            os.killpg(0, signal.SIGKILL)
        if finished:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _fork(lifeline: int, command: list[str]) -> int:
    watcher = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(lifeline)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if sys.platform == "linux":
            _die_with_parent(watcher, signal.SIGKILL)
        _execute(command)
    return child


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    main()
