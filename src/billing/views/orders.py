"""What the pages about orders and money show."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from src.billing.domain.kinds import OrderState, RefundState, order_end
from src.billing.views.badges import Badge
from src.billing.views.disputes import DisputeSum, DisputeView
from src.billing.views.parts import PartsView
from src.billing.words import (
    order_state,
    page_state,
    payment_method,
    payment_mode,
    refund_cause,
    refund_state,
    who_ended_it,
)
from src.platform.i18n import current_locale
from src.platform.money import Money, format_money


def order_badge(state: str, *, is_all_cancelled: bool) -> Badge:
    """An order of which nothing stands any more says so, though its rows keep it as confirmed."""
    return Badge(*order_state(str(OrderState.CANCELLED) if is_all_cancelled else state))


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in the list. `what` is the first of what it is for by now, `more` how many others
    there are.

    `coupon` is the code that the discount comes from, empty without one. `owed_minor` is still to
    be taken on site; `taken_back_minor` is with the guest's bank after a dispute that was lost.
    `awaited_minor` is what its bank transfer still has to bring.
    `needs` says what it needs somebody for, `transfer_until_at` until when a bank transfer is
    waited for.
    """

    id: UUID
    reference: str
    guest_name: str
    guest_email: str
    what: str
    more: int
    state: str
    is_all_cancelled: bool
    payment_mode: str
    total_minor: int
    paid_minor: int
    refunded_minor: int
    taken_back_minor: int
    owed_minor: int
    awaited_minor: int
    currency: str
    created_at: datetime
    needs: list[str]
    dispute: tuple[str, str] | None
    transfer_until_at: datetime | None

    @property
    def badge(self) -> Badge:
        return order_badge(self.state, is_all_cancelled=self.is_all_cancelled)

    @property
    def mode(self) -> str:
        return payment_mode(self.payment_mode)


class WeekTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What the orders made in the week from the Monday `on` have brought: how many are confirmed,
    and what was paid for them less what was given back or taken back by banks.
    """

    on: date
    confirmed: int
    kept_minor: int


class MonthTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The orders made in the calendar month so far, in the tenant's own currency.

    `owed_minor` is still to be taken on site for them; `refunded_minor` has been given back or is
    on its way, and banks have taken `taken_back_minor` back in disputes that were lost. Of what was
    paid the business has still to give `to_hand_back_minor` back itself, as their pages say it.
    """

    month_starts_at: datetime
    currency: str
    confirmed: int
    paid_minor: int
    refunded_minor: int
    taken_back_minor: int
    owed_minor: int
    to_hand_back_minor: int


class OrdersPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of orders, newest first; `older` and `newer` are the cursors of its neighbours,
    `open` how many orders wait for their payment, `transfers` how many of them for a transfer, and
    `in_need` how many somebody has to look at.
    """

    slug: str
    zone: str
    rows: list[OrderRow]
    totals: MonthTotals
    state: str
    search: str
    paid: str
    older: UUID | None
    newer: UUID | None
    open: int
    transfers: int
    in_need: int
    disputes: list[DisputeSum]


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """`by_now` is what the order is for by now, where that is not what was bought."""

    description: str
    by_now: str
    tier: str
    quantity: int
    unit_minor: int
    discount_minor: int
    total_minor: int
    tax_rate_bp: int
    tax_minor: int


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """`left_minor` can still go back; 0 for what the business took itself, and for what the
    guest's bank has taken back (`is_with_the_bank`).
    """

    id: UUID
    amount_minor: int
    fee_minor: int
    refunded_minor: int
    left_minor: int
    currency: str
    method: str
    arrived_on: date | None
    voucher_id: UUID | None
    is_extra: bool
    received_at: datetime
    processor_id: str
    is_with_the_bank: bool

    @property
    def word(self) -> str:
        return payment_method(self.method)


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_waiting`: it failed, and nobody has dealt with that; `is_with_the_bank`: the guest's bank
    has taken back its payment, so that it cannot be tried again. `left_minor` is what has not gone
    back of that payment.
    """

    id: UUID
    payment_id: UUID
    amount_minor: int
    currency: str
    cause: str
    state: str
    error: str | None
    created_at: datetime
    attempt: int
    finished_at: datetime | None
    is_waiting: bool
    is_with_the_bank: bool
    left_minor: int
    voucher_id: UUID | None

    @property
    def is_too_much(self) -> bool:
        return self.amount_minor > self.left_minor

    @property
    def badge(self) -> Badge:
        return Badge(*refund_state(self.state))

    @property
    def is_settled_otherwise(self) -> bool:
        return self.state == RefundState.FAILED and not self.is_waiting

    @property
    def why(self) -> str:
        words = refund_cause(self.cause)
        return words[:1].upper() + words[1:]


