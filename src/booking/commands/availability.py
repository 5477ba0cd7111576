"""When performers can be booked: their week, days with other hours, and closed days.

What is booked already stays booked, whatever the hours become; the page shows it first.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import delete, select

from src.booking.domain.free_times import Hours
from src.booking.domain.hours_rules import day_errors, week_errors
from src.booking.models import ClosedDay, DayHours, WeeklyHours
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.models import Performer


class SetWeek(msgspec.Struct, frozen=True, kw_only=True):
    """A performer's week, by weekday, Monday is 0; a weekday that is not there is free."""

    performer_id: UUID
    week: Mapping[int, Sequence[Hours]]


class SetDay(msgspec.Struct, frozen=True, kw_only=True):
    """Other hours on the days from `on_date` up to `until_on`, which is one of them; none: days
    off.
    """

    performer_id: UUID
    on_date: date
    until_on: date | None = None
    hours: tuple[Hours, ...] = ()
    note: str = ""


async def set_week(uow: UnitOfWork, ctx: RequestContext, cmd: SetWeek) -> None:
    """Raises: NotFound; InvalidInput with a field for each weekday, "day_0"."""
    performer = await _lock_performer(uow, cmd.performer_id)
    fields = week_errors(cmd.week)
    if fields:
        raise InvalidInput(_("The hours cannot be saved like this."), fields=fields)
    await uow.session.execute(
        delete(WeeklyHours).where(
            WeeklyHours.tenant_id == uow.tenant, WeeklyHours.performer_id == performer.id
        )
    )
    for weekday, hours in cmd.week.items():
        for one in hours:
            uow.session.add(
                WeeklyHours(
                    tenant_id=uow.tenant,
                    id=new_id(),
                    performer_id=performer.id,
                    weekday=weekday,
                    starts_minute=one.starts_minute,
                    ends_minute=one.ends_minute,
                )
            )
    await audit(uow, ctx, "hours.set", "performer", performer.id, name=performer.name)
    await uow.session.flush()


async def set_day(uow: UnitOfWork, ctx: RequestContext, cmd: SetDay) -> None:
    """Stands in for whatever held on those days. Raises: NotFound, InvalidInput."""
    performer = await _lock_performer(uow, cmd.performer_id)
    until_on = cmd.until_on or cmd.on_date
    fields = day_errors(cmd.on_date, until_on, cmd.hours)
    if fields:
        raise InvalidInput(_("The hours cannot be saved like this."), fields=fields)
    await _clear(uow, performer.id, cmd.on_date, until_on)
    days = (until_on - cmd.on_date).days + 1
    for on in (date.fromordinal(cmd.on_date.toordinal() + day) for day in range(days)):
        for hours in cmd.hours or (None,):
            uow.session.add(
                DayHours(
                    tenant_id=uow.tenant,
                    id=new_id(),
                    performer_id=performer.id,
                    on_date=on,
                    starts_minute=hours.starts_minute if hours else None,
                    ends_minute=hours.ends_minute if hours else None,
                    note=" ".join(cmd.note.split()),
                )
            )
    said = {"name": performer.name, "on": cmd.on_date.isoformat(), "until": until_on.isoformat()}
    await audit(uow, ctx, "hours.day_set", "performer", performer.id, **said)
    await uow.session.flush()


async def clear_day(
    uow: UnitOfWork, ctx: RequestContext, performer_id: UUID, on_date: date
) -> None:
    """The week's hours hold again on that day. Raises: NotFound."""
    performer = await _lock_performer(uow, performer_id)
    await _clear(uow, performer.id, on_date, on_date)
    said = {"name": performer.name, "on": on_date.isoformat()}
    await audit(uow, ctx, "hours.day_cleared", "performer", performer.id, **said)
    await uow.session.flush()


async def close_days(uow: UnitOfWork, ctx: RequestContext, days: Mapping[date, str]) -> int:
    """Closes the business on those days, each with its name; returns how many are new."""
    fields = {"name": _("Say why it is closed.")} if not all(days.values()) else {}
    if fields:
        raise InvalidInput(_("The days cannot be saved like this."), fields=fields)
    known = set(
        await uow.session.scalars(
            select(ClosedDay.on_date).where(
                ClosedDay.tenant_id == uow.tenant, ClosedDay.on_date.in_(list(days))
            )
        )
    )
    new = {on: name for on, name in days.items() if on not in known}
    for on, name in sorted(new.items()):
        uow.session.add(
            ClosedDay(
                tenant_id=uow.tenant,
                id=new_id(),
                on_date=on,
                name=" ".join(name.split()),
                created_at=uow.clock.now(),
            )
        )
        await audit(uow, ctx, "day.closed", "tenant", uow.tenant, on=on.isoformat(), name=name)
    await uow.session.flush()
    return len(new)


async def open_day(uow: UnitOfWork, ctx: RequestContext, on_date: date) -> None:
    """Raises: NotFound for a day that is not closed."""
    found = await uow.session.scalar(
        select(ClosedDay).where(ClosedDay.tenant_id == uow.tenant, ClosedDay.on_date == on_date)
    )
    if found is None:
        raise NotFound(_("This day is not closed."))
    await uow.session.delete(found)
    said = {"on": on_date.isoformat(), "name": found.name}
    await audit(uow, ctx, "day.opened", "tenant", uow.tenant, **said)
    await uow.session.flush()


async def _clear(uow: UnitOfWork, performer_id: UUID, from_on: date, until_on: date) -> None:
    await uow.session.execute(
        delete(DayHours).where(
            DayHours.tenant_id == uow.tenant,
            DayHours.performer_id == performer_id,
            DayHours.on_date.between(from_on, until_on),
        )
    )


async def _lock_performer(uow: UnitOfWork, performer_id: UUID) -> Performer:
    """Whose hours two people change at once get those of the second, not of both."""
    key = (uow.tenant, performer_id)
    found = await uow.session.get(Performer, key, with_for_update={"key_share": True})
    if found is None:
        raise NotFound(_("There is no such person."))
    return found
