"""Sessions as their business sees them.

`led_by` narrows everything to the sessions of one member: an instructor sees only their own, and
another's is as absent as another business's.
"""

from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row, Select, any_, func, select

from src.booking.domain.kinds import SessionState
from src.booking.domain.minimum import ASK_AHEAD, decide_at
from src.booking.domain.session_rules import LONGEST_SESSION
from src.booking.models import Cancellation, Series, Service, Session
from src.booking.queries.on_offer import people_in, places_on_offer, with_offers
from src.booking.queries.slot_guests import guest_of_slot
from src.booking.queries.standing import standing_in, unpaid_in
from src.booking.queries.undecided import is_undecided
from src.booking.views.calendar import CalendarFilter
from src.booking.views.sessions import (
    Minimum,
    MonthOfSessions,
    SessionDetail,
    SessionListRow,
    SessionPage,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.localtime import month_key
from src.tenants.models import Location, Performer

PAGE_SIZE = 60

COLUMNS = (
    Session.id,
    Session.service_id,
    Service.name.label("service_name"),
    Session.title,
    Session.starts_at,
    Session.ends_at,
    Session.capacity,
    people_in().label("taken"),
    places_on_offer().label("on_offer"),
    Session.state,
    Session.mode,
    Performer.name.label("performer"),
    Location.name.label("place"),
    Session.series_id,
    Series.title.label("series_title"),
    Session.is_slot.label("is_appointment"),
    guest_of_slot().label("guest"),
)


async def list_sessions(
    uow: UnitOfWork,
    zone: ZoneInfo,
    now: datetime,
    *,
    past: bool = False,
    page: int = 1,
    service_id: UUID | None = None,
    led_by: UUID | None = None,
) -> SessionPage:
    """Upcoming ones with the next first, or past ones with the latest first."""
    of_those = _narrowed(joined_sessions(uow.tenant), service_id, led_by)
    order = (Session.starts_at.desc(), Session.id) if past else (Session.starts_at, Session.id)
    wanted = of_those.where(Session.starts_at < now if past else Session.starts_at >= now)
    found = await uow.session.execute(
        wanted.order_by(*order).limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE)
    )
    rows = [list_row(row) for row in found]
    upcoming, before = await _counts(uow, now, service_id, led_by)
    return SessionPage(
        months=_by_month(rows[:PAGE_SIZE], zone),
        upcoming=upcoming,
        past=before,
        number=page,
        has_more=len(rows) > PAGE_SIZE,
    )


async def list_next_sessions(
    uow: UnitOfWork, now: datetime, *, most: int, led_by: UUID | None = None
) -> list[SessionListRow]:
    """Those that run now or come next, cancelled ones left out."""
    statement = _narrowed(joined_sessions(uow.tenant), None, led_by).where(
        Session.ends_at > now,
        Session.state != "cancelled",
    )
    found = await uow.session.execute(statement.order_by(Session.starts_at, Session.id).limit(most))
    return [list_row(row) for row in found]


async def list_sessions_between(
    uow: UnitOfWork,
    starts_at: datetime,
    ends_at: datetime,
    wanted: CalendarFilter,
    *,
    most: int,
    led_by: UUID | None = None,
) -> list[SessionListRow]:
    """At most `most` sessions that run within the window, cancelled ones too, in order of time."""
    statement = _narrowed(joined_sessions(uow.tenant), wanted.service_id, led_by).where(
        # Of the two on the start the index makes a range; no session is longer.
        Session.starts_at > starts_at - LONGEST_SESSION,
        Session.starts_at < ends_at,
        Session.ends_at > starts_at,
    )
    if wanted.performer_id is not None:
        statement = statement.where(Session.performer_id == wanted.performer_id)
    if wanted.location_id is not None:
        statement = statement.where(Session.location_id == wanted.location_id)
    found = await uow.session.execute(statement.order_by(Session.starts_at, Session.id).limit(most))
    return [list_row(row) for row in found]


async def list_sessions_of_series(uow: UnitOfWork, series_id: UUID) -> list[SessionListRow]:
    """All dates of the series in order, cancelled ones too; its title is not in each row."""
    statement = joined_sessions(uow.tenant).where(Session.series_id == series_id)
    found = await uow.session.execute(statement.order_by(Session.starts_at, Session.id))
    return [msgspec.structs.replace(list_row(row), series_title=None) for row in found]


