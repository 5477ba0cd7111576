"""What the pages about services show."""

from datetime import datetime
from uuid import UUID

import msgspec


class ServiceListRow(msgspec.Struct, frozen=True, kw_only=True):
    """A service in the owner's list; `price` is its one price label in words. `pays_online`: its
    single dates are paid online.

    `lengths` in minutes and the names in `given_by` are those of a service by appointment.
    `next_at` is the next session's start; `seats_left` are those of all upcoming sessions.
    """

    id: UUID
    name: str
    slug: str
    kind: str
    mode: str
    sales_mode: str
    visibility: str
    active: bool
    price: str
    pays_online: bool
    upcoming: int
    seats_taken: int
    capacity: int
    next_at: datetime | None
    series: int
    lengths: list[int] = []
    given_by: list[str] = []


class ServiceHead(msgspec.Struct, frozen=True, kw_only=True):
    """What every page below a service says of it; `reminded` says when its guests are reminded."""

    id: UUID
    name: str
    slug: str
    kind: str
    active: bool
    visibility: str
    reminded: str
