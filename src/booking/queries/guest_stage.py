"""At what stage a guest's booking is, in one word for its page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderEnd, OrderState, PaymentMode, order_end
from src.billing.models import Order
from src.booking.domain.states import LIVE_SEATS
from src.booking.queries.guest_money import GuestMoney

_BY_THE_BUSINESS = {OrderEnd.RELEASED: "cancelled", OrderEnd.CALLED_OFF: "called_off"}


def stage_of(
    order: Order, seats: Sequence[Row[Any]], money: GuestMoney, now: datetime, *, has_paid: bool
) -> str:
    """The `stage` of `GuestBookingView`. `has_paid`: the guest comes from the payment page."""
    is_transfer = order.payment_mode == PaymentMode.TRANSFER
    if order.state == OrderState.OPEN and is_transfer:
        return "transfer" if _is_payable(order, now) else "over"
    if money.has_paid and order.state != OrderState.CONFIRMED:
        return "too_late"
    if order.state == OrderState.OPEN:
        if money.page_is_complete or has_paid:
            return "processing"
        return "held" if _is_payable(order, now) else "over"
    if order.state == OrderState.CONFIRMED:
        live = any(seat.state in LIVE_SEATS for seat in seats)
        return "confirmed" if live else "cancelled"
    if order.state == OrderState.CANCELLED:
        end = order_end(order.state, order.closed_why)
        return _BY_THE_BUSINESS.get(end, str(end))
    return "expired"


def _is_payable(order: Order, now: datetime) -> bool:
    until = payable_until(order.hold_expires_at)
    return until is not None and now < until
