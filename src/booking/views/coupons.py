"""What an owner sees of coupons."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from src.booking.views.customers import WhyLine


class CouponRow(msgspec.Struct, frozen=True, kw_only=True):
    """`valid_for` names what it is for, and `limits` what else a booking with it has to be.
    `against` says why nobody can use it just now; empty while it works.
    """

    id: UUID
    code: str
    worth: str
    valid_for: str
    limits: list[str]
    active: bool
    used: int
    max_uses: int | None
    discount_minor: int
    starts_on: date | None
    ends_on: date | None
    against: list[WhyLine]


class CouponUseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order with the coupon; `state` is the order's."""

    order_id: UUID
    reference: str
    guest_name: str
    guest_email: str
    state: str
    is_all_cancelled: bool
    discount_minor: int
    total_minor: int
    created_at: datetime
    is_returned: bool
