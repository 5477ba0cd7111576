"""Passwords: argon2id, off the event loop, the same time for accounts there are and are not."""

import asyncio
import secrets
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from src.platform.i18n import _, ngettext

MIN_CHARACTERS = 10
MAX_CHARACTERS = 200
AT_ONCE = 2
"""How many hashes may run at the same time: each takes a core and its memory."""

COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text().split())

_hasher = PasswordHasher(type=Type.ID, time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODYS_HASH = _hasher.hash(secrets.token_urlsafe(16))
"""What an unknown account is compared with, by the same settings as everyone's."""

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")


async def hash_password(password: str) -> str:
    """A salted argon2id hash, as OWASP's minimum for it asks (19 MiB, two passes)."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, _hasher.hash, _normal(password))


async def verify_password(stored_hash: str | None, password: str) -> bool:
    """Whether the password fits; without an account (None) it takes as long and is False."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, _fits, stored_hash, _normal(password))


def needs_rehash(stored_hash: str) -> bool:
    """Whether the hash is from weaker settings, to be replaced at the next sign-in."""
    try:
        return _hasher.check_needs_rehash(stored_hash)
    except InvalidHashError:
        return True


def weakness_of(password: str, personal: Iterable[str] = ()) -> str | None:
    """Why the password may not be chosen, in a sentence, or None when it may.

    `personal` are words that a stranger would try first: the address, the name, the business.
    """
    if len(password) < MIN_CHARACTERS:
        return ngettext(
            "At least %(num)s character.", "At least %(num)s characters.", MIN_CHARACTERS
        )
    if len(password) > MAX_CHARACTERS:
        return ngettext("At most %(num)s character.", "At most %(num)s characters.", MAX_CHARACTERS)
    plain = _normal(password).casefold()
    if plain in COMMON or plain.strip("0123456789!?.*#@$ ") in _COMMON_STEMS:
        return _("This password is one of the first that are tried. Please choose another.")
    if len(set(plain)) < 5 or _is_run(plain):
        return _("This password is too easy to guess. Please mix it more.")
    if any(_is_mostly(plain, word.casefold()) for word in personal):
        return _("Please choose a password without your name or address in it.")
    return None


_COMMON_STEMS = frozenset(
    {"password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "qwerty", "qwertz", "azerty",
     "letmein", "welcome", "iloveyou", "admin", "changeme", "seatline", "abc"}
)  # fmt: skip


def _fits(stored_hash: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored_hash or _NOBODYS_HASH, password) and stored_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """The same characters, however the keyboard composed them."""
    return unicodedata.normalize("NFKC", password)


def _is_run(text: str) -> bool:
    """Whether every character follows the one before it: "abcdefghij", "9876543210"."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return steps in ({1}, {-1})


def _is_mostly(password: str, word: str) -> bool:
    parts = [word, *word.replace("@", " ").replace(".", " ").split()]
    return any(
        len(part) >= 4 and part in password and len(part) * 2 > len(password) for part in parts
    )
