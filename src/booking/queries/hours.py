"""Somebody's hours as they are changed, and what is booked outside them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, exists, func, select

from src.booking.domain.free_times import Availability, Hours, is_within, open_stretches
from src.booking.domain.kinds import SessionState
from src.booking.models import (
    ClosedDay,
    DayHours,
    Service,
    ServicePerformer,
    Session,
    WeeklyHours,
)
from src.booking.queries.free_times import availability_of
from src.booking.queries.slot_guests import guest_of_slot
from src.booking.views.hours import BookedTime, ClosedDayRow, OtherDay
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot
from src.tenants.models import Performer

A_DAY = timedelta(days=1)
MOST_OTHER_DAYS = 400
MOST_BOOKED = 500
"""Of what somebody has ahead, the soonest; far more than a person can give in a season."""


async def get_own_performer(
    uow: UnitOfWork, performer_id: UUID, *, led_by: UUID | None
) -> Performer:
    """Raises: NotFound, for somebody else's hours too where a member sees only their own."""
    found = await uow.session.get(Performer, (uow.tenant, performer_id))
    if found is None or led_by not in (None, found.user_id):
        raise NotFound(_("There is no such performer."))
    return found


async def find_performer_of(uow: UnitOfWork, user_id: UUID) -> UUID | None:
    """The performer that this member is."""
    found: UUID | None = await uow.session.scalar(
        select(Performer.id)
        .where(Performer.tenant_id == uow.tenant, Performer.user_id == user_id)
        .order_by(Performer.active.desc(), Performer.created_at)
        .limit(1)
    )
    return found


async def get_week(uow: UnitOfWork, performer_id: UUID) -> dict[int, list[Hours]]:
    """All seven days, Monday is 0, each in order of time."""
    found = await uow.session.execute(
        select(WeeklyHours.weekday, WeeklyHours.starts_minute, WeeklyHours.ends_minute)
        .where(WeeklyHours.tenant_id == uow.tenant, WeeklyHours.performer_id == performer_id)
        .order_by(WeeklyHours.weekday, WeeklyHours.starts_minute)
    )
    week: dict[int, list[Hours]] = {weekday: [] for weekday in range(7)}
    for row in found:
        week[row.weekday].append(Hours(row.starts_minute, row.ends_minute))
    return week


async def have_hours(uow: UnitOfWork, performer_ids: Collection[UUID], from_on: date) -> bool:
    """Whether any of them has hours in the week, or on a day from that one on."""
    ids = list(performer_ids)
    weekly = exists().where(WeeklyHours.tenant_id == uow.tenant, WeeklyHours.performer_id.in_(ids))
    of_days = exists().where(
        DayHours.tenant_id == uow.tenant,
        DayHours.performer_id.in_(ids),
        DayHours.on_date >= from_on,
        DayHours.starts_minute.is_not(None),
    )
    return bool(await uow.session.scalar(select(weekly | of_days)))


async def list_other_days(uow: UnitOfWork, performer_id: UUID, from_on: date) -> list[OtherDay]:
    """Those from that day on, in order."""
    found = await uow.session.scalars(
        select(DayHours)
        .where(
            DayHours.tenant_id == uow.tenant,
            DayHours.performer_id == performer_id,
            DayHours.on_date >= from_on,
        )
        .order_by(DayHours.on_date, DayHours.starts_minute)
        .limit(MOST_OTHER_DAYS)
    )
    return [_other_day(on, list(rows)) for on, rows in groupby(found, lambda row: row.on_date)]


def _other_day(on: date, rows: Sequence[DayHours]) -> OtherDay:
    hours = [
        f"{clock(row.starts_minute)}-{clock(row.ends_minute)}"
        for row in rows
        if row.starts_minute is not None and row.ends_minute is not None
    ]
    return OtherDay(on_date=on, hours=hours, note=rows[0].note)


def clock(minute: int) -> str:
    """The time of day, "24:00" for its end."""
    return f"{minute // 60:02}:{minute % 60:02}"


async def list_closed_days(uow: UnitOfWork, from_on: date) -> list[ClosedDayRow]:
    found = await uow.session.execute(
        select(ClosedDay.on_date, ClosedDay.name)
        .where(ClosedDay.tenant_id == uow.tenant, ClosedDay.on_date >= from_on)
        .order_by(ClosedDay.on_date)
    )
    return [ClosedDayRow(on_date=row.on_date, name=row.name) for row in found]


