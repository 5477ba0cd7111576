"""/app/<slug>/settings/closed-days: the days on which nobody can be booked by appointment."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from src.booking.commands.availability import close_days, open_day
from src.booking.domain.hours_rules import day_errors
from src.booking.domain.repeat import holiday_name
from src.booking.domain.seen import mark_of
from src.booking.queries.hours import find_on_closed, list_closed_days
from src.booking.views.hours import BookedTime, ClosedDayRow
from src.booking.web.hours_forms import ClosingForm, HolidaysForm
from src.booking.web.repeat_forms import holiday_choices
from src.platform.errors import InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs

HOME = "/app/{slug:str}/settings/closed-days"
YEARS_AHEAD = 2


class ClosedDaysView(msgspec.Struct, frozen=True, kw_only=True):
    """`found` are the holidays to choose from, once a place and a year are asked for. `to_read` is
    what is booked on the days that were typed or, where `asks_holidays`, chosen.
    """

    tabs: list[Tab]
    base: str
    app: str
    zone: str
    rows: list[ClosedDayRow]
    form: Any
    holidays: Any
    places: list[tuple[str, str]]
    years: list[tuple[str, str]]
    found: list[ClosedDayRow]
    to_read: list[BookedTime]
    sure: str
    asks_holidays: bool


@get(HOME, guards=MAY_SET, include_in_schema=False)
async def show_closed_days(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """With `holidays_of` and `year` the holidays that may be added stand there, all chosen."""
    asked = request.query_params
    bound = None
    if "holidays_of" in asked:
        raw = {"holidays_of": asked["holidays_of"], "year": asked.get("year", "")}
        found = _holidays(**raw)
        bound = blank(HolidaysForm, {**raw, "days": list(found)})
        if not found:
            sentence = _("No public holidays are known for this place and year.")
            bound = bound.with_errors({"holidays_of": sentence})
            return await _shown(request, services, ctx, holidays=bound, status_code=422)
    return await _shown(request, services, ctx, holidays=bound)


@post(HOME, guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_closed_days(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    bound = bind(ClosingForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _shown(request, services, ctx, form=bound, status_code=422)
    until_on = form.until_on or form.on_date
    fields = day_errors(form.on_date, until_on, ())
    if fields:
        bound = bound.with_errors(fields)
        return await _shown(request, services, ctx, form=bound, status_code=422)
    number = (until_on - form.on_date).days + 1
    days = {form.on_date + timedelta(days=day): form.name for day in range(number)}
    try:
        to_read = await _close(request, services, ctx, days, form.sure)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _shown(request, services, ctx, form=bound, status_code=422)
    if to_read:
        return await _shown(request, services, ctx, form=bound, to_read=to_read)
    return redirect(request, settings_path(ctx, "closed-days"))


@post(HOME + "/holidays", guards=MAY_SET, status_code=200, include_in_schema=False, shown_at=HOME)
async def save_holidays(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    bound = bind(HolidaysForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _shown(request, services, ctx, holidays=bound, status_code=422)
    known = _holidays(form.holidays_of, str(form.year))
    days = {on: known[on] for on in form.days if on in known}
    if not days:
        bound = bound.with_errors({"days": _("Choose at least one.")})
        return await _shown(request, services, ctx, holidays=bound, status_code=422)
    to_read = await _close(request, services, ctx, days, form.sure)
    if to_read:
        return await _shown(request, services, ctx, holidays=bound, to_read=to_read)
    return redirect(request, settings_path(ctx, "closed-days"))


class _DayForm(msgspec.Struct):
    on_date: date


@post(HOME + "/remove", guards=MAY_SET, status_code=200, include_in_schema=False)
async def remove_closed_day(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(_DayForm, await read_form(request)).struct
    if form is not None:
        async with services.uow_factory(ctx.here.id) as uow:
            await open_day(uow, ctx, form.on_date)
        flash(request, "success", _("The hours hold again on that day."))
    return redirect(request, settings_path(ctx, "closed-days"))


async def _close(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    days: Mapping[date, str],
    sure: str,
) -> list[BookedTime]:
    """Closes them and says so, unless something is booked then that nobody has read yet."""
    async with services.uow_factory(ctx.here.id) as uow:
        booked = await find_on_closed(uow, ctx.here, set(days), uow.clock.now())
        if booked and sure != _mark(booked):
            return booked
        new = await close_days(uow, ctx, days)
    said = ngettext("%(num)s day is added.", "%(num)s days are added.", new)
    if booked:
        stays = ngettext(
            "%(num)s appointment then stays as booked.",
            "%(num)s appointments then stay as booked.",
            len(booked),
        )
        said = f"{said} {stays}"
    flash(request, "success", said)
    return []


def _mark(booked: Sequence[BookedTime]) -> str:
    return mark_of([one.session_id for one in booked])


def _holidays(holidays_of: str, year: str) -> dict[date, str]:
    """By day; none for a place or a year that is not known."""
    if not (year.isdecimal() and 2000 <= int(year) < 2100):
        return {}
    first = date(int(year), 1, 1)
    days = (first + timedelta(days=day) for day in range(366))
    found = {on: holiday_name(holidays_of, on) for on in days if on.year == first.year}
    return {on: name for on, name in found.items() if name}


async def _shown(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    *,
    form: Bound[ClosingForm] | None = None,
    holidays: Bound[HolidaysForm] | None = None,
    to_read: Sequence[BookedTime] = (),
    status_code: int = 200,
) -> Response[bytes]:
    today = to_local(services.clock.now(), ctx.here.zone).date()
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_closed_days(uow, today)
    places = holiday_choices(ctx.here)
    usual = {"holidays_of": places[0][0] if places else "", "year": today.year}
    asked = holidays or blank(HolidaysForm, usual)
    found = _holidays(asked.value("holidays_of"), asked.value("year")) if holidays else {}
    known = {row.on_date for row in rows}
    view = ClosedDaysView(
        tabs=settings_tabs(ctx, "closed-days"),
        base=settings_path(ctx, "closed-days"),
        app=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        rows=rows,
        form=form or blank(ClosingForm),
        holidays=asked,
        places=places,
        years=[(str(one), str(one)) for one in range(today.year, today.year + YEARS_AHEAD + 1)],
        found=[
            ClosedDayRow(on_date=on, name=name)
            for on, name in found.items()
            if on >= today and on not in known
        ],
        to_read=list(to_read),
        sure=_mark(to_read) if to_read else "",
        asks_holidays=holidays is not None,
    )
    return page(request, "booking/hours/closed_days.html", view, status_code=status_code)


route_handlers = [show_closed_days, save_closed_days, save_holidays, remove_closed_day]
