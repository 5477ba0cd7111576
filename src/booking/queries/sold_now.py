"""What orders are for by now: dates may have moved since, and guests to other dates."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, select

from src.booking.domain.kinds import SeatState
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.date_moves import start_last_held
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext, use_locale
from src.platform.web.formats import date_short, datetime_local
from src.tenants.context import TenantSnapshot

_IS_OF_DATES = Booking.series_id.is_(None) | Booking.completes_id.is_not(None)


async def list_dates_sold_now(
    uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
) -> Mapping[UUID, Sequence[str]]:
    """Of orders for single dates, those that their live seats are in or, where none is left, those
    that their seats were in when they ended. Where some of a date's places are left, each says how
    many of them. Orders for a series are left out: it has no date.

    In one query, and in the locale and zone of the business, as orders are written.
    """
    found = await uow.session.execute(_seats(uow, order_ids).where(_IS_OF_DATES))
    with use_locale(tenant.locale):
        return {
            order_id: _things(list(seats), tenant.zone, _with_places)
            for order_id, seats in groupby(found, key=lambda row: row.order_id)
        }


async def list_dates_sold_by_tier(
    uow: UnitOfWork, order_id: UUID, tenant: TenantSnapshot
) -> Mapping[str, Sequence[str]]:
    """The same of one order, by what the price was called; of a kind of price that has no place
    left, where others have some, that none of them is.
    """
    found = (await uow.session.execute(_seats(uow, [order_id]).where(_IS_OF_DATES))).all()
    is_left = any(row.state in LIVE_SEATS for row in found)
    by_tier: dict[str, list[Row[Any]]] = {}
    for row in found:
        by_tier.setdefault(row.tier, []).append(row)
    with use_locale(tenant.locale):
        return {
            tier: _things(seats, tenant.zone, _with_places, is_left=is_left)
            for tier, seats in by_tier.items()
        }


async def list_sold_to_guest(uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Sequence[str]:
    """The same of one order, a course by its name, in the current language."""
    found = await uow.session.execute(_seats(uow, [order_id]))
    return _things(found.all(), zone)


def _seats(uow: UnitOfWork, order_ids: Collection[UUID]) -> Select[Any]:
    return (
        select(Seat.order_id, Seat.state, Seat.session_id, Seat.tier)
        .add_columns(Booking.series_id, Booking.completes_id)
        .add_columns(Service.name, Session.title, start_last_held().label("starts_at"))
        .add_columns(Series.title.label("series"))
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id.in_(order_ids),
            # What took its place says it.
            Seat.state != str(SeatState.SWAPPED),
        )
        .order_by(Seat.order_id, Session.starts_at, Seat.session_id, Seat.id)
    )


def _things(
    seats: Sequence[Row[Any]],
    zone: ZoneInfo,
    said: Callable[[str, int, int], str] = lambda thing, _left, _all: thing,
    *,
    is_left: bool = False,
) -> list[str]:
    """Each thing once, as `said` with how many places are left of all that were sold of it. Where
    some of the order `is_left`, but none of these, each is said with none.
    """
    live = Counter(_thing(row, zone) for row in seats if row.state in LIVE_SEATS)
    sold = Counter(_thing(row, zone) for row in seats)
    if is_left and not live:
        return [said(thing, 0, places) for thing, places in sold.items()]
    return [said(thing, places, sold[thing]) for thing, places in (live or sold).items()]


def _with_places(thing: str, left: int, places: int) -> str:
    if left == places:
        return thing
    some = ngettext("%(left)s of %(num)s place", "%(left)s of %(num)s places", places, left=left)
    return f"{thing} · {some}"


def _thing(row: Row[Any], zone: ZoneInfo) -> str:
    parts = [row.name, row.series]
    if row.completes_id is not None:
        parts.append(row.title or date_short(row.starts_at, zone))
    elif row.series_id is None:
        parts += [row.title, datetime_local(row.starts_at, zone)]
    return " · ".join(filter(None, parts))
