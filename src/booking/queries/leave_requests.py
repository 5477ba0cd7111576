"""Guests who ask to leave a course, for those who decide."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select

from src.billing.models import Order
from src.billing.owed import owed_minor
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.models import Booking, Cancellation, LeaveRequest, Seat, Series, Service, Session
from src.booking.queries.purchases import is_reached_with, of_purchase
from src.booking.views.leaving import LeaveAsked, PurchaseMoney
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _

MOST_SHOWN = 100
PURCHASE_ID = func.coalesce(Booking.completes_id, Booking.id)
"""Of the booking on whose page it was asked for: what would be cancelled, that or the course."""


async def list_open_requests(uow: UnitOfWork, series_id: UUID | None = None) -> list[LeaveAsked]:
    """Those that can still be decided, the oldest first; of one series, or of all."""
    statement = _open(uow)
    if series_id is not None:
        statement = statement.where(Booking.series_id == series_id)
    return [_asked(row) for row in await uow.session.execute(statement.limit(MOST_SHOWN))]


async def get_leave_request(uow: UnitOfWork, request_id: UUID) -> LeaveAsked:
    """Raises: NotFound, for another tenant's too."""
    found = await uow.session.execute(_all(uow).where(LeaveRequest.id == request_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound(_("There is no such request."))
    return _asked(row)


async def find_newest_request(uow: UnitOfWork, order_id: UUID) -> LeaveAsked | None:
    """What the guest of an order asked for last."""
    newest = _all(uow).where(Booking.order_id == order_id).order_by(None)
    found = await uow.session.execute(newest.order_by(LeaveRequest.asked_at.desc()).limit(1))
    row = found.one_or_none()
    return None if row is None else _asked(row)


async def find_open_request(uow: UnitOfWork, purchase_id: UUID) -> LeaveAsked | None:
    """What cancelling that booking would accept, the newest of several; none for one that only
    completes another.
    """
    asked = _all(uow).where(is_reached_with(purchase_id), LeaveRequest.state == "open")
    newest = asked.order_by(None).order_by(LeaveRequest.asked_at.desc()).limit(1)
    found = await uow.session.execute(newest)
    row = found.one_or_none()
    return None if row is None else _asked(row)


async def get_purchase_money(uow: UnitOfWork, purchase_id: UUID) -> PurchaseMoney:
    """Over all of its orders: what completes a course was paid for by itself."""
    theirs = select(Booking.order_id).where(
        Booking.tenant_id == uow.tenant,
        (Booking.id == purchase_id) | (Booking.completes_id == purchase_id),
    )
    found = await uow.session.execute(
        select(
            func.min(Order.currency),
            func.sum(Order.paid_minor),
            func.sum(Order.refunded_minor),
            func.sum(owed_minor()),
        ).where(Order.tenant_id == uow.tenant, Order.id.in_(theirs))
    )
    currency, *amounts = found.one()
    paid, refunded, owed = map(int, amounts)
    return PurchaseMoney(
        currency=currency, paid_minor=paid, refunded_minor=refunded, owed_minor=owed
    )


async def find_cancelled_as_asked(
    uow: UnitOfWork, cancellations: Sequence[Cancellation]
) -> set[UUID]:
    """Those that cancel a purchase because its guest had asked to leave the course, there or on the
    page of what completes it: the request was accepted with them.
    """
    purchases = {one.subject_id: one for one in cancellations if one.scope == "purchase"}
    if not purchases:
        return set()
    accepted = await uow.session.execute(
        select(PURCHASE_ID, LeaveRequest.decided_at)
        .join(
            Booking,
            (Booking.tenant_id == LeaveRequest.tenant_id) & (Booking.id == LeaveRequest.booking_id),
        )
        .where(
            LeaveRequest.tenant_id == uow.tenant,
            Booking.id.in_(purchases) | Booking.completes_id.in_(purchases),
            LeaveRequest.state == "accepted",
        )
    )
    return {
        purchases[subject_id].id
        for subject_id, decided_at in accepted
        if subject_id in purchases and decided_at >= purchases[subject_id].requested_at
    }


def _open(uow: UnitOfWork) -> Select[Any]:
    """A request whose dates are all over or gone needs nobody."""
    coming = (
        exists()
        .where(Seat.tenant_id == Booking.tenant_id, of_purchase(PURCHASE_ID))
        .where(Session.tenant_id == Seat.tenant_id, Session.id == Seat.session_id)
        .where(
            Seat.state == str(SeatState.CONFIRMED),
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at >= uow.clock.now(),
        )
    )
    return _all(uow).where(LeaveRequest.state == "open", coming)


def _all(uow: UnitOfWork) -> Select[Any]:
    return (
        select(LeaveRequest, Booking, Order, Service.name, Series.title)
        .join(
            Booking,
            (Booking.tenant_id == LeaveRequest.tenant_id) & (Booking.id == LeaveRequest.booking_id),
        )
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .join(Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id))
        .where(LeaveRequest.tenant_id == uow.tenant)
        .order_by(LeaveRequest.asked_at, LeaveRequest.id)
    )


def _asked(row: Any) -> LeaveAsked:
    request, booking, order, service_name, series_title = row
    return LeaveAsked(
        id=request.id,
        purchase_id=booking.completes_id or booking.id,
        order_id=order.id,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        what=f"{service_name} · {series_title}",
        series_id=booking.series_id,
        reason=request.reason,
        state=request.state,
        answer=request.answer,
        asked_at=request.asked_at,
    )