async def find_outside(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    performer_id: UUID,
    now: datetime,
    *,
    week: Mapping[int, Sequence[Hours]] | None = None,
    days: Mapping[date, Sequence[Hours]] | None = None,
) -> list[BookedTime]:
    """The appointments ahead that lie outside the performer's hours, or outside what the hours
    would be with this `week`, or with these on single `days`.
    """
    rows = await _booked(uow, now, Session.performer_id == performer_id, Session.is_slot.is_(True))
    if not rows:
        return []
    first = to_local(now, tenant.zone).date() - A_DAY
    last = to_local(rows[-1].ends_at, tenant.zone).date() + A_DAY
    available = (await availability_of(uow, [performer_id], first, last))[performer_id]
    wanted = replace(
        available,
        weekly=available.weekly if week is None else week,
        exceptions={**available.exceptions, **(days or {})},
    )
    stretches = open_stretches(wanted, tenant.zone, first, last)
    return [_shown(row) for row in rows if not is_within(stretches, row.starts_at, row.ends_at)]


async def find_on_closed(
    uow: UnitOfWork, tenant: TenantSnapshot, days: Collection[date], now: datetime
) -> list[BookedTime]:
    """The appointments ahead on those days that nobody would be there for, were they closed."""
    rows = [
        row
        for row in await _booked(uow, now, Session.is_slot.is_(True))
        if to_local(row.starts_at, tenant.zone).date() in days
    ]
    if not rows:
        return []
    performer_ids = {row.performer_id for row in rows if row.performer_id is not None}
    first, last = min(days) - A_DAY, max(days) + A_DAY
    available = await availability_of(uow, performer_ids, first, last)
    shut = frozenset(days)
    outside: list[BookedTime] = []
    for row in rows:
        of_whom = available.get(row.performer_id, Availability({}))
        closed = replace(of_whom, closed=frozenset(of_whom.closed) | shut)
        stretches = open_stretches(closed, tenant.zone, first, last)
        if not is_within(stretches, row.starts_at, row.ends_at):
            outside.append(_shown(row))
    return outside


async def list_booked_of(
    uow: UnitOfWork, performer_id: UUID, now: datetime, *, service_id: UUID | None = None
) -> list[BookedTime]:
    """What the performer has ahead: appointments, and sessions whether booked or not; or only the
    appointments of one service.
    """
    which = [Session.performer_id == performer_id]
    if service_id is not None:
        which += [Session.service_id == service_id, Session.is_slot.is_(True)]
    return [_shown(row) for row in await _booked(uow, now, *which)]


async def list_given_by(uow: UnitOfWork, performer_id: UUID) -> dict[UUID, tuple[str, bool]]:
    """The services that the performer gives by appointment, by name, and whether anybody else who
    is not put aside gives them too.
    """
    others = (
        select(ServicePerformer.service_id)
        .join(
            Performer,
            (Performer.tenant_id == ServicePerformer.tenant_id)
            & (Performer.id == ServicePerformer.performer_id),
        )
        .where(
            ServicePerformer.tenant_id == uow.tenant,
            ServicePerformer.performer_id != performer_id,
            Performer.active,
        )
    )
    found = await uow.session.execute(
        select(Service.id, Service.name, Service.id.in_(others).label("has_others"))
        .join(
            ServicePerformer,
            (ServicePerformer.tenant_id == Service.tenant_id)
            & (ServicePerformer.service_id == Service.id),
        )
        .where(Service.tenant_id == uow.tenant, ServicePerformer.performer_id == performer_id)
        .order_by(Service.name)
    )
    return {row.id: (row.name, row.has_others) for row in found}


async def _booked(
    uow: UnitOfWork, now: datetime, *which: ColumnElement[bool]
) -> Sequence[Row[Any]]:
    found = await uow.session.execute(_ahead(uow.tenant, now).where(*which).limit(MOST_BOOKED))
    return found.all()


def _ahead(tenant_id: UUID, now: datetime) -> Select[Any]:
    return (
        select(
            Session.id,
            Session.starts_at,
            Session.ends_at,
            Session.performer_id,
            Session.is_slot,
            Service.name.label("service_name"),
            func.coalesce(Performer.name, "").label("performer"),
            guest_of_slot().label("guests"),
        )
        .join(Service, (Service.tenant_id == tenant_id) & (Service.id == Session.service_id))
        .outerjoin(
            Performer, (Performer.tenant_id == tenant_id) & (Performer.id == Session.performer_id)
        )
        .where(
            Session.tenant_id == tenant_id,
            Session.starts_at >= now,
            Session.state == str(SessionState.SCHEDULED),
        )
        .order_by(Session.starts_at, Session.id)
    )


def _shown(row: Row[Any]) -> BookedTime:
    return BookedTime(
        session_id=row.id,
        starts_at=row.starts_at,
        service_name=row.service_name,
        performer=row.performer,
        guests=row.guests,
        is_appointment=row.is_slot,
    )
