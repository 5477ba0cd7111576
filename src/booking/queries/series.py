"""Series as their owner sees them: lists, one series with its dates, dates to choose from."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, exists, false, func, or_, select

from src.billing.income import to_send_back_minor
from src.billing.models import Order
from src.billing.owed import owed_minor
from src.billing.queries.disputes import taken_back_minor
from src.booking.domain.drop_in import price_of_date
from src.booking.domain.kinds import SalesMode, SeriesPriceType, SessionState
from src.booking.domain.price_tiers import read_tiers
from src.booking.domain.pricing import seats_to_sell
from src.booking.domain.staff_rules import terms_for_staff
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.drop_in import rules_kept
from src.booking.queries.offer_facts import series_session, series_terms
from src.booking.queries.offers import get_series_offer
from src.booking.queries.purchases import (
    is_cancelled,
    is_cut_short,
    is_in_checkout,
    is_sold,
    is_whole,
)
from src.booking.queries.sessions import list_sessions_of_series
from src.booking.queries.tiers import single_tiers
from src.booking.views.series import (
    Rhythm,
    SeriesHead,
    SeriesOverview,
    SeriesRow,
    SessionChoice,
)
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local

LIVE = [str(state) for state in LIVE_SEATS]
MOST_CHOICES = 500


async def list_series(
    uow: UnitOfWork, now: datetime, service_id: UUID | None = None
) -> list[SeriesRow]:
    """Those on sale first, then by their first date; all services unless one is named."""
    found = await uow.session.execute(_listed(uow.tenant, now, service_id))
    return [_row(row) for row in found]


async def get_series_overview(uow: UnitOfWork, series_id: UUID, now: datetime) -> SeriesOverview:
    """Raises: NotFound, for another tenant's series too."""
    offer = await get_series_offer(uow, series_id)
    series, service = offer.series, offer.service
    # Staff sell it up to the start.
    terms = terms_for_staff(series_terms(series, service))
    to_sell = seats_to_sell(terms, [series_session(one) for one in offer.sessions], now)
    rules, service_type = rules_kept(series), SeriesPriceType(service.price_type)
    head = SeriesHead(
        id=series.id,
        title=series.title,
        description=series.description,
        service_id=service.id,
        service_name=service.name,
        service_slug=service.slug,
        price_type=series.price_type,
        price_minor=series.price_minor,
        tiers=read_tiers(series.price_tiers),
        is_sold_singly=bool(rules.allowed) and service.sales_mode != SalesMode.SERIES,
        single=rules,
        single_minor=price_of_date(rules, service_type, service.price_minor),
        single_tiers=single_tiers(service, rules),
        join_policy=series.join_policy,
        join_until_on=series.join_until_on,
        visibility=series.visibility,
        is_active=series.active,
        is_published=series.published_at is not None,
        base_sessions=_base_now(series, offer.sessions),
        seats_left=None if to_sell is None else to_sell.left,
        full_dates=[
            one.starts_at
            for one in offer.sessions
            if to_sell is not None and one.id in to_sell.full
        ],
        **await _sold(uow, series_id, now),
    )
    return SeriesOverview(
        head=head,
        runs=await list_sessions_of_series(uow, series_id),
        late_dates=sum(not session.in_term for session in offer.sessions),
    )


def _base_now(series: Series, sessions: Sequence[Session]) -> int | None:
    """As `domain/pricing.py` has it: a cancelled date of the term is none that prices count."""
    if series.base_sessions is None:
        return None
    held = sum(one.in_term for one in sessions if one.state == SessionState.SCHEDULED)
    return min(series.base_sessions, held)


async def list_rhythms(
    uow: UnitOfWork, service_id: UUID, series_id: UUID | None, zone: ZoneInfo, now: datetime
) -> list[Rhythm]:
    """The dates a series can have, those of one weekday and time together, in order of time.

    They are the upcoming ones in no series, and all that this series has already, which come
    first where there are too many to show.
    """
    own = Session.series_id == series_id
    free = (
        Session.series_id.is_(None)
        & (Session.starts_at > now)
        & (Session.state == str(SessionState.SCHEDULED))
    )
    found = await uow.session.execute(
        select(Session, _is_sold(series_id).label("is_sold"))
        .where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            or_(free, own) if series_id is not None else free,
        )
        .order_by(Session.series_id.is_(None), Session.starts_at, Session.id)
        .limit(MOST_CHOICES)
    )
    choices = sorted((_choice(row) for row in found), key=lambda choice: choice.starts_at)
    return _by_rhythm(choices, zone)


