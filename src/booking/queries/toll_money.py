"""What the seats that a cancellation reaches cost, by the way it was paid or is to be."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    any_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from src.billing.domain.kinds import VOUCHER_METHOD, PaymentMode
from src.billing.models import Order, Payment
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Booking, Seat, Session
from src.platform.db.uow import UnitOfWork

HELD, TAKEN = str(SeatState.HELD), [str(state) for state in TAKEN_SEATS]


class TollMoney(msgspec.Struct, frozen=True, kw_only=True):
    """The price of the taken seats in minor units, as `Toll` tells it apart. `by_voucher` is what
    vouchers paid of it, by order.
    """

    paid_minor: int = 0
    taken_minor: int = 0
    transferred_minor: int = 0
    on_site_minor: int = 0
    by_voucher: Mapping[UUID, int] = {}


def reached(statement: Select[Any], tenant_id: UUID, which: Sequence[Any]) -> Select[Any]:
    """The seats that a cancellation reaches, with their bookings, orders and sessions."""
    return (
        statement.select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == tenant_id, Seat.state.in_([*TAKEN, HELD]), *which)
    )


def is_rest_paid() -> ColumnElement[bool]:
    """Of an order: whether more came in for it than its voucher paid, or there was nothing more to
    pay. Staff take all that is owed on site at once.
    """
    return or_(
        Order.paid_minor > Order.voucher_minor,
        (Order.paid_minor > 0) & (Order.paid_minor >= Order.total_minor),
    )


async def toll_money(uow: UnitOfWork, which: Sequence[Any]) -> TollMoney:
    """What goes back goes to the voucher first, so of the seats' price the voucher paid as much as
    is not back on it yet; the rest is told by the way of its order.
    """
    with_voucher = case((Order.voucher_minor > 0, Order.id)).label("order_id")
    rest_paid = is_rest_paid().label("is_rest_paid")
    statement = reached(
        select(with_voucher, Order.payment_mode, rest_paid, func.sum(Seat.share_minor)),
        uow.tenant,
        [*which, Seat.state.in_(TAKEN)],
    )
    found = await uow.session.execute(
        statement.group_by(with_voucher, Order.payment_mode, rest_paid)
    )
    sums = [(row[0], _field(row[1], is_rest_paid=row[2]), int(row[3])) for row in found]
    left = await _left_of_vouchers(uow, [order_id for order_id, *_rest in sums if order_id])
    minor, by_voucher = dict[str, int](), dict[UUID, int]()
    for order_id, field, share in sums:
        part = min(share, left.get(order_id, 0)) if order_id else 0
        if part:
            by_voucher[order_id] = part
        if field:
            minor[field] = minor.get(field, 0) + share - part
    return TollMoney(**minor, by_voucher=by_voucher)


def _field(mode: str, *, is_rest_paid: bool) -> str:
    on_site = "taken_minor" if is_rest_paid else "on_site_minor"
    fields = {
        PaymentMode.ONLINE: "paid_minor",
        PaymentMode.TRANSFER: "transferred_minor",
        PaymentMode.ON_SITE: on_site,
    }
    return fields.get(PaymentMode(mode), "")


async def _left_of_vouchers(uow: UnitOfWork, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What vouchers paid of these orders and is not back on them."""
    if not order_ids:
        return {}
    found = await uow.session.execute(
        select(Payment.order_id, func.sum(Payment.amount_minor - Payment.refunded_minor))
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == any_(bindparam(None, order_ids, type_=ARRAY(Uuid()))),
            Payment.method == VOUCHER_METHOD,
        )
        .group_by(Payment.order_id)
    )
    return {order_id: int(minor) for order_id, minor in found}
