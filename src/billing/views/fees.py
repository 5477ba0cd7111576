"""Fees as pages and mails show them."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.billing.domain.kinds import FeeKind, FeeState


class FeeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fee. `told_from` is when its guest will be told, None once they are or need not be;
    `pays_id` the order that it was paid with.
    """

    id: UUID
    customer_id: UUID
    customer: str
    order_id: UUID
    kind: FeeKind
    state: FeeState
    amount_minor: int
    currency: str
    what: str
    starts_at: datetime
    why: str
    at: datetime
    told_at: datetime | None
    told_from: datetime | None
    pays_id: UUID | None


class FeesPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of them; `open_minor` is asked in all and not paid yet."""

    slug: str
    zone: ZoneInfo
    rows: list[FeeRow]
    state: str
    open_minor: int
    currency: str
    older: UUID | None
    is_newest: bool


class FeePage(msgspec.Struct, frozen=True, kw_only=True):
    """One fee, for staff and for its guest. `is_just_paid`: its guest comes from the payment page.
    `refusal` says why what was sent was not done. `back_minor` came for it when nothing was asked
    any more, and goes back; `gone_back_minor` of such money has, `stuck_minor` could not.
    `back_order_id` is its order.
    """

    fee: FeeRow
    slug: str
    zone: ZoneInfo
    reference: str
    guest_email: str
    can_pay_online: bool
    contact_email: str
    contact_phone: str
    business: str
    back_minor: int = 0
    gone_back_minor: int = 0
    stuck_minor: int = 0
    back_order_id: UUID | None = None
    is_just_paid: bool = False
    refusal: str = ""


class GuestFee(msgspec.Struct, frozen=True, kw_only=True):
    """A fee on its guest's own pages; `is_told`: the mail with the link to pay it has gone out."""

    kind: FeeKind
    is_paid: bool
    is_told: bool
    amount_minor: int
    currency: str
    what: str
    starts_at: datetime
    href: str


class GuestFees(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a guest, with the reason for each."""

    rows: list[tuple[GuestFee, str]]
    zone: ZoneInfo


class FeeMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a guest, about a fee that is asked, or not asked any more, or paid."""

    locale: str
    from_name: str
    guest_name: str
    reference: str
    what: str
    when: str
    reason: str
    amount: str
    contact: str
    href: str
