"""The dates that a guest has places on, for their own plan."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select

from src.booking.domain.kinds import SessionMode
from src.booking.domain.moves import place_line
from src.booking.guest_links import booking_path
from src.booking.models import Session
from src.booking.queries.own_dates import Comers, list_who_comes, own_dates
from src.booking.said import in_party, party_words
from src.booking.views.planning import PlannedDate
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.portal_sections import Portal

MOST_DATES = 500


async def list_planned(
    uow: UnitOfWork, portal: Portal, from_at: datetime, until_at: datetime
) -> list[PlannedDate]:
    """All that begin in between and are not cancelled, in order of time; one that a booking has
    several places on is there once.
    """
    chosen = own_dates(uow, portal.guest.customer_id).where(
        Session.starts_at >= from_at, Session.starts_at < until_at
    )
    return await _read(uow, portal, chosen.limit(MOST_DATES))


async def find_next_planned(
    uow: UnitOfWork, portal: Portal, from_at: datetime
) -> PlannedDate | None:
    """The first that begins then or later."""
    chosen = own_dates(uow, portal.guest.customer_id).where(Session.starts_at >= from_at)
    return next(iter(await _read(uow, portal, chosen.limit(1))), None)


async def _read(uow: UnitOfWork, portal: Portal, chosen: Select[Any]) -> list[PlannedDate]:
    rows = (await uow.session.execute(chosen)).all()
    who = await list_who_comes(uow, [row.Booking.id for row in rows])
    now = uow.clock.now()
    return [_planned(portal, row, who, now) for row in rows]


def _planned(portal: Portal, row: Row[Any], comers: Comers, now: datetime) -> PlannedDate:
    session: Session = row.Session
    people = list(in_party(comers.get((row.Booking.id, session.id), [])).values())
    online = _("Online") if session.mode == SessionMode.ONLINE else ""
    return PlannedDate(
        href=booking_path(portal.settings, portal.tenant.slug, row.Order),
        what=" · ".join(filter(None, (row.service, row.series))),
        title=session.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        where=place_line(row.location, row.address) or online,
        performer=row.performer or "",
        who=party_words(people, row.Order.guest_name),
        is_over=session.ends_at <= now,
    )
