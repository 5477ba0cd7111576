"""Who bought a series, and one booking in full."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, exists, func, select

from src.billing.models import Order
from src.billing.owed import owed_minor
from src.billing.queries.disputes import taken_back_minor
from src.billing.queries.to_hand_back import to_hand_back_minor
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS, booking_state, live_cancellation
from src.booking.models import Booking, Cancellation, Seat, Series, Service, Session
from src.booking.queries.held import is_by_link, pay_until_of
from src.booking.queries.party import NUMBER, called_by_staff
from src.booking.queries.purchases import is_cut_short, is_purchase
from src.booking.queries.question_answers import answers_of_booking
from src.booking.views.series import BookingDetail, Buyer, BuyerPage, SeatRow
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.models import Customer, Participant

PAGE_SIZE = 50
CONFIRMED = str(SeatState.CONFIRMED)
TAKEN = frozenset(str(state) for state in TAKEN_SEATS)


async def list_buyers(
    uow: UnitOfWork, series_id: UUID, now: datetime, *, page: int = 1
) -> BuyerPage:
    """All purchases of the series, latest first: sold, in checkout and cancelled ones."""
    bought = (
        Booking.tenant_id == uow.tenant,
        Booking.series_id == series_id,
        is_purchase(),
    )
    total = await uow.session.scalar(_with_order(select(func.count()), bought))
    found = await uow.session.execute(_buyers(bought, now, page))
    rows = found.all()
    return BuyerPage(
        rows=[_buyer(row) for row in rows[:PAGE_SIZE]],
        total=total or 0,
        number=page,
        has_more=len(rows) > PAGE_SIZE,
    )


async def get_booking_detail(uow: UnitOfWork, booking_id: UUID, now: datetime) -> BookingDetail:
    """Raises: NotFound, for another tenant's booking too."""
    row = (await uow.session.execute(_booking(uow.tenant, booking_id))).one_or_none()
    if row is None:
        raise NotFound(_("There is no such booking."))
    order: Order = row.Order
    booking: Booking = row.Booking
    seats = await _seats(uow, booking_id, order.guest_name)
    coming = [seat for seat in seats if seat.state in TAKEN and seat.starts_at > now]
    return BookingDetail(
        id=booking.id,
        order_id=order.id,
        customer_id=booking.customer_id,
        is_erased=row.erased_at is not None,
        reference=order.reference,
        name=order.guest_name,
        email=order.guest_email,
        phone=order.guest_phone,
        service_name=row.Service.name,
        series_id=booking.series_id,
        series_title=row.title or "",
        party_size=booking.party_size,
        state=_state(seats),
        payment_mode=order.payment_mode,
        currency=order.currency,
        total_minor=order.total_minor,
        to_pay_minor=order.to_pay_minor,
        paid_minor=order.paid_minor,
        refunded_minor=order.refunded_minor,
        taken_back_minor=int(row.taken_back),
        owed_minor=int(row.owed),
        made_at=booking.created_at,
        answers=answers_of_booking(
            booking, {seat.participant_id: seat.participant for seat in seats}
        ),
        note=booking.note,
        seats=seats,
        cancellable=len(coming),
        cancellation_id=row.cancellation_id,
        pay_until_at=pay_until_of(order),
        is_by_link=is_by_link(order),
        completes_id=booking.completes_id,
        completed_by=await _completed_by(uow, booking_id),
    )


async def _completed_by(uow: UnitOfWork, booking_id: UUID) -> list[tuple[UUID, str]]:
    found = await uow.session.execute(
        _with_order(
            select(Booking.id, Order.reference),
            (Booking.tenant_id == uow.tenant, Booking.completes_id == booking_id, is_purchase()),
        ).order_by(Booking.created_at, Booking.id)
    )
    return list(found.tuples())


def _with_order(statement: Select[Any], which: Sequence[Any]) -> Select[Any]:
    return (
        statement.select_from(Booking)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(*which)
    )


