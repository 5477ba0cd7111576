"""What was paid, is to be paid on site and comes back, in sentences of mails and messages."""

from collections.abc import Sequence

from src.billing.domain.coupons import discount_within
from src.billing.domain.kinds import BY_HAND_MODES, PaymentMode
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.late_fee_words import fee_asked
from src.booking.queries.mail_facts import BookingFacts
from src.platform.i18n import _, ngettext
from src.platform.money import Money, format_money


def money_line(order: Order, owed_minor: int) -> str:
    """What was or is to be paid, and what a coupon took off of that, in words; in the current
    language. `owed_minor` is still to be paid on site.
    """
    if order.payment_mode == PaymentMode.ON_SITE:
        amount_minor = order.paid_minor + owed_minor
        said = _on_site(order, owed_minor)
    elif order.payment_mode in (PaymentMode.ONLINE, PaymentMode.TRANSFER):
        amount_minor = order.total_minor
        said = [_("Paid: %(amount)s", amount=_money(order, amount_minor))]
        if order.voucher_minor:
            by_voucher = _money(order, order.voucher_minor)
            said.append(_("of it by voucher: %(amount)s", amount=by_voucher))
    else:
        amount_minor, said = order.total_minor, [_("Free of charge")]
    if order.discount_minor:
        off_minor = discount_within(order.discount_minor, order.total_minor, amount_minor)
        if off_minor:
            amount = _money(order, off_minor)
            said.append(_("Discount, taken off already: %(amount)s", amount=amount))
    return " · ".join(said)


def _on_site(order: Order, owed_minor: int) -> list[str]:
    said, by_voucher_minor = [], order.voucher_minor
    if by_voucher_minor and owed_minor and order.paid_minor + owed_minor == order.total_minor:
        said.append(_("Price: %(amount)s", amount=_money(order, order.total_minor)))
    if order.paid_minor and order.paid_minor == by_voucher_minor:
        said.append(_("Paid by voucher: %(amount)s", amount=_money(order, order.paid_minor)))
    elif order.paid_minor:
        said.append(_("Paid: %(amount)s", amount=_money(order, order.paid_minor)))
        if by_voucher_minor:
            by_voucher = _money(order, by_voucher_minor)
            said.append(_("of it by voucher: %(amount)s", amount=by_voucher))
    if owed_minor:
        said.append(_("To pay on site: %(amount)s", amount=_money(order, owed_minor)))
    return said or [_("Nothing to pay")]


def credit_line(name: str, used: int, left: int, back: int = 0) -> str:
    """What was paid with credits, how many of them came `back`, and what is left now, in the
    current language.
    """
    said = _(
        "%(credits)s of “%(package)s”, %(left)s left",
        credits=ngettext("%(num)s credit", "%(num)s credits", used),
        package=name,
        left=left,
    )
    if not back:
        return said
    came = ngettext("%(num)s of them came back", "%(num)s of them came back", back)
    return f"{said}; {came if used > 1 else _('it came back')}"


def paid_line(facts: BookingFacts, owed_minor: int) -> str:
    """`money_line` of a booking, or which credits paid for it."""
    spent = facts.credits
    used = sum(item.seat.credit_lot_id is not None for item in facts.seats)
    if spent is None or not used:
        return money_line(facts.order, owed_minor)
    return _("Paid with %(credits)s", credits=credit_line(spent.name, used, spent.left))


def back_line(
    bookings: Sequence[BookingFacts],
    by_hand_minor: int = 0,
    owed_minor: int = 0,
    credits_back: Sequence[str] = (),
    *,
    as_voucher: bool = False,
    fee_minor: int = 0,
) -> str:
    """What comes back for these seats, in sentences; in the current language. `by_hand_minor` was
    paid on site, and so comes back there; `owed_minor` is still to be paid on site for all of their
    orders, which is said where it is not what these seats alone leave due. `credits_back` are the
    sentences about credits; `fee_minor` is asked for leaving late.
    """
    order = bookings[0].order
    back_minor = sum(item.seat.returned_minor for facts in bookings for item in facts.seats)
    said = list(credits_back)
    if back_minor:
        amount = _money(order, back_minor)
        said.append(way_back(order, amount, as_voucher=as_voucher))
    if by_hand_minor:
        said.append(_by_hand(order, _money(order, by_hand_minor)))
    due_minor = 0
    if not said:
        nothing, due_minor = _nothing_back(bookings)
        said.append(nothing)
    if owed_minor and owed_minor != due_minor:
        said.append(in_all_due(_money(order, owed_minor)))
    if fee_minor:
        said.append(fee_asked(_money(order, fee_minor)))
    return " ".join(said)