class PageView(msgspec.Struct, frozen=True, kw_only=True):
    attempt: int
    state: str
    expires_at: datetime
    processor_id: str | None
    error: str | None

    @property
    def state_word(self) -> str:
        return page_state(self.state)


class OpenItemView(msgspec.Struct, frozen=True, kw_only=True):
    """`refund_id` and `payment_id` say what can be done about it, where something can. `page` is
    the one below the business's that tells what it comes from. `may_be_mistaken`: it is about
    transfers that nothing waits for.
    """

    id: UUID
    kind: str
    sentence: str
    order_id: UUID | None
    created_at: datetime
    refund_id: UUID | None = None
    payment_id: UUID | None = None
    page: str | None = None
    may_be_mistaken: bool = False


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order's history. `page` is the one below the business's that tells more,
    `more` says whose and which it is about.
    """

    at: datetime
    text: str
    who: str = ""
    page: str | None = None
    more: str = ""


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything about its money.

    `standing` are the places to come that were not cancelled. `owed_minor` is still to be taken on
    site. Of `refunded_minor` so much is still on its way as `returning_minor`; beyond it, the
    business has still `to_hand_back_minor` to give back itself. `taken_back_minor` is with the
    guest's bank after a dispute that was lost. `mail_refused` is what a server said of a mail to
    the guest that nobody took. `pages_of_sold` below the business's tell of what was sold, with
    the words of each. `holds_places`: others can have what is not paid. `may_still_come`: the
    transfer that is not waited for any more was not noted in full. `was_never_paid`: it is a
    package whose transfer was taken off. `missing_minor` is still to come of one of which a part
    has; `never_came_minor` of its price was taken off again, though another transfer is left of it.
    `may_be_mistaken`: a transfer can be taken off as one that never came. `is_package`: credits
    were bought, `credits_in_places` of them pay for places, and `are_credits_off`: all of them were
    taken off again. `package_waits_until_at`: then a package that is to be paid on site lapses;
    None where none waits. `in_parts` are the parts of its price.
    """

    slug: str
    zone: str
    id: UUID
    customer_id: UUID
    reference: str
    state: str
    is_all_cancelled: bool
    payment_mode: str
    currency: str
    guest_name: str
    guest_email: str
    guest_phone: str
    source: str
    created_at: datetime
    pay_until_at: datetime | None
    closed_why: str | None
    coupon: str
    discount_minor: int
    voucher_minor: int
    total_minor: int
    tax_minor: int
    paid_minor: int
    refunded_minor: int
    taken_back_minor: int
    owed_minor: int
    not_due_minor: int
    returning_minor: int
    to_hand_back_minor: int
    lines: list[LineView]
    payments: list[PaymentView]
    refunds: list[RefundView]
    pages: list[PageView]
    open_items: list[OpenItemView]
    timeline: list[Moment]
    disputes: list[DisputeView]
    mail_refused: str | None
    standing: int
    pages_of_sold: Sequence[tuple[str, str]]
    holds_places: bool
    may_still_come: bool
    was_never_paid: bool
    missing_minor: int
    never_came_minor: int
    may_be_mistaken: bool
    is_package: bool
    credits_in_places: int
    are_credits_off: bool
    package_waits_until_at: datetime | None
    in_parts: PartsView | None = None

    @property
    def badge(self) -> Badge:
        return order_badge(self.state, is_all_cancelled=self.is_all_cancelled)

    @property
    def mode(self) -> str:
        return payment_mode(self.payment_mode)

    @property
    def ended(self) -> str:
        """Who ended it, so that nothing can be had with money that comes now."""
        if self.state != OrderState.CANCELLED:
            return ""
        return who_ended_it(order_end(self.state, self.closed_why))


class RefundPage(msgspec.Struct, frozen=True, kw_only=True):
    """Money about to go back: how much can, and what follows; `standing` places to come stand.
    `failed`: refunds of the payment that wait for another try, minor units of each, and `settled`
    those that failed and that somebody has dealt with elsewhere. Where vouchers were bought,
    `on_vouchers_minor` is what is left on them: no more can go back. `most_minor` is what can go
    back here, and `in_credits_minor` what can only with unused credits.
    """

    slug: str
    order_id: UUID
    reference: str
    guest_name: str
    guest_email: str
    payment: PaymentView
    failed: list[int]
    settled: list[int]
    standing: int
    on_vouchers_minor: int | None
    most_minor: int
    in_credits_minor: int
    zone: str
    form: object

    @property
    def failed_words(self) -> str:
        return self._amounts(self.failed)

    @property
    def settled_words(self) -> str:
        return self._amounts(self.settled)

    def _amounts(self, amounts: list[int]) -> str:
        currency, locale = self.payment.currency, current_locale()
        return ", ".join(format_money(Money(one, currency), locale) for one in amounts)
