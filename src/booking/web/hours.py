"""/app/<slug>/settings/performers/<id>/hours: when somebody can be booked by appointment.

Members of any role change their own hours, managers everybody's.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.availability import SetDay, SetWeek, clear_day, set_day, set_week
from src.booking.domain.free_times import Hours
from src.booking.domain.hours_rules import day_errors
from src.booking.domain.seen import mark_of
from src.booking.queries.hours import (
    find_outside,
    find_performer_of,
    get_own_performer,
    get_week,
    list_other_days,
)
from src.booking.views.hours import BookedTime, OtherDay
from src.booking.web.hours_forms import (
    DaysForm,
    WeekForm,
    monday_for_others,
    read_hours,
    read_week,
    rows_shown,
    week_initial,
)
from src.booking.web.sessions import led_by
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_babel_locale, ngettext
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member
from src.tenants.web.settings_tabs import Tab, settings_path, settings_tabs

MAY_SEE = [requires_member(Role.INSTRUCTOR)]
ONE = "/app/{slug:str}/settings/performers/{performer_id:uuid}/hours"


class HoursView(msgspec.Struct, frozen=True, kw_only=True):
    """`to_read` is what would lie outside the hours that were typed, `outside` what does now.

    `sure` is the mark of `to_read`, of the week's form or, where `asks_days`, of the days' one.
    """

    tabs: list[Tab]
    name: str
    base: str
    app: str
    zone: str
    week: Any
    weekdays: list[tuple[int, str]]
    rows: list[int]
    days: Any
    day_rows: int
    other_days: list[OtherDay]
    outside: list[BookedTime]
    to_read: list[BookedTime]
    sure: str
    asks_days: bool
    is_own: bool


@get("/app/{slug:str}/hours", guards=MAY_SEE, include_in_schema=False)
async def show_own_hours(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """The hours of the performer that the member is; who is none is told so."""
    async with services.uow_factory(ctx.here.id) as uow:
        own = await find_performer_of(uow, ctx.actor.user_id) if ctx.actor.user_id else None
    if own is None and led_by(ctx) is None:
        return redirect(request, settings_path(ctx, "performers"))
    if own is None:
        said = _("You are no performer here yet, so you have no hours. A manager can make you one.")
        flash(request, "warning", said)
        return redirect(request, f"/app/{ctx.here.slug}/today")
    return redirect(request, settings_path(ctx, f"performers/{own}/hours"))


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_hours(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    performer_id: FromPath[UUID],
) -> Response[bytes]:
    return await _shown(request, services, ctx, performer_id)


@post(ONE, guards=MAY_SEE, status_code=200, include_in_schema=False)
async def save_week(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    performer_id: FromPath[UUID],
) -> Response[bytes]:
    """With `copy` nothing is saved: Monday's hours stand at the other workdays then."""
    raw = await read_form(request)
    if "copy" in raw.texts:
        copied = monday_for_others(Bound(None, raw))
        return await _shown(request, services, ctx, performer_id, week=copied)
    bound = bind(WeekForm, raw)
    form = bound.struct
    if form is None:
        return await _shown(request, services, ctx, performer_id, week=bound, status_code=422)
    try:
        week = read_week(form)
        cmd = SetWeek(performer_id=performer_id, week=week)
        async with services.uow_factory(ctx.here.id) as uow:
            await get_own_performer(uow, performer_id, led_by=led_by(ctx))
            to_read = await _newly_outside(uow, ctx, performer_id, week=week)
            if _has_read(to_read, form.sure):
                await set_week(uow, ctx, cmd)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _shown(request, services, ctx, performer_id, week=bound, status_code=422)
    if not _has_read(to_read, form.sure):
        return await _shown(request, services, ctx, performer_id, week=bound, to_read=to_read)
    flash(request, "success", _saved(to_read))
    return redirect(request, settings_path(ctx, f"performers/{performer_id}/hours"))