def _by_hand(order: Order, amount: str) -> str:
    if order.payment_mode == PaymentMode.TRANSFER:
        return _("The business sends you %(amount)s back that you transferred.", amount=amount)
    return _("The business gives you %(amount)s back that you paid on site.", amount=amount)


def will_go_back(order: Order, back_minor: int, by_hand_minor: int) -> str:
    """Before it is done, where money will go that comes back; `way_back` says it afterwards. What
    the business took itself it gives back itself.
    """
    if back_minor:
        return _will_go_back(order, _money(order, back_minor))
    if not by_hand_minor:
        return ""
    amount = _money(order, by_hand_minor)
    if order.payment_mode == PaymentMode.TRANSFER:
        return _(
            "You paid by bank transfer, so the business itself sends back %(amount)s.",
            amount=amount,
        )
    return _("You paid on site, so the business itself gives back %(amount)s.", amount=amount)


def _will_go_back(order: Order, amount: str) -> str:
    # What the business took itself is none of it: that it gives back itself.
    if order.voucher_minor and (
        order.voucher_minor == order.total_minor or order.payment_mode in BY_HAND_MODES
    ):
        return _(
            "%(amount)s goes onto the voucher again that you paid with, at once.", amount=amount
        )
    if order.voucher_minor:
        return _(
            "%(amount)s goes back: onto your voucher first, at once, and the rest the way you paid"
            " it, which takes a few days.",
            amount=amount,
        )
    return _("%(amount)s goes back the way you paid; it takes a few days.", amount=amount)


def way_back(order: Order, amount: str, *, as_voucher: bool = False) -> str:
    """Where money goes that comes back for a part of the order: to its voucher first, and the rest
    to a new one where that was chosen.
    """
    if order.voucher_minor and order.voucher_minor == order.total_minor:
        return _("%(amount)s is on the voucher again that you paid with.", amount=amount)
    if as_voucher:
        return _("You get %(amount)s as a voucher, in a mail of its own.", amount=amount)
    if order.voucher_minor:
        return _(
            "%(amount)s comes back to you: on your voucher first, the rest the way you paid it.",
            amount=amount,
        )
    return _("%(amount)s is on its way back to you; it takes a few days.", amount=amount)


def _nothing_back(bookings: Sequence[BookingFacts]) -> tuple[str, int]:
    """Why nothing comes back, and how much stays due by that."""
    if any(facts.is_with_the_bank for facts in bookings):
        why = _("Your bank has this payment because of a dispute, so no money comes back from us.")
        return why, 0
    if any(facts.order.payment_mode == PaymentMode.CREDIT for facts in bookings):
        return _("No credit comes back for it."), 0
    if any(facts.order.paid_minor for facts in bookings):
        return _("No money comes back for it."), 0
    due_minor = sum(
        item.seat.share_minor
        for facts in bookings
        for item in facts.seats
        if item.seat.state == SeatState.LATE_CANCELLED
    )
    if not due_minor:
        return _("Nothing was paid for it, so nothing comes back."), 0
    amount = _money(bookings[0].order, due_minor)
    return _("It was cancelled late, so %(amount)s stays due.", amount=amount), due_minor


def in_all_due(amount: str) -> str:
    """Beside what becomes of a part: what its guest pays on site for the whole booking."""
    return _("In all, %(amount)s is to be paid on site.", amount=amount)


def _money(order: Order, minor: int) -> str:
    return format_money(Money(minor, order.currency), order.locale)
