"""Links that let their bearer do one thing for some time: signed, never stored.

The purpose is part of the signature, so that a link for one thing opens no other; the tenant is in
the link, since it has to be known before any of its rows can be read. A link says who may, not that
it still makes sense: whoever reads one checks the row behind it (and a changed password, a used
invitation, a cancelled booking end it there).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from src.platform.errors import Gone, NotFound
from src.platform.i18n import _

MAX_CHARACTERS = 2_000
CLOCK_TOLERANCE = timedelta(minutes=5)
_SIGNED = re.compile(r"(/[\w-]+/)\.?[\w-]+\.[\w-]+\.[\w-]{20,}")
"""The last part of a path, in three parts itself: what is said, when, and the signature."""


class LinkInvalid(NotFound):
    """Not a link of ours, or not one for this purpose."""

    code = "link_invalid"


class LinkExpired(Gone):
    """Was a good link, and its time is over."""

    code = "link_expired"


class SignedLink(msgspec.Struct, frozen=True):
    """What a link says: `payload` as it was signed, UUIDs as text."""

    payload: dict[str, Any]
    tenant_id: UUID | None
    signed_at: datetime


class _Contents(msgspec.Struct):
    """The signed part, with short names since it goes into addresses."""

    p: dict[str, Any]
    t: UUID | None = None


class LinkSigner:
    """Signs and reads links. The first secret signs; links of all secrets are still read.

    To change the secret: the old one follows the new one until its last link has expired.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("at least one secret is needed")
        self._oldest_first = list(reversed(secrets))

    def sign(
        self,
        purpose: str,
        payload: Mapping[str, Any],
        now: datetime,
        *,
        tenant_id: UUID | None = None,
    ) -> str:
        """A token fit for a path or query, dated `now`; it is readable by anyone who has it."""
        contents = {"p": msgspec.to_builtins(dict(payload))}
        if tenant_id is not None:
            contents["t"] = tenant_id.hex
        return str(self._serializer(purpose, now).dumps(contents))

    def read(self, purpose: str, token: str, max_age: timedelta, now: datetime) -> SignedLink:
        """What the token says.

        Raises: LinkInvalid, LinkExpired.
        """
        try:
            if len(token) > MAX_CHARACTERS:
                raise LinkInvalid(_not_valid())
            serializer = self._serializer(purpose, now)
            raw, signed_at = serializer.loads(token, return_timestamp=True)
            contents = msgspec.convert(raw, _Contents)
        except (BadData, msgspec.ValidationError):
            raise LinkInvalid(_not_valid()) from None
        age = now - signed_at
        if age > max_age:
            raise LinkExpired(_("This link is too old. Please ask for a new one."))
        if age < -CLOCK_TOLERANCE:
            raise LinkInvalid(_not_valid())
        return SignedLink(contents.p, contents.t, signed_at)

    def _serializer(self, purpose: str, now: datetime) -> URLSafeTimedSerializer:
        class Signer(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(now.timestamp())

            def timestamp_to_datetime(self, ts: int) -> datetime:
                return datetime.fromtimestamp(ts, tz=UTC)

        return URLSafeTimedSerializer(
            self._oldest_first, salt=f"seatline.link.{purpose}", signer=Signer
        )


def without_tokens(text: str) -> str:
    """The text with links that open nothing: of each that is signed, the token is left out."""
    return _SIGNED.sub(r"\1…", text)


def _not_valid() -> str:
    return _("This link is not valid. Please check that you have copied all of it.")