@post(ONE + "/days", guards=MAY_SEE, status_code=200, include_in_schema=False, shown_at=ONE)
async def save_days(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    performer_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(DaysForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _shown(request, services, ctx, performer_id, days=bound, status_code=422)
    try:
        cmd = _days_command(form, performer_id)
        async with services.uow_factory(ctx.here.id) as uow:
            await get_own_performer(uow, performer_id, led_by=led_by(ctx))
            on_days = dict.fromkeys(_days_of(cmd), cmd.hours)
            to_read = await _newly_outside(uow, ctx, performer_id, days=on_days)
            if _has_read(to_read, form.sure):
                await set_day(uow, ctx, cmd)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _shown(request, services, ctx, performer_id, days=bound, status_code=422)
    if not _has_read(to_read, form.sure):
        return await _shown(request, services, ctx, performer_id, days=bound, to_read=to_read)
    flash(request, "success", _saved(to_read))
    return redirect(request, settings_path(ctx, f"performers/{performer_id}/hours"))


class _DayForm(msgspec.Struct):
    on_date: date


@post(ONE + "/days/remove", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def remove_day(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    performer_id: FromPath[UUID],
) -> Response[bytes]:
    """The hours of the week hold again on that day; what lies outside them is on the page then."""
    form = bind(_DayForm, await read_form(request)).struct
    async with services.uow_factory(ctx.here.id) as uow:
        await get_own_performer(uow, performer_id, led_by=led_by(ctx))
        if form is not None:
            await clear_day(uow, ctx, performer_id, form.on_date)
    flash(request, "success", _("The hours of the week hold again on that day."))
    return redirect(request, settings_path(ctx, f"performers/{performer_id}/hours"))


def _days_command(form: DaysForm, performer_id: UUID) -> SetDay:
    """Raises: InvalidInput; a day neither off nor with hours is more likely forgotten than off."""
    fields: dict[str, str] = {}
    hours = () if form.off else read_hours(form.hours, "hours", fields)
    if not form.off and not hours and not fields:
        fields["hours"] = _("Say from when until when, or tick that it is a day off.")
    fields = day_errors(form.on_date, form.until_on or form.on_date, hours) | fields
    if fields:
        raise InvalidInput(next(iter(fields.values())), fields=fields)
    return SetDay(
        performer_id=performer_id,
        on_date=form.on_date,
        until_on=form.until_on,
        hours=hours,
        note=form.note,
    )


def _days_of(cmd: SetDay) -> list[date]:
    days = ((cmd.until_on or cmd.on_date) - cmd.on_date).days + 1
    return [cmd.on_date + timedelta(days=day) for day in range(days)]


async def _newly_outside(
    uow: UnitOfWork,
    ctx: RequestContext,
    performer_id: UUID,
    *,
    week: Mapping[int, Sequence[Hours]] | None = None,
    days: Mapping[date, Sequence[Hours]] | None = None,
) -> list[BookedTime]:
    """What lies within the hours that hold now, and would not any more."""
    now = uow.clock.now()
    before = {one.session_id for one in await find_outside(uow, ctx.here, performer_id, now)}
    after = await find_outside(uow, ctx.here, performer_id, now, week=week, days=days)
    return [one for one in after if one.session_id not in before]


def _mark(to_read: Sequence[BookedTime]) -> str:
    return mark_of([one.session_id for one in to_read])


def _has_read(to_read: Sequence[BookedTime], sure: str) -> bool:
    """Whether nothing is outside, or just what somebody has seen and said yes to."""
    return not to_read or sure == _mark(to_read)


def _saved(outside: Sequence[BookedTime]) -> str:
    if not outside:
        return _("The hours are saved.")
    return ngettext(
        "The hours are saved. %(num)s appointment lies outside them and stays as booked.",
        "The hours are saved. %(num)s appointments lie outside them and stay as booked.",
        len(outside),
    )


async def _shown(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    performer_id: UUID,
    *,
    week: Bound[WeekForm] | None = None,
    days: Bound[DaysForm] | None = None,
    to_read: Sequence[BookedTime] = (),
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        now = uow.clock.now()
        today = to_local(now, ctx.here.zone).date()
        performer = await get_own_performer(uow, performer_id, led_by=led_by(ctx))
        form = week or blank(WeekForm, week_initial(await get_week(uow, performer_id)))
        names = current_babel_locale().days["stand-alone"]["wide"]
        view = HoursView(
            tabs=[] if led_by(ctx) else settings_tabs(ctx, "performers"),
            name=performer.name,
            base=settings_path(ctx, f"performers/{performer_id}"),
            app=f"/app/{ctx.here.slug}",
            zone=ctx.here.timezone,
            week=form,
            weekdays=[(weekday, names[weekday]) for weekday in range(7)],
            rows=rows_shown(form),
            days=days or blank(DaysForm),
            day_rows=max(2, days.rows_in_use("hours", "starts", "ends") + 1) if days else 2,
            other_days=await list_other_days(uow, performer_id, today),
            outside=await find_outside(uow, ctx.here, performer_id, now),
            to_read=list(to_read),
            sure=_mark(to_read) if to_read else "",
            asks_days=days is not None,
            is_own=led_by(ctx) is not None,
        )
    return page(request, "booking/hours/hours.html", view, status_code=status_code)


route_handlers = [show_own_hours, show_hours, save_week, save_days, remove_day]
