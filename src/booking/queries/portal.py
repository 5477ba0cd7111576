"""A guest's own bookings: what waits for payment, is to come, was called off, and is over."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Function, Row, Select, and_, case, func, or_, select

from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.billing.owed import list_owed_minor
from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.guest_links import booking_path
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.late_fees import is_told_of_missing
from src.booking.queries.own_dates import TAKEN, Comers, list_who_comes, own_dates, same_row
from src.booking.queries.told_apart import told_apart
from src.booking.said import Person, in_party, party_words
from src.booking.views.portal import (
    AheadBooking,
    AheadPart,
    HeldBooking,
    HeldPart,
    OffBooking,
    OffPart,
    PastBooking,
    PastPart,
)
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.portal_sections import Portal

MOST_DATES_AHEAD = 400
FIRST_PAST, PAST_A_PAGE = 5, 20
MOST_OFF = 50
_OFF = [str(state) for state in (SeatState.CANCELLED, SeatState.LATE_CANCELLED)]
_STATES = (
    *(
        func.bool_or(Seat.state == str(state)).label(str(state))
        for state in (
            SeatState.ATTENDED,
            SeatState.NO_SHOW,
            SeatState.CONFIRMED,
            SeatState.SWAPPED,
        )
    ),
    func.bool_or(Seat.state.in_(_OFF)).label("cancelled"),
    func.bool_or((Seat.state == str(SeatState.NO_SHOW)) & is_told_of_missing()).label("told"),
)
"""Of all seats of a booking: which states there are among them, and whether its guest was told that
they had not come to one of them.
"""


async def find_held(uow: UnitOfWork, portal: Portal) -> HeldPart | None:
    """What is theirs once they have paid, those first that end first."""
    found = await uow.session.execute(
        select(
            Order,
            Service.name.label("service"),
            Series.title.label("series"),
            func.max(Booking.party_size).label("places"),
        )
        .join(Booking, and_(Booking.tenant_id == Order.tenant_id, Booking.order_id == Order.id))
        .join(Service, same_row(Booking, Service, Booking.service_id))
        .outerjoin(Series, same_row(Booking, Series, Booking.series_id))
        .where(
            Order.tenant_id == uow.tenant,
            Order.customer_id == portal.guest.customer_id,
            Order.state == str(OrderState.OPEN),
        )
        .group_by(Order.tenant_id, Order.id, Service.name, Series.title)
        .order_by(Order.hold_expires_at, Order.id)
    )
    now, rows = uow.clock.now(), []
    for row in found:
        until_at = payable_until(row.Order.hold_expires_at)
        if until_at is not None and now < until_at:
            held = HeldBooking(
                href=booking_path(portal.settings, portal.tenant.slug, row.Order),
                what=_what(row),
                to_pay_minor=row.Order.to_pay_minor,
                currency=row.Order.currency,
                places=row.places,
                until_at=until_at,
            )
            rows.append(held)
    return HeldPart(rows=rows, zone=portal.tenant.zone) if rows else None


async def find_ahead(uow: UnitOfWork, portal: Portal) -> AheadPart:
    """Every booking with a date to come, by its next one; the page says so where there is none."""
    found = (await uow.session.execute(_dates_ahead(uow, portal.guest.customer_id))).all()
    dates = sorted(found[:MOST_DATES_AHEAD], key=lambda row: row.Booking.id)
    by_booking = [list(own) for _id, own in groupby(dates, key=lambda row: row.Booking.id)]
    owed = await list_owed_minor(uow, [own[0].Order.id for own in by_booking])
    who = await list_who_comes(uow, [own[0].Booking.id for own in by_booking])
    off = await _count_off(uow, [own[0].Booking.id for own in by_booking])
    rows = [_ahead(portal, own, owed.get(own[0].Order.id, 0), who, off) for own in by_booking]
    rows = told_apart(rows, [_who_of(own, who) for own in by_booking])
    return AheadPart(
        rows=sorted(rows, key=lambda one: (one.starts_at, one.href)),
        is_cut=len(found) > MOST_DATES_AHEAD,
        zone=portal.tenant.zone,
        hub_href=f"/b/{portal.tenant.slug}",
    )


def _dates_ahead(uow: UnitOfWork, customer_id: UUID) -> Select[Any]:
    """One row for each booking and date, the soonest first."""
    return own_dates(uow, customer_id).where(_is_ahead(uow)).limit(MOST_DATES_AHEAD + 1)


def _is_ahead(uow: UnitOfWork) -> ColumnElement[bool]:
    """Of a seat and its session: it stands, and is not over yet."""
    return and_(
        Seat.state.in_(TAKEN),
        Session.state != str(SessionState.CANCELLED),
        Session.ends_at > uow.clock.now(),
    )


def _is_over(uow: UnitOfWork) -> ColumnElement[bool]:
    """Of a seat and its session: it stood until the end."""
    return and_(
        Seat.state.in_(TAKEN),
        Session.state != str(SessionState.CANCELLED),
        Session.ends_at <= uow.clock.now(),
    )


async def _count_off(uow: UnitOfWork, booking_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many dates of these bookings were cancelled or exchanged for all who were to come, among
    those that would be still to come.
    """
    dates = (
        select(Seat.booking_id, Seat.session_id)
        .join(Session, same_row(Seat, Session, Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.booking_id.in_(booking_ids),
            Seat.state != str(SeatState.EXPIRED),
            Session.ends_at > uow.clock.now(),
        )
        .group_by(Seat.booking_id, Seat.session_id)
        .having(~func.bool_or(Seat.state.in_(TAKEN)))
        .subquery()
    )
    found = await uow.session.execute(
        select(dates.c.booking_id, func.count()).group_by(dates.c.booking_id)
    )
    return {booking_id: int(count) for booking_id, count in found.tuples()}


def _next_of(dates: Sequence[Row[Any]]) -> Row[Any]:
    return min(dates, key=lambda one: one.Session.starts_at)


def _who_of(dates: Sequence[Row[Any]], comers: Comers) -> list[Person]:
    row = _next_of(dates)
    return list(in_party(comers.get((row.Booking.id, row.Session.id), [])).values())


def _ahead(
    portal: Portal,
    dates: Sequence[Row[Any]],
    owed_minor: int,
    comers: Comers,
    off: Mapping[UUID, int],
) -> AheadBooking:
    row = _next_of(dates)
    session: Session = row.Session
    online = _("Online") if session.mode == SessionMode.ONLINE else ""
    return AheadBooking(
        href=booking_path(portal.settings, portal.tenant.slug, row.Order),
        what=_what(row),
        title=session.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        where=row.location or online,
        performer=row.performer or "",
        places=row.places,
        who=party_words(_who_of(dates, comers), row.Order.guest_name),
        more=len(dates) - 1,
        off=off.get(row.Booking.id, 0),
        owed_minor=owed_minor,
        currency=row.Order.currency,
    )


async def find_newest_past(uow: UnitOfWork, portal: Portal) -> PastPart | None:
    """The first few of what is over."""
    rows = await list_past(uow, portal, limit=FIRST_PAST + 1)
    if not rows:
        return None
    more = f"{portal.path}/past" if len(rows) > FIRST_PAST else ""
    return PastPart(rows=rows[:FIRST_PAST], zone=portal.tenant.zone, more_href=more)


async def list_past(
    uow: UnitOfWork, portal: Portal, *, limit: int, offset: int = 0
) -> list[PastBooking]:
    """Bookings that stood once and have no date to come, and of those that go on the dates that are
    over; by the last of these dates, newest first. What was called off and would be still to come
    is not among them, unless dates of it were had.
    """
    is_over = _is_over(uow)
    goes_on, was_had = func.bool_or(_is_ahead(uow)), func.bool_or(is_over)
    dates, starts = func.count(Session.id.distinct()), func.max(Session.starts_at)
    last_at = case((was_had, starts.filter(is_over)), else_=_of_ended(starts))
    found = await uow.session.execute(
        _own_bookings(
            uow,
            portal,
            last_at.label("last_at"),
            case((was_had, dates.filter(is_over)), else_=_of_ended(dates)).label("dates"),
            goes_on.label("goes_on"),
            *_STATES,
        )
        .having(or_(was_had, and_(~goes_on, _last_end() <= uow.clock.now())))
        .order_by(last_at.desc(), Booking.id.desc())
        .limit(limit)
        .offset(offset)
    )
    rows = found.all()
    owed = await list_owed_minor(uow, [row.Order.id for row in rows])
    return [_past(portal, row, owed.get(row.Order.id, 0)) for row in rows]


async def find_off(uow: UnitOfWork, portal: Portal) -> OffPart | None:
    """Bookings of which nothing is left while a date of them would be still to come, by the first
    of these; what was had of others is past.
    """
    to_come = Session.ends_at > uow.clock.now()
    first_at = _of_ended(func.min(Session.starts_at), to_come)
    found = await uow.session.execute(
        _own_bookings(
            uow,
            portal,
            first_at.label("starts_at"),
            _of_ended(func.count(Session.id.distinct()), to_come).label("dates"),
            *_STATES,
        )
        .having(
            and_(
                ~func.bool_or(or_(_is_ahead(uow), _is_over(uow))),
                _last_end() > uow.clock.now(),
            )
        )
        .order_by(first_at, Booking.id)
        .limit(MOST_OFF + 1)
    )
    rows = found.all()
    owed = await list_owed_minor(uow, [row.Order.id for row in rows[:MOST_OFF]])
    off = [_off(portal, row, owed.get(row.Order.id, 0)) for row in rows[:MOST_OFF]]
    return OffPart(rows=off, is_cut=len(rows) > MOST_OFF, zone=portal.tenant.zone) if off else None


def _of_ended(figure: Function[Any], *which: ColumnElement[bool]) -> ColumnElement[Any]:
    """Of the dates that were cancelled; of a booking without one, of those that were exchanged.

    One that was exchanged and then cancelled is told of once: by the date that it was cancelled at.
    """
    is_off = Seat.state.in_(_OFF)
    of_off = figure.filter(is_off, *which)
    return case((func.bool_or(is_off), of_off), else_=figure.filter(*which) if which else figure)


def _last_end() -> ColumnElement[Any]:
    return _of_ended(func.max(Session.ends_at))


def _own_bookings(uow: UnitOfWork, portal: Portal, *columns: Any) -> Select[Any]:
    """One row for each booking that stood once, with its seats and their dates together."""
    return (
        select(Order, Service.name.label("service"), Series.title.label("series"), *columns)
        .select_from(Booking)
        .join(Order, same_row(Booking, Order, Booking.order_id))
        .join(Seat, and_(Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id))
        .join(Session, same_row(Seat, Session, Seat.session_id))
        .join(Service, same_row(Booking, Service, Booking.service_id))
        .outerjoin(Series, same_row(Booking, Series, Booking.series_id))
        .where(
            Booking.tenant_id == uow.tenant,
            Booking.customer_id == portal.guest.customer_id,
            Order.confirmed_at.is_not(None),
            Seat.state != str(SeatState.EXPIRED),
        )
        .group_by(Booking.id, Order.tenant_id, Order.id, Service.name, Series.title)
    )


async def is_booking(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether the order has a page as a booking; other things are sold too."""
    found = select(Booking.id).where(Booking.tenant_id == uow.tenant, Booking.order_id == order_id)
    return await uow.session.scalar(found.limit(1)) is not None


def _off(portal: Portal, row: Row[Any], owed_minor: int) -> OffBooking:
    return OffBooking(
        href=booking_path(portal.settings, portal.tenant.slug, row.Order),
        what=_what(row),
        starts_at=row.starts_at,
        more=row.dates - 1,
        is_exchanged=row.swapped and not row.cancelled,
        owed_minor=owed_minor,
        currency=row.Order.currency,
    )


def _past(portal: Portal, row: Row[Any], owed_minor: int) -> PastBooking:
    return PastBooking(
        href=booking_path(portal.settings, portal.tenant.slug, row.Order),
        what=_what(row),
        last_at=row.last_at,
        dates=row.dates,
        goes_on=row.goes_on,
        state="" if row.goes_on else _state(row),
        owed_minor=0 if row.goes_on else owed_minor,
        currency=row.Order.currency,
    )


def _state(row: Row[Any]) -> str:
    """In one word, where there is one for all of it."""
    if row.attended:
        return "attended"
    if row.told:
        return "no_show"
    if row.confirmed or row.no_show:
        return ""
    return "exchanged" if row.swapped and not row.cancelled else "cancelled"


def _what(row: Row[Any]) -> str:
    return " · ".join(filter(None, (row.service, row.series)))
