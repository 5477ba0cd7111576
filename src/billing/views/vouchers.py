"""What the pages about vouchers show."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from src.billing.views.badges import Badge


class BuyView(msgspec.Struct, frozen=True, kw_only=True):
    """The form of who wants to buy one. `amounts` are value and label; `own` says between which
    sums they may name one of their own, empty where they may not.
    """

    form: Any
    form_token: str
    action: str
    amounts: list[tuple[str, str]]
    own: str
    currency: str
    valid: str
    words: str
    terms: str
    today: date
    last: date
    closed: str
    contact_email: str
    contact_phone: str


class PurchaseView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has bought, or is about to. `stage`: open, processing, paid or ended."""

    stage: str
    amount: str
    reference: str
    recipient_name: str
    recipient_email: str
    send_on: date | None
    is_sent: bool
    until_at: datetime | None
    zone: str
    here: str
    voucher_href: str
    print_href: str
    shop_href: str
    hub_href: str
    contact_email: str
    contact_phone: str


class VoucherUse(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the balance, as whoever has the voucher may see it."""

    at: datetime
    words: str
    amount_minor: int


class GuestVoucherView(msgspec.Struct, frozen=True, kw_only=True):
    """What is left on a voucher, and what it was spent on: days and amounts only."""

    code: str
    state: tuple[str, str]
    is_usable: bool
    initial_minor: int
    balance_minor: int
    currency: str
    expires: str
    recipient_name: str
    uses: Sequence[VoucherUse]
    zone: str
    print_href: str
    hub_href: str
    words: str


class VoucherRow(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher in the list: its code by its end alone."""

    id: UUID
    code: str
    state: Badge
    source: str
    initial_minor: int
    balance_minor: int
    currency: str
    buyer: str
    recipient: str
    expires_on: date | None
    created_at: datetime


class VoucherSums(msgspec.Struct, frozen=True, kw_only=True):
    """What the business still owes with its vouchers, in its own currency: `open_minor` on those
    that can be spent, `blocked_minor` on those that could be again, `expired_minor` on those that
    have expired. `given_minor` was given in place of refunds, and is not among what was sold.
    """

    open_minor: int
    blocked_minor: int
    expired_minor: int
    active: int
    sold_minor: int
    given_minor: int


class VouchersPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of vouchers, newest first. `is_frozen` when the plan has none any more."""

    rows: list[VoucherRow]
    sums: VoucherSums
    base: str
    zone: str
    currency: str
    state: str
    search: str
    older: str | None
    is_on: bool
    is_frozen: bool
    shop_href: str


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry with the balance after it."""

    at: datetime
    words: str
    who: str
    reason: str
    amount_minor: int
    balance_minor: int
    order_id: UUID | None
    reference: str


class VoucherPage(msgspec.Struct, frozen=True, kw_only=True):
    """One voucher with its ledger, and what a member may do with it."""

    id: UUID
    code: str
    row: VoucherRow
    buyer_id: UUID
    buyer_name: str
    buyer_email: str
    recipient_name: str
    recipient_email: str
    message: str
    send_on: date | None
    sent_at: datetime | None
    order_id: UUID | None
    reference: str
    ledger: list[LedgerLine]
    is_blocked: bool
    is_pending: bool
    may_send: bool
    mail_goes_to: str
    base: str
    here: str
    zone: str
    currency: str
    guest_href: str
    print_href: str
    form: Any
    extend_form: Any