def rhythm_key(at: datetime, zone: ZoneInfo) -> str:
    """Weekday and time on the clock of the business, e.g. "1-18:00" for Tuesdays at six."""
    local = to_local(at, zone)
    return f"{local.weekday()}-{local:%H:%M}"


def _by_rhythm(choices: Sequence[SessionChoice], zone: ZoneInfo) -> list[Rhythm]:
    groups: dict[str, list[SessionChoice]] = defaultdict(list)
    for choice in choices:
        groups[rhythm_key(choice.starts_at, zone)].append(choice)
    return [Rhythm(key=key, choices=group) for key, group in groups.items()]


def _choice(row: Row[Any]) -> SessionChoice:
    session: Session = row.Session
    return SessionChoice(
        id=session.id,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        title=session.title,
        is_sold=row.is_sold,
        is_off=session.state != SessionState.SCHEDULED,
    )


def _is_sold(series_id: UUID | None) -> Any:
    """Whether the session has live seats that were bought with the series. One that is not there
    yet has sold nothing: what was booked singly belongs to no series, and keeps no date in one.
    """
    if series_id is None:
        return false()
    return exists().where(
        Seat.tenant_id == Session.tenant_id,
        Seat.session_id == Session.id,
        Seat.state.in_(LIVE),
        Booking.tenant_id == Seat.tenant_id,
        Booking.id == Seat.booking_id,
        Booking.series_id == series_id,
    )


def _listed(tenant_id: UUID, now: datetime, service_id: UUID | None) -> Select[Any]:
    takes_place = Session.state == str(SessionState.SCHEDULED)
    dates = (
        select(
            Session.series_id,
            func.count().label("dates"),
            func.count().filter(Session.starts_at > now).label("upcoming"),
            func.min(Session.starts_at).label("first_at"),
            func.max(Session.starts_at).label("last_at"),
        )
        .where(Session.tenant_id == tenant_id, Session.series_id.is_not(None), takes_place)
        .group_by(Session.series_id)
        .subquery()
    )
    sold = (
        select(func.count(Booking.id))
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(Booking.tenant_id == tenant_id, Booking.series_id == Series.id)
        .where(is_sold(), is_whole())
        .scalar_subquery()
    )
    statement = (
        select(Series, Service.name, dates, sold.label("sold"))
        .join(Service, (Service.tenant_id == Series.tenant_id) & (Service.id == Series.service_id))
        .outerjoin(dates, dates.c.series_id == Series.id)
        .where(Series.tenant_id == tenant_id)
        .order_by(Series.active.desc(), dates.c.first_at.nulls_last(), Series.title, Series.id)
    )
    return statement.where(Series.service_id == service_id) if service_id else statement


def _row(row: Row[Any]) -> SeriesRow:
    series: Series = row.Series
    return SeriesRow(
        id=series.id,
        title=series.title,
        service_id=series.service_id,
        service_name=row.name,
        price_type=series.price_type,
        price_minor=series.price_minor,
        visibility=series.visibility,
        is_active=series.active,
        is_published=series.published_at is not None,
        dates=row.dates or 0,
        upcoming=row.upcoming or 0,
        first_at=row.first_at,
        last_at=row.last_at,
        sold=row.sold,
    )


async def _sold(uow: UnitOfWork, series_id: UUID, now: datetime) -> dict[str, int]:
    """All purchases by what became of them, their money less what went back or banks took. What
    completes one is money of the series, and no purchase more.
    """
    row = (
        await uow.session.execute(
            select(
                func.count().filter(is_sold(), is_whole()).label("sold"),
                func.count().filter(is_in_checkout(), is_whole()).label("in_checkout"),
                func.count().filter(is_cancelled(), is_whole()).label("cancelled"),
                func.count().filter(is_cut_short(now), is_whole()).label("cut_short"),
                func.coalesce(
                    func.sum(
                        Order.paid_minor
                        - to_send_back_minor()
                        - Order.refunded_minor
                        - taken_back_minor()
                    ),
                    0,
                ).label("paid"),
                func.coalesce(func.sum(owed_minor()), 0).label("owed"),
            )
            .select_from(Booking)
            .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
            .where(Booking.tenant_id == uow.tenant, Booking.series_id == series_id)
        )
    ).one()
    return {
        "sold": row.sold,
        "in_checkout": row.in_checkout,
        "cancelled": row.cancelled,
        "cut_short": row.cut_short,
        "paid_minor": int(row.paid),
        "owed_minor": int(row.owed),
    }
