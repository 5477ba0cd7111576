"""Starts the mailbox as a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import click

from src.sandbox.mailbox.serving import serve


@click.command()
@click.option("--smtp-port", type=int, required=True)
@click.option("--http-port", type=int, required=True)
@click.option("--data-dir", type=click.Path(path_type=Path), required=True)
def main(smtp_port: int, http_port: int, data_dir: Path) -> None:
    """A mail server on this machine that delivers nowhere, and a page that shows every mail."""
    asyncio.run(_serve_until_told(data_dir, smtp_port, http_port))
    # Granian's threads may still be ending, and abort when the interpreter is taken down under
    # them. Nothing is left to be written: every mail is on disk before it is acknowledged.
    sys.stdout.flush()
    os._exit(0)


async def _serve_until_told(data_dir: Path, smtp_port: int, http_port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serve(data_dir, smtp_port=smtp_port, http_port=http_port) as mailbox:
        click.echo(
            f"The mailbox takes mail at {mailbox.smtp_url} and shows it at {mailbox.base_url}"
        )
        await stop.wait()


if __name__ == "__main__":
    main()
