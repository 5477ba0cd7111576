"""What cancelling would do to whom, and how far a cancellation is."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, select

from src.billing.models import Order
from src.billing.queries.disputes import is_order_with_the_bank
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.models import Booking, Cancellation, Seat, Series, Service, Session
from src.booking.queries.being_cancelled import has_no_marked_seat, is_halted
from src.booking.queries.handing_on import list_holders_of
from src.booking.queries.lists_toll import lists_toll
from src.booking.queries.lost import list_lost_holds
from src.booking.queries.purchases import left_of_purchase
from src.booking.queries.toll_credits import count_credits_gone
from src.booking.queries.toll_money import HELD, TAKEN, TollMoney, is_rest_paid, reached, toll_money
from src.booking.views.cancellations import ChosenDate, LostDate, Progress, Toll, Touched
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _, ngettext

MOST_PEOPLE = 12


async def toll_of_session(uow: UnitOfWork, session_id: UUID) -> Toll:
    """What cancelling the whole session would do."""
    toll = await _toll(uow, [Seat.session_id == session_id])
    return msgspec.structs.replace(toll, lists=await lists_toll(uow, [session_id]))


async def toll_of_purchase(uow: UnitOfWork, booking_id: UUID, now: datetime) -> Toll:
    """What cancelling it would do, with dates that complete it; begun ones are not touched, nor is
    who is ticked.
    """
    return await _toll(uow, left_of_purchase(booking_id, now))


async def toll_of_seats(uow: UnitOfWork, seat_ids: Sequence[UUID]) -> Toll:
    """What cancelling these seats would do."""
    return await _toll(uow, [Seat.id.in_(seat_ids)])


def dates_to_come(series_id: UUID, now: datetime) -> list[ColumnElement[bool]]:
    """The dates that cancelling the whole series would reach, and the seats in them."""
    return [
        Session.series_id == series_id,
        Session.state == str(SessionState.SCHEDULED),
        Session.starts_at > now,
    ]


async def toll_of_series(uow: UnitOfWork, series_id: UUID, now: datetime) -> Toll:
    """What cancelling all dates to come of the series would do."""
    which = dates_to_come(series_id, now)
    dates = await uow.session.scalars(
        select(Session.id).where(Session.tenant_id == uow.tenant, *which)
    )
    lists = await lists_toll(uow, dates.all())
    return msgspec.structs.replace(await _toll(uow, which), lists=lists)


async def list_dates_to_come(uow: UnitOfWork, series_id: UUID, now: datetime) -> list[LostDate]:
    """The dates that cancelling the whole series would cancel, in order."""
    found = await uow.session.execute(
        select(Session.starts_at, Session.ends_at, Session.title)
        .where(Session.tenant_id == uow.tenant, *dates_to_come(series_id, now))
        .order_by(Session.starts_at, Session.id)
    )
    return [
        LostDate(starts_at=row.starts_at, ends_at=row.ends_at, title=row.title) for row in found
    ]


def is_cancellable(now: datetime) -> list[ColumnElement[bool]]:
    """Of a session: it is not cancelled nor being cancelled, and not over."""
    return [Session.state == str(SessionState.SCHEDULED), Session.ends_at > now]


async def toll_of_dates(uow: UnitOfWork, session_ids: Collection[UUID]) -> Toll:
    """What cancelling all these dates would do."""
    toll = await _toll(uow, [Seat.session_id.in_(session_ids)])
    return msgspec.structs.replace(toll, lists=await lists_toll(uow, session_ids))


async def list_chosen_dates(
    uow: UnitOfWork, session_ids: Collection[UUID], now: datetime
) -> list[ChosenDate]:
    """Those of these dates that are there, in order, each with whether it can be cancelled now.

    Raises: NotFound when none is.
    """
    can = and_(*is_cancellable(now), has_no_marked_seat()).label("can")
    found = await uow.session.execute(
        _joined_dates(select(*_DATE, can), uow.tenant)
        .where(Session.id.in_(session_ids))
        .order_by(Session.starts_at, Session.id)
    )
    dates = [
        ChosenDate(
            id=row.id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            what=_joined([row.service_name, row.title, row.series_title]),
            series_id=row.series_id,
            is_cancellable=row.can,
        )
        for row in found
    ]
    if not dates:
        raise NotFound(_("There is no such session."))
    return dates


_DATE = (
    Session.id,
    Session.starts_at,
    Session.ends_at,
    Session.title,
    Session.series_id,
    Service.name.label("service_name"),
    Series.title.label("series_title"),
)


def _joined_dates(statement: Select[Any], tenant_id: UUID) -> Select[Any]:
    tenant = Session.tenant_id
    return (
        statement.select_from(Session)
        .join(Service, (Service.tenant_id == tenant) & (Service.id == Session.service_id))
        .outerjoin(Series, (Series.tenant_id == tenant) & (Series.id == Session.series_id))
        .where(tenant == tenant_id)
    )


async def get_progress(uow: UnitOfWork, cancellation_id: UUID) -> Progress:
    """Raises: NotFound, for another tenant's cancellation too."""
    found = await uow.session.get(
        Cancellation, (uow.tenant, cancellation_id), populate_existing=True
    )
    if found is None:
        raise NotFound(_("There is no such cancellation."))
    what, path = await _subject(uow, found)
    names = ("id", "scope", "state", "reason", "total", "done", "seats_freed")
    return Progress(
        what=what,
        subject_path=path,
        dates=await _dates_of(uow, found),
        starts_at=found.starts_at,
        finished_at=found.finished_at,
        has_halted=await is_halted(uow, cancellation_id),
        **{name: getattr(found, name) for name in names},
    )


