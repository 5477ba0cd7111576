"""Writing to many guests at once: to whom, about what, and in which words."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from src.platform.i18n import _
from src.tenants.domain.wording import Wording, wording_errors

PLACEHOLDERS = ("customer_name", "business")
MOST_AUDIENCES = 20
MOST_A_DAY = 20
"""Broadcasts of one business; more is a mistake, or somebody who should not be there."""


class AudienceKind(StrEnum):
    SESSION = "session"
    SERIES = "series"
    TAG = "tag"


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody with a place in a session, or in any of a series that is to come, or every customer
    of a tag. Of a series that is over those who had a place in it.
    """

    kind: AudienceKind
    subject_id: UUID | None = None
    word: str = ""

    @property
    def text(self) -> str:
        """As it stands in addresses: `session:<id>`, `tag:<word>`."""
        return f"{self.kind}:{self.word if self.kind is AudienceKind.TAG else self.subject_id}"


def read_audience(text: str) -> Audience | None:
    """What `Audience.text` made; None for anything else."""
    name, _colon, rest = text.partition(":")
    if name not in tuple(AudienceKind) or not rest.strip():
        return None
    kind = AudienceKind(name)
    if kind is AudienceKind.TAG:
        return Audience(kind=kind, word=rest.strip().lower())
    try:
        return Audience(kind=kind, subject_id=UUID(rest))
    except ValueError:
        return None


class BroadcastDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to all of its audiences, once to who is in several.

    `is_marketing`: no service mail, hence only to those who agreed to it.
    `to_later`: who gets a place afterwards is written to as well, until the last date is over.
    """

    audiences: tuple[Audience, ...]
    is_marketing: bool
    to_later: bool
    subject: str
    body: str

    @property
    def wording(self) -> Wording:
        return Wording(subject=self.subject, body=self.body)


def draft_errors(draft: BroadcastDraft) -> dict[str, str]:
    """Sentences by field; empty when it may be sent."""
    errors = wording_errors(draft.wording, PLACEHOLDERS)
    if not draft.audiences:
        errors["to"] = _("Please choose to whom you write.")
    elif len(draft.audiences) > MOST_AUDIENCES:
        errors["to"] = _("Please choose %(num)s at the most.", num=MOST_AUDIENCES)
    if has_tag(draft.audiences) and not draft.is_marketing:
        errors["is_marketing"] = _(
            "Customers of a tag have booked nothing that this is about, so it needs their consent."
        )
    if draft.audiences and not has_dates(draft.audiences) and draft.to_later:
        errors["to_later"] = _("Nobody joins a tag by booking.")
    return errors


def has_tag(audiences: Sequence[Audience]) -> bool:
    return any(one.kind is AudienceKind.TAG for one in audiences)


def has_dates(audiences: Sequence[Audience]) -> bool:
    """Whether somebody may join one of them by booking."""
    return bool(joined_by_booking(audiences))


def joined_by_booking(audiences: Sequence[Audience]) -> tuple[Audience, ...]:
    """Those that grow as people book: nobody gets a tag by it."""
    return tuple(one for one in audiences if one.kind is not AudienceKind.TAG)


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """One person, known by their address; `locale` is empty where none is known."""

    customer_id: UUID
    address: str
    name: str
    locale: str