async def get_session_detail(
    uow: UnitOfWork, session_id: UUID, *, led_by: UUID | None = None
) -> SessionDetail:
    """Raises: NotFound, for another tenant's or another instructor's session too."""
    statement = (
        _narrowed(joined_sessions(uow.tenant), None, led_by)
        .add_columns(
            Session.meeting_url,
            Session.performer_id,
            Session.location_id,
            Session.min_seats,
            Session.decide_hours,
            Session.decided_at,
            is_undecided().label("is_undecided"),
            standing_in().label("standing"),
            unpaid_in().label("unpaid"),
            func.coalesce(Location.address, "").label("address"),
            Cancellation.id.label("cancellation_id"),
        )
        .outerjoin(
            Cancellation,
            (Cancellation.tenant_id == Session.tenant_id)
            & (
                (Cancellation.subject_id == Session.id)
                | (Session.id == any_(Cancellation.session_ids))
            )
            & (Cancellation.scope != "seats")
            & Cancellation.state.in_(["waiting", "running"]),
        )
        .where(Session.id == session_id)
    )
    row = (await uow.session.execute(statement)).first()
    if row is None:
        raise NotFound(_("There is no such session."))
    return SessionDetail(
        **_facts(row),
        meeting_url=row.meeting_url,
        address=row.address,
        performer_id=row.performer_id,
        location_id=row.location_id,
        waiting_cancellation=row.cancellation_id,
        minimum=_minimum(row, uow.clock.now()),
    )


def _minimum(row: Row[Any], now: datetime) -> Minimum:
    least, hours = row.min_seats, row.decide_hours
    at = None if hours is None else decide_at(row.starts_at, hours)
    is_open = row.is_undecided and row.state == "scheduled"
    return Minimum(
        min_seats=least,
        decide_hours=hours,
        decide_at=at,
        is_answered=row.decided_at is not None,
        is_open=is_open,
        is_missed=at is not None
        and is_open
        and row.starts_at > now >= at - ASK_AHEAD
        and row.standing < least,
        standing=row.standing,
        unpaid=row.unpaid,
    )


def list_row(row: Row[Any]) -> SessionListRow:
    return SessionListRow(**_facts(row))


def _facts(row: Row[Any]) -> dict[str, Any]:
    names = ("id", "service_id", "service_name", "title", "starts_at", "ends_at", "capacity")
    more = ("state", "mode", "performer", "place", "series_id", "series_title")
    of_slots = ("is_appointment", "guest")
    counts = ("taken", "on_offer")
    return {name: getattr(row, name) for name in (*names, *counts, *more, *of_slots)}


def joined_sessions(tenant_id: UUID) -> Select[Any]:
    """The sessions of a business with `COLUMNS`, not narrowed nor in any order; the times of
    appointments that nobody has any more are none.
    """
    tenant = Session.tenant_id
    return (
        with_offers(select(*COLUMNS))
        .join(Service, (Service.tenant_id == tenant) & (Service.id == Session.service_id))
        .outerjoin(Series, (Series.tenant_id == tenant) & (Series.id == Session.series_id))
        .outerjoin(
            Performer, (Performer.tenant_id == tenant) & (Performer.id == Session.performer_id)
        )
        .outerjoin(Location, (Location.tenant_id == tenant) & (Location.id == Session.location_id))
        .where(tenant == tenant_id, Session.state != str(SessionState.VACATED))
    )


def _narrowed(statement: Select[Any], service_id: UUID | None, led_by: UUID | None) -> Select[Any]:
    if service_id is not None:
        statement = statement.where(Session.service_id == service_id)
    if led_by is not None:
        statement = statement.where(Performer.user_id == led_by)
    return statement


async def _counts(
    uow: UnitOfWork, now: datetime, service_id: UUID | None, led_by: UUID | None
) -> tuple[int, int]:
    statement = (
        select(
            func.count().filter(Session.starts_at >= now, Session.state != "cancelled"),
            func.count().filter(Session.starts_at < now),
        )
        .select_from(Session)
        .where(Session.state != str(SessionState.VACATED))
        .outerjoin(
            Performer,
            (Performer.tenant_id == Session.tenant_id) & (Performer.id == Session.performer_id),
        )
        .where(Session.tenant_id == uow.tenant)
    )
    row = (await uow.session.execute(_narrowed(statement, service_id, led_by))).one()
    return row[0], row[1]


def _by_month(rows: list[SessionListRow], zone: ZoneInfo) -> list[MonthOfSessions]:
    months = groupby(rows, key=lambda row: month_key(row.starts_at, zone))
    return [
        MonthOfSessions(starts_at=(own := list(group))[0].starts_at, rows=own)
        for _month, group in months
    ]