async def _dates_of(uow: UnitOfWork, cancellation: Cancellation) -> list[LostDate]:
    """Those that are called off; of places and purchases those that the marked seats are on."""
    marked = select(Seat.session_id).where(
        Seat.tenant_id == uow.tenant, Seat.cancellation_id == cancellation.id
    )
    which: ColumnElement[bool] = Session.id.in_(marked)
    if cancellation.scope in ("session", "seats"):
        which = Session.id == cancellation.subject_id
    elif cancellation.session_ids:
        which = Session.id.in_(cancellation.session_ids)
    found = await uow.session.execute(
        select(Session.starts_at, Session.ends_at, Session.title)
        .where(Session.tenant_id == uow.tenant, which)
        .order_by(Session.starts_at, Session.id)
    )
    return [
        LostDate(starts_at=row.starts_at, ends_at=row.ends_at, title=row.title) for row in found
    ]


async def find_live_cancellation(uow: UnitOfWork, subject_id: UUID) -> UUID | None:
    """The cancellation of this whole session, series or booking that waits or runs."""
    found: UUID | None = await uow.session.scalar(
        select(Cancellation.id).where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.subject_id == subject_id,
            Cancellation.scope != "seats",
            Cancellation.state.in_(["waiting", "running"]),
        )
    )
    return found


async def find_live_cancellation_of_seats(uow: UnitOfWork, seat_ids: Sequence[UUID]) -> UUID | None:
    """The one cancellation that all of these seats are in which still stand, None where there are
    several, or none.
    """
    found = await uow.session.scalars(
        select(Seat.cancellation_id)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.id.in_(seat_ids),
            Seat.state == str(SeatState.CONFIRMED),
        )
        .distinct()
    )
    live = found.all()
    return live[0] if len(live) == 1 else None


async def find_live_of_dates(uow: UnitOfWork, session_ids: Collection[UUID]) -> UUID | None:
    """The cancellation of chosen dates that waits or runs and is of just these."""
    found: UUID | None = await uow.session.scalar(
        select(Cancellation.id).where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.scope == "dates",
            Cancellation.state.in_(["waiting", "running"]),
            Cancellation.session_ids == sorted(session_ids),
        )
    )
    return found


async def _toll(uow: UnitOfWork, which: Sequence[Any]) -> Toll:
    taken = Seat.state.in_(TAKEN)
    has_address = Order.guest_email != ""
    totals = (
        await uow.session.execute(
            reached(
                select(
                    func.count().filter(taken).label("seats"),
                    func.count(Booking.customer_id.distinct()).filter(taken).label("customers"),
                    func.count(Booking.customer_id.distinct())
                    .filter(taken, has_address)
                    .label("mails"),
                    func.count().filter(Seat.state == HELD).label("in_checkout"),
                    func.coalesce(func.sum(Seat.share_minor).filter(Seat.state == HELD), 0).label(
                        "in_checkout_minor"
                    ),
                    func.count(Booking.id.distinct()).filter(taken).label("bookings"),
                    func.bool_or(is_order_with_the_bank()).filter(taken).label("with_the_bank"),
                    func.count(Seat.credit_lot_id).filter(taken).label("by_credit"),
                ),
                uow.tenant,
                which,
            )
        )
    ).one()
    money = await toll_money(uow, which)
    people = await _people(uow, which, money)
    ids = select(Seat.id, Seat.credit_lot_id)
    seats = reached(select(Seat.id), uow.tenant, [*which, taken])
    holders = (await list_holders_of(uow, seats)).values()
    return Toll(
        seats=totals.seats,
        customers=totals.customers,
        mails=totals.mails,
        in_checkout=totals.in_checkout,
        in_checkout_minor=int(totals.in_checkout_minor),
        paid_minor=money.paid_minor,
        taken_minor=money.taken_minor,
        transferred_minor=money.transferred_minor,
        on_site_minor=money.on_site_minor,
        voucher_minor=sum(money.by_voucher.values()),
        is_with_the_bank=bool(totals.with_the_bank),
        by_credit=totals.by_credit,
        credits_gone=await count_credits_gone(uow, reached(ids, uow.tenant, [*which, taken])),
        people=people,
        more=totals.bookings - len(people),
        holders=sorted((one.name, one.address) for one in holders if one.address),
        lost_holds=await list_lost_holds(uow, which),
    )


