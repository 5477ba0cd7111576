"""Whether an order can be paid online now."""

from datetime import datetime

from src.billing.domain.kinds import OrderState, PageState, PaymentMode
from src.billing.models import Order, PaymentPage
from src.billing.processor import TOO_SMALL
from src.platform.errors import Conflict, Gone, Unavailable
from src.platform.i18n import _


def refuse_unless_payable(order: Order, newest: PaymentPage | None, now: datetime) -> None:
    """`newest` is the order's latest attempt. Raises: Conflict; Gone when the hold has ended."""
    if order.payment_mode == PaymentMode.TRANSFER:
        raise Conflict(_("This is paid by bank transfer."), code="paid_by_transfer")
    paid = newest is not None and newest.state == PageState.COMPLETE
    if order.state == OrderState.CONFIRMED or paid:
        raise already_paid()
    over = newest is not None and newest.state == PageState.EXPIRED
    if order.hold_expires_at is None or now >= order.hold_expires_at or over:
        raise hold_over()
    if order.state != OrderState.OPEN:
        raise hold_over()


def already_paid() -> Conflict:
    return Conflict(_("This order is paid already."), code="already_paid")


def hold_over() -> Gone:
    return Gone(
        _("The time to pay is over and the places are free again. Please book once more."),
        code="hold_over",
    )


def too_small() -> Conflict:
    return Conflict(
        _("This amount is too small to be paid online. Please contact the business."),
        code=TOO_SMALL,
    )


def no_answer() -> Unavailable:
    """Where an attempt before may have been paid: nothing is said of that."""
    return Unavailable(
        _("The payment service does not answer. Please try again in a moment."),
        code="payment_page_unsure",
    )