def _buyers(which: Sequence[Any], now: datetime, page: int) -> Select[Any]:
    """The bookings of one page with their seats counted."""
    chosen = (
        _with_order(select(Booking.tenant_id, Booking.id), which)
        .order_by(Booking.created_at.desc(), Booking.id)
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
        .subquery()
    )
    state, starts_at = Seat.state, Session.starts_at
    live = state.in_([CONFIRMED, "attended", "no_show"])
    return (
        select(
            Booking,
            Order,
            owed_minor().label("owed"),
            taken_back_minor().label("taken_back"),
            to_hand_back_minor().label("to_hand_back"),
            is_cut_short(now).label("is_cut_short"),
            func.array_agg(state.distinct()).label("states"),
            func.count().filter(state == CONFIRMED, starts_at > now).label("left"),
            func.count(Session.id.distinct())
            .filter(state == CONFIRMED, starts_at > now)
            .label("left_dates"),
            func.count().filter(state == "attended").label("attended"),
            func.count().filter(live, starts_at <= now).label("passed"),
            func.count().filter(state.in_(["cancelled", "late_cancelled"])).label("lost"),
        )
        .select_from(chosen)
        .join(Booking, (Booking.tenant_id == chosen.c.tenant_id) & (Booking.id == chosen.c.id))
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .group_by(Booking.tenant_id, Booking.id, Order.tenant_id, Order.id)
        .order_by(Booking.created_at.desc(), Booking.id)
    )


def _buyer(row: Row[Any]) -> Buyer:
    order: Order = row.Order
    return Buyer(
        booking_id=row.Booking.id,
        order_id=order.id,
        reference=order.reference,
        name=order.guest_name,
        email=order.guest_email,
        joined_at=row.Booking.created_at,
        party_size=row.Booking.party_size,
        state=str(booking_state(SeatState(state) for state in row.states)),
        payment_mode=order.payment_mode,
        total_minor=order.total_minor,
        paid_minor=order.paid_minor,
        refunded_minor=order.refunded_minor,
        taken_back_minor=int(row.taken_back),
        owed_minor=int(row.owed),
        to_hand_back_minor=int(row.to_hand_back),
        left=row.left,
        left_dates=row.left_dates,
        attended=row.attended,
        passed=row.passed,
        lost=row.lost,
        is_cut_short=row.is_cut_short,
        completes=row.Booking.completes_id is not None,
    )


def _booking(tenant_id: UUID, booking_id: UUID) -> Select[Any]:
    return (
        select(Booking, Order, Service, Series.title, _going_on().label("cancellation_id"))
        .add_columns(owed_minor().label("owed"), taken_back_minor().label("taken_back"))
        .add_columns(Customer.erased_at)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .join(
            Customer,
            (Customer.tenant_id == Booking.tenant_id) & (Customer.id == Booking.customer_id),
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .where(Booking.tenant_id == tenant_id, Booking.id == booking_id)
    )


def _going_on() -> ScalarSelect[UUID]:
    """The cancelling of the booking, or that of the one it completes, which reaches its seats."""
    theirs = exists().where(
        Seat.tenant_id == Booking.tenant_id,
        Seat.booking_id == Booking.id,
        Seat.state == CONFIRMED,
        Seat.cancellation_id == Cancellation.id,
    )
    return (
        select(Cancellation.id)
        .where(
            Cancellation.tenant_id == Booking.tenant_id,
            Cancellation.scope == "purchase",
            Cancellation.state.in_(["waiting", "running"]),
            (Cancellation.subject_id == Booking.id) | theirs,
        )
        .order_by((Cancellation.subject_id == Booking.id).desc())
        .limit(1)
        .correlate(Booking)
        .scalar_subquery()
    )


async def _seats(uow: UnitOfWork, booking_id: UUID, guest: str) -> list[SeatRow]:
    found = await uow.session.execute(
        select(Seat, Session, Participant.name, NUMBER)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .where(Seat.tenant_id == uow.tenant, Seat.booking_id == booking_id)
        .order_by(Session.starts_at, Session.id, Seat.id)
    )
    return [
        _seat(seat, session, called_by_staff(name, number, guest))
        for seat, session, name, number in found
    ]


def _seat(seat: Seat, session: Session, participant: str) -> SeatRow:
    return SeatRow(
        id=seat.id,
        session_id=session.id,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        title=session.title,
        participant_id=seat.participant_id,
        participant=participant,
        state=seat.state,
        share_minor=seat.share_minor,
        tier=seat.tier,
        cancellation_id=live_cancellation(SeatState(seat.state), seat.cancellation_id),
        changed_at=seat.changed_at,
        changed_why=seat.changed_why,
    )


def _state(seats: Sequence[SeatRow]) -> str:
    """A booking without a seat cannot be; an empty word is shown rather than no page."""
    return str(booking_state(SeatState(seat.state) for seat in seats)) if seats else "expired"
