"""What an owner sees of one lot of credits: its terms, its history, and what can be done."""

from datetime import datetime
from uuid import UUID

import msgspec

from src.billing.views.credits import EndChange, LotRow


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger. `what` is the date that a seat took a credit for, with who sits in
    it; `booking_id` leads there. `left` is the balance after it; `exchanged_for` is the
    start of the date that the seat was exchanged for. `amount_minor` went back for them. Where the
    `end` was moved, no credits changed.
    """

    at: datetime
    words: str
    credits: int
    left: int
    what: str
    starts_at: datetime | None
    exchanged_for: datetime | None
    session_id: UUID | None
    booking_id: UUID | None
    who: str
    order_id: UUID | None
    reference: str
    by: str
    reason: str
    end: EndChange | None = None
    amount_minor: int = 0


class LotView(msgspec.Struct, frozen=True, kw_only=True):
    """`worth_minor` is what a refund of the unused comes to, 0 where nothing is; `by_hand_minor` of
    it the business gives back itself, `to_voucher_minor` is on a voucher again. `may_change`: it is
    paid, or was given. `is_over`: its end has passed, and credits were left; `has_ended`: with or
    without. `is_worth_money`: it was paid for, and something is left that could be used.
    `kept` is what is left or was lost at the end. `is_refunded`: what was left went back as money.
    `awaits_transfer`: they are there once a bank transfer is matched.
    `taken_back_minor` of the order went back to the guest's bank after a dispute that was lost;
    `is_disputed`: while one is open, none of its money can go back. `in_parts_minor` is still to be
    paid for them. `never_came_minor` of `paid_minor` was taken off as a transfer that never came.
    `failed_minor` was to go back for them, and waits for staff since that failed.
    """

    row: LotRow
    source: str
    good_for: str
    users: str
    is_claw_back: bool
    bought: int
    paid_minor: int
    value_minor: int
    refunded_minor: int
    currency: str
    package_id: UUID | None
    reference: str
    rolled_from_id: UUID | None
    rolled_to_id: UUID | None
    validity_days: int
    worth_minor: int
    by_hand_minor: int
    to_voucher_minor: int
    is_of_nobody: bool
    may_change: bool
    is_over: bool
    has_ended: bool
    is_worth_money: bool
    kept: int
    is_refunded: bool
    is_pending: bool
    is_void: bool
    awaits_transfer: bool
    taken_back_minor: int
    is_disputed: bool
    may_roll_over: bool
    in_parts_minor: int
    never_came_minor: int
    failed_minor: int
    entries: list[EntryRow]


class UsedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the ledger as a file tells of it."""

    at: datetime
    customer: str
    email: str
    package: str
    words: str
    credits: int
    what: str
    starts_at: datetime | None
    reference: str
    by: str
    reason: str
