"""An order's history in sentences, from the rows that tell it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from src.billing.domain.kinds import (
    ON_SITE_METHOD,
    TRANSFER_METHOD,
    VOUCHER_METHOD,
    OpenItemKind,
    OrderEnd,
    OrderState,
    PageKind,
    RefundState,
    order_end,
)
from src.billing.lines import DateMoved, Ended, Moved
from src.billing.models import OpenItem, Order, Payment, PaymentPage, Refund
from src.billing.open_item_words import open_item_sentence
from src.billing.views.disputes import DisputeView
from src.billing.views.orders import Moment
from src.billing.words import order_end_words, refund_cause
from src.platform.i18n import _, current_locale, ngettext
from src.platform.money import Money, format_money
from src.tenants.models import AuditEntry

ASKED = ("order.refund_asked", "order.refunded_as_voucher")


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All rows about one order's money."""

    order: Order
    pages: Sequence[PaymentPage]
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    items: Sequence[OpenItem]
    audit: Sequence[AuditEntry]
    disputes: Sequence[DisputeView] = ()
    ended: Sequence[Ended] = ()
    moved: Sequence[Moved] = ()
    dates_moved: Sequence[DateMoved] = ()
    holds_places: bool = True


def timeline(history: History) -> list[Moment]:
    """What happened, oldest first, in the reader's language."""
    moments = [
        *_of_order(history),
        *_of_pages(history.pages),
        *_of_payments(history.payments),
        *_of_refunds(history),
        *_of_failures(history),
        *_of_items(history.items),
        *_of_disputes(history.disputes),
        *_of_ends(history.ended),
        *_of_moves(history.moved),
        *_of_moved_dates(history.dates_moved),
        *_of_staff(history.audit),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _of_order(history: History) -> Iterator[Moment]:
    order = history.order
    yield Moment(at=order.created_at, text=_("Ordered"), who=order.guest_name)
    if order.confirmed_at is not None:
        yield Moment(at=order.confirmed_at, text=_("Confirmed"))
    if order.closed_at is None or order.state == OrderState.CONFIRMED:
        # How the credits of one that stands came to nothing, its fate tells.
        return
    end, who = order_end(order.state, order.closed_why), ""
    if end is OrderEnd.RELEASED:
        who = next((one.actor_name for one in history.audit if one.action == "order.released"), "")
    words = order_end_words(end, holds_places=history.holds_places)
    yield Moment(at=order.closed_at, text=words, who=who)


def _of_pages(pages: Sequence[PaymentPage]) -> Iterator[Moment]:
    for page in pages:
        by_card = page.kind == PageKind.CARD
        text = _("Tried with a saved card") if by_card else _("Sent to the payment page")
        yield Moment(at=page.created_at, text=text)


def _of_payments(payments: Sequence[Payment]) -> Iterator[Moment]:
    for payment in payments:
        amount = _amount(payment.amount_minor, payment.currency)
        if payment.method == ON_SITE_METHOD:
            text = _("%(amount)s taken on site", amount=amount)
        elif payment.method == TRANSFER_METHOD:
            text = _("%(amount)s came by bank transfer", amount=amount)
        elif payment.method == VOUCHER_METHOD:
            text = _("%(amount)s paid by voucher", amount=amount)
        elif payment.is_extra:
            text = _("%(amount)s came in that this order did not wait for", amount=amount)
        else:
            text = _("%(amount)s paid", amount=amount)
        yield Moment(at=payment.received_at, text=text)


def _of_refunds(history: History) -> Iterator[Moment]:
    """One that staff asked for is named with them, and without the cause, which that is."""
    currencies = {payment.id: payment.currency for payment in history.payments}
    asked = {_refund_asked(entry): entry.actor_name for entry in history.audit}
    for refund in history.refunds:
        amount = _amount(refund.amount_minor, currencies[refund.payment_id])
        who = asked.get(str(refund.id))
        text = _("Refund of %(amount)s asked for", amount=amount)
        if who is None:
            why = refund_cause(refund.cause)
            text = _("Refund of %(amount)s asked for: %(why)s", amount=amount, why=why)
        yield Moment(at=refund.created_at, text=text, who=who or "")
        if refund.finished_at is not None and refund.state == RefundState.SUCCEEDED:
            yield Moment(at=refund.finished_at, text=_went_back(refund, amount))


def _went_back(refund: Refund, amount: str) -> str:
    if refund.voucher_id is not None:
        return _("%(amount)s went on a voucher", amount=amount)
    return _("%(amount)s went back", amount=amount)


def _refund_asked(entry: AuditEntry) -> str | None:
    """The refund that staff asked for with this; None for other acts, and where an older entry does
    not say it.
    """
    return entry.detail.get("refund") if entry.action in ASKED else None


def _of_failures(history: History) -> Iterator[Moment]:
    """Each try that failed, from the log; a refund's own row knows the last one only."""
    logged = [entry for entry in history.audit if entry.action == "order.refund_failed"]
    for entry in logged:
        facts = entry.detail
        yield _failed(entry.at, facts["amount_minor"], facts["currency"])
    known = {entry.detail["refund"] for entry in logged}
    currencies = {payment.id: payment.currency for payment in history.payments}
    for refund in history.refunds:
        is_older_than_the_log = refund.state == RefundState.FAILED and str(refund.id) not in known
        if is_older_than_the_log and refund.finished_at is not None:
            yield _failed(refund.finished_at, refund.amount_minor, currencies[refund.payment_id])


def _failed(at: datetime, amount_minor: int, currency: str) -> Moment:
    amount = _amount(amount_minor, currency)
    return Moment(at=at, text=_("The refund of %(amount)s did not go through", amount=amount))


def _of_items(items: Sequence[OpenItem]) -> Iterator[Moment]:
    """Failed refunds and disputes have lines of their own for how they began and ended."""
    for item in items:
        if item.kind in (OpenItemKind.REFUND_FAILED, OpenItemKind.DISPUTE):
            continue
        page = item.facts.get("page")
        yield Moment(at=item.created_at, text=open_item_sentence(item), page=page)
        if item.closed_at is not None:
            yield Moment(at=item.closed_at, text=_("Dealt with"))


def _of_disputes(disputes: Sequence[DisputeView]) -> Iterator[Moment]:
    for one in disputes:
        amount = _amount(one.amount_minor, one.currency)
        text = _("The guest's bank disputes %(amount)s", amount=amount)
        yield Moment(at=one.opened_at, text=text)
        if one.decided_at is None:
            continue
        if one.state == "won":
            text = _("The dispute over %(amount)s was won", amount=amount)
        else:
            text = _("The dispute over %(amount)s was lost", amount=amount)
        yield Moment(at=one.decided_at, text=text)


def _of_ends(ended: Sequence[Ended]) -> Iterator[Moment]:
    for end in ended:
        places = ngettext("%(num)s place cancelled", "%(num)s places cancelled", end.parts)
        if end.by == "guest":
            places = _("%(places)s by the guest", places=places)
        why = end.why if end.by == "staff" else ""
        text = end.said or (f"{places}: {why}" if why else places)
        yield Moment(at=end.at, text=text, page=end.page, more=end.what)


def _of_moves(moved: Sequence[Moved]) -> Iterator[Moment]:
    for move in moved:
        said = _("Moved by the guest") if move.by == "guest" else _("Moved")
        text = f"{said}: {move.why}" if move.why and move.by == "staff" else said
        more = _("%(who)s, from %(was)s to %(becomes)s", **_words_of(move))
        yield Moment(at=move.at, text=text, page=move.page, more=more)


def _of_moved_dates(moved: Sequence[DateMoved]) -> Iterator[Moment]:
    for move in moved:
        said = _("The date was moved")
        text = f"{said}: {move.why}" if move.why else said
        more = _("From %(was)s to %(becomes)s", was=move.was, becomes=move.becomes)
        yield Moment(at=move.at, text=text, page=move.page, more=more)


def _words_of(move: Moved) -> dict[str, str]:
    return {"who": move.what, "was": move.was, "becomes": move.becomes}


def _of_staff(entries: Sequence[AuditEntry]) -> Iterator[Moment]:
    said = {
        "order.marked_paid": _("Marked as paid"),
        "order.part_paid": _("Took a part on site"),
        "order.part_waived": _("Let the guest off a part"),
        "order.package_cancelled": order_end_words(OrderEnd.CALLED_OFF, holds_places=False),
        "order.package_never_paid": _("Cancelled, as it was never paid"),
        "order.package_brought_back": _("The transfer came after all, and the package with it"),
        "order.refund_asked": _("Asked for a refund"),
        "order.refunded_as_voucher": _("Gave a voucher in place of a refund"),
        "order.refund_retried": _("Tried the refund again"),
        "order.item_closed": _("Closed an open item"),
    }
    for entry in entries:
        if entry.action == "order.transfer_mistaken":
            yield _taken_off(entry)
        elif entry.action in said and _refund_asked(entry) is None:
            yield Moment(at=entry.at, text=said[entry.action], who=entry.actor_name)


def _taken_off(entry: AuditEntry) -> Moment:
    """Of a transfer that never came only the log tells."""
    amount = _amount(entry.detail["amount_minor"], entry.detail["currency"])
    text = _("%(amount)s was noted as a bank transfer by mistake, and taken off", amount=amount)
    return Moment(at=entry.at, text=f"{text}: {entry.detail['reason']}", who=entry.actor_name)


def _amount(amount_minor: int, currency: str) -> str:
    return format_money(Money(amount_minor, currency), current_locale())
