"""Settings as pages show them."""

from datetime import datetime
from uuid import UUID

import msgspec


class UpcomingDate(msgspec.Struct, frozen=True, kw_only=True):
    """Something that takes place, for the preview of a change of the clock."""

    title: str
    starts_at: datetime


class UpcomingDates(msgspec.Struct, frozen=True, kw_only=True):
    """How many dates lie ahead, and the first few of them."""

    total: int
    samples: list[UpcomingDate]


class GuestsThere(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes to a place: how many guests, to how many dates that are still to come."""

    guests: int = 0
    dates: int = 0


class MovedDate(msgspec.Struct, frozen=True, kw_only=True):
    """One date under both answers; all four are wall-clock times, naive.

    `kept_instant` is what the new clock shows at the same moment. `kept_wall_clock` is the time of
    day as before, unless the new clock jumps over it; `wall_clock_at` is the moment it then has.
    """

    title: str
    before: datetime
    kept_instant: datetime
    kept_wall_clock: datetime
    wall_clock_at: datetime


class PerformerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A performer in the list; `member` is the name of the user they are, if any."""

    id: UUID
    name: str
    user_id: UUID | None
    member: str | None
    active: bool


class LocationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the list."""

    id: UUID
    name: str
    address: str
    room_capacity: int | None
    is_online: bool
    active: bool


class ApiKeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    id: UUID
    name: str
    last_four: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act, as it is stored."""

    id: UUID
    at: datetime
    actor_kind: str
    actor: str
    action: str
    subject_kind: str
    subject_id: UUID | None
    detail: dict[str, object]


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries, newest first; an id to ask for newer or older ones by, where there are any."""

    entries: list[LogEntry]
    newer_than: UUID | None
    older_than: UUID | None


class WorkAhead(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a performer is booked for; `href` is below the business's dashboard."""

    starts_at: datetime
    label: str
    href: str


class PerformerWork(msgspec.Struct, frozen=True, kw_only=True):
    """What a performer has ahead, and what is to be known before they are put aside."""

    ahead: list[WorkAhead] = []
    notes: list[str] = []