async def _people(uow: UnitOfWork, which: Sequence[Any], money: TollMoney) -> list[Touched]:
    found = await uow.session.execute(
        reached(
            select(
                Booking.id,
                Booking.order_id,
                Order.guest_name,
                Order.guest_email,
                Order.payment_mode,
                func.count().label("seats"),
                func.sum(Seat.share_minor).label("share"),
                func.bool_or(is_rest_paid()).label("is_paid"),
                func.array_agg(Session.starts_at.distinct()).label("starts"),
                func.bool_or(is_order_with_the_bank()).label("is_with_the_bank"),
            ),
            uow.tenant,
            [*which, Seat.state.in_(TAKEN)],
        )
        .group_by(
            Booking.id,
            Booking.order_id,
            Order.guest_name,
            Order.guest_email,
            Order.payment_mode,
        )
        .order_by(Order.guest_name, Booking.id)
        .limit(MOST_PEOPLE)
    )
    return [
        Touched(
            booking_id=row.id,
            name=row.guest_name,
            email=row.guest_email,
            seats=row.seats,
            share_minor=int(row.share),
            voucher_minor=money.by_voucher.get(row.order_id, 0),
            payment_mode=row.payment_mode,
            is_paid=row.is_paid,
            starts=sorted(row.starts),
            is_with_the_bank=row.is_with_the_bank,
        )
        for row in found
    ]


async def _subject(uow: UnitOfWork, cancellation: Cancellation) -> tuple[str, str]:
    """The subject's name and its page below the business's."""
    subject_id = cancellation.subject_id
    if cancellation.scope in ("session", "seats"):
        named = await uow.session.execute(_session_name(uow.tenant, subject_id))
        return _joined(named.one()), f"sessions/{subject_id}"
    if cancellation.scope == "series":
        named = await uow.session.execute(_series_name(uow.tenant, subject_id))
        return _joined(named.one()), f"series/{subject_id}"
    if cancellation.scope == "dates":
        return await _dates_name(uow, cancellation)
    named = await uow.session.execute(_purchase_name(uow.tenant, subject_id))
    return _joined(named.one()), f"bookings/{subject_id}"


async def _dates_name(uow: UnitOfWork, cancellation: Cancellation) -> tuple[str, str]:
    """What the chosen dates are of, how many they are, and the page that lists them."""
    found = await uow.session.execute(
        _joined_dates(select(Service.name, Series.title, Session.series_id), uow.tenant)
        .where(Session.id.in_(cancellation.session_ids))
        .distinct()
        .order_by(Service.name, Series.title)
    )
    rows = found.all()
    names = ", ".join(_joined([row.name, row.title]) for row in rows)
    count = len(cancellation.session_ids)
    what = ngettext("%(names)s: %(num)s date", "%(names)s: %(num)s dates", count, names=names)
    series = {row.series_id for row in rows}
    is_of_one = len(series) == 1 and None not in series
    return what, f"series/{series.pop()}" if is_of_one else "sessions"


def _session_name(tenant_id: UUID, session_id: UUID) -> Select[Any]:
    return (
        select(Service.name, Session.title)
        .join(
            Session, (Session.tenant_id == Service.tenant_id) & (Session.service_id == Service.id)
        )
        .where(Session.tenant_id == tenant_id, Session.id == session_id)
    )


def _series_name(tenant_id: UUID, series_id: UUID) -> Select[Any]:
    return (
        select(Service.name, Series.title)
        .join(Series, (Series.tenant_id == Service.tenant_id) & (Series.service_id == Service.id))
        .where(Series.tenant_id == tenant_id, Series.id == series_id)
    )


def _purchase_name(tenant_id: UUID, booking_id: UUID) -> Select[Any]:
    return (
        select(Order.guest_name, Service.name, Series.title)
        .select_from(Booking)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .where(Booking.tenant_id == tenant_id, Booking.id == booking_id)
    )


def _joined(parts: Iterable[str | None]) -> str:
    return " · ".join(part for part in parts if part)
