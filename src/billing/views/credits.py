"""What an owner sees of the credits that customers own."""

from datetime import datetime
from uuid import UUID

import msgspec


class EndChange(msgspec.Struct, frozen=True, kw_only=True):
    """That staff moved the end of credits; None is no end."""

    at: datetime
    was: datetime | None
    becomes: datetime | None
    reason: str
    by: str


class LotBadge(msgspec.Struct, frozen=True):
    label: str
    tone: str


class LotRow(msgspec.Struct, frozen=True, kw_only=True):
    """`granted` is what the lot began with and what staff added, `used` what seats took and did
    not give back, `refunded` what went back as money, `removed` what was taken off. They, what
    is left, has lapsed or was `rolled_over` are all that was granted. `begins_when_paid`: its end
    is counted from its payment, which is waited for. `lapsed` were left when it ended, and are not
    in a new lot; of these none is `left`.
    """

    id: UUID
    customer_id: UUID
    customer: str
    email: str
    name: str
    source: str
    badge: LotBadge
    granted: int
    used: int
    left: int
    lapsed: int
    refunded: int = 0
    removed: int = 0
    rolled_over: int = 0
    created_at: datetime
    expires_at: datetime | None
    begins_when_paid: bool
    order_id: UUID | None
    reference: str = ""


class CreditTotals(msgspec.Struct, frozen=True, kw_only=True):
    """`outstanding` credits can be used, worth `outstanding_minor` at what was paid for them. Of
    these `expiring` end within 30 days.
    """

    sold: int
    sold_minor: int
    outstanding: int
    outstanding_minor: int
    expiring: int
    redeemed: int
    month_starts_at: datetime


class LotsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`later` and `earlier` are neighbours' ids in the order shown."""

    rows: list[LotRow]
    state: str
    search: str
    sort: str
    package_id: UUID | None
    earlier: UUID | None
    later: UUID | None
