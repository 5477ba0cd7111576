"""One-time messages across a redirect, in a signed cookie: they need no session and no store."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer

Level = Literal["success", "info", "warning", "error"]

MAX_MESSAGES = 5
MAX_CHARACTERS = 400
LIFETIME_SECONDS = 300


class Flash(NamedTuple):
    """A message for the next page that this browser is shown."""

    level: Level
    text: str


class FlashCodec:
    """Flashes to and from a cookie's value; a value that we did not sign reads as none."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        oldest_first = list(reversed(secret_keys))
        self._serializer = URLSafeSerializer(oldest_first, salt="seatline.flash")

    def encode(self, flashes: Sequence[Flash]) -> str:
        kept = [(flash.level, flash.text[:MAX_CHARACTERS]) for flash in flashes[-MAX_MESSAGES:]]
        return str(self._serializer.dumps(kept))

    def decode(self, value: str) -> list[Flash]:
        try:
            pairs = msgspec.convert(self._serializer.loads(value), list[tuple[Level, str]])
        except (BadSignature, msgspec.ValidationError):
            return []
        return [Flash(level, text) for level, text in pairs]
