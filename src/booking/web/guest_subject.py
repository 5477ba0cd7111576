"""What the address of a booking form says is to be booked."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from litestar import Request

from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.quotes import SubjectKind
from src.booking.queries.service_page import no_such_service
from src.booking.web.hub import uuid_of

_PLACE = re.compile(r"[A-Za-z0-9_.-]{20,2000}", re.ASCII)
_AT = re.compile(r"[0-9]{8}T[0-9]{4}Z", re.ASCII)
_MINUTES = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class Subject(msgspec.Struct, frozen=True):
    """A series or a session, or the time of an appointment: `id` then stands for just this time.

    `place` is the token of who was offered it.
    """

    kind: SubjectKind
    id: UUID
    service_slug: str
    place: str = ""
    slot: SlotWish | None = None

    @property
    def query(self) -> str:
        if self.slot is not None:
            return slot_query(self.slot)
        offered = f"&place={self.place}" if self.place else ""
        return f"{self.kind}={self.id}{offered}"

    @property
    def stored_id(self) -> UUID | None:
        """Of the session or series that is there before it is booked."""
        return None if self.slot is not None else self.id


def subject_of(request: Request[Any, Any, Any], service_slug: str) -> Subject:
    """Raises: NotFound for an address that names neither a series nor a session nor a time."""
    query = request.query_params
    kinds: tuple[SubjectKind, ...] = ("series", "session")
    for kind in kinds:
        found = uuid_of(query.get(kind, ""))
        if found is not None:
            place = query.get("place", "")
            return Subject(kind, found, service_slug, place if _PLACE.fullmatch(place) else "")
    slot = read_slot(query.get("at", ""), query.get("minutes", ""), query.get("with", ""))
    if slot is None:
        raise no_such_service()
    own_id = uuid5(NAMESPACE_URL, f"{service_slug}?{slot_query(slot)}")
    return Subject("session", own_id, service_slug, slot=slot)


def read_slot(at: str, minutes: str, performer: str) -> SlotWish | None:
    """None for what is no time, or no length."""
    starts_at = read_moment(at)
    if starts_at is None or not _MINUTES.fullmatch(minutes):
        return None
    return SlotWish(starts_at=starts_at, minutes=int(minutes), performer_id=uuid_of(performer))


def read_moment(at: str) -> datetime | None:
    """A moment as it stands in an address; None for what is none."""
    if not _AT.fullmatch(at):
        return None
    try:
        return datetime.strptime(at, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def slot_query(slot: SlotWish) -> str:
    """The time as it stands in an address."""
    parts = {"at": f"{slot.starts_at.astimezone(UTC):%Y%m%dT%H%MZ}", "minutes": str(slot.minutes)}
    if slot.performer_id is not None:
        parts["with"] = str(slot.performer_id)
    return urlencode(parts)
