"""/app/<slug>/calendar: the sessions of a month or week, and where a new or another time begins.

Nothing is changed here: a click and a drag lead to the forms, with the time filled in. The script's
calendar knows wall-clock times of the business only, so that a visitor's own clock moves nothing.
"""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from src.booking.domain.kinds import SessionState
from src.booking.queries.resources import (
    Choice,
    list_group_service_choices,
    list_location_choices,
    list_performer_choices,
)
from src.booking.queries.sessions import list_sessions_between
from src.booking.views.calendar import CalendarDay, CalendarEntry, CalendarFilter, CalendarWindow
from src.booking.views.sessions import SessionListRow
from src.booking.waitlist_words import on_offer_short
from src.booking.web.session_forms import time_in_query
from src.booking.web.sessions import MAY_CREATE, led_by
from src.platform.errors import InvalidInput
from src.platform.i18n import _, first_weekday
from src.platform.localtime import local_day_bounds, to_local
from src.platform.services import Services
from src.platform.web.forms import bind, form_data
from src.platform.web.pages import page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

AnyRequest = Request[Any, Any, Any]

MAY_SEE = [requires_member(Role.INSTRUCTOR)]
HOME = "/app/{slug:str}/calendar"
LONGEST_WINDOW = timedelta(days=62)
MOST_ENTRIES = 3_000
MOST_LISTED = 500
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)
WEEK = timedelta(days=7)
IN_LIST = {"cache-control": "private, no-store"}
VIEWS = ("month", "week", "list")


class CalendarQuery(msgspec.Struct, kw_only=True):
    """What is looked at: a day of it, how it is shown, and the filters."""

    on: date | None = None
    view: Annotated[str, Meta(max_length=10)] = ""
    service: UUID | None = None
    performer: UUID | None = None
    location: UUID | None = None

    def filter(self) -> CalendarFilter:
        return CalendarFilter(
            service_id=self.service, performer_id=self.performer, location_id=self.location
        )


class WindowQuery(CalendarQuery, kw_only=True):
    """The days from `start` up to and without `end`; the present week where they are left out."""

    start: date | None = None
    end: date | None = None


class FilterField(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to filter by; `every` is the choice of all."""

    name: str
    label: str
    every: str
    chosen: str
    choices: list[Choice]


class CalendarView(msgspec.Struct, frozen=True, kw_only=True):
    """The page: the week as a list, and what the script needs to show more than that; its weeks
    begin on `first`, 0 for Monday.
    """

    base: str
    zone: str
    on: date
    first: int
    view: str
    now: str
    days: list[CalendarDay]
    until: date
    has_more: bool
    filters: list[FilterField]
    kept: str
    previous_href: str
    next_href: str
    today_href: str
    may_create: bool
    is_own: bool


class ChooseServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """Which service a new session is of; the links have the time with them."""

    choices: list[tuple[str, str]]
    base: str


@get(HOME, guards=MAY_SEE, include_in_schema=False)
async def show_calendar(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    wanted = bind(CalendarQuery, form_data(request.query_params)).struct or CalendarQuery()
    now = to_local(services.clock.now(), ctx.here.zone)
    on = min(max(wanted.on or now.date(), FIRST_DAY), LAST_DAY)
    first = first_weekday(ctx.here.country)
    start = _week_start(on, first)
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_sessions_between(
            uow,
            local_day_bounds(start, ctx.here.zone)[0],
            local_day_bounds(start + WEEK, ctx.here.zone)[0],
            wanted.filter(),
            most=MOST_LISTED + 1,
            led_by=led_by(ctx),
        )
        filters = _filters(
            wanted,
            await list_group_service_choices(uow),
            [] if led_by(ctx) else await list_performer_choices(uow, wanted.performer),
            await list_location_choices(uow, wanted.location),
        )
    here = f"/app/{ctx.here.slug}/calendar"
    kept = _kept(wanted)
    is_manager = ctx.actor.role is not Role.INSTRUCTOR
    view = CalendarView(
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        on=on,
        first=first,
        view=wanted.view if wanted.view in VIEWS else "",
        now=now.isoformat(timespec="seconds"),
        days=_by_day(rows[:MOST_LISTED], ctx),
        until=start + WEEK - timedelta(days=1),
        has_more=len(rows) > MOST_LISTED,
        filters=filters,
        kept=urlencode(kept),
        previous_href=f"{here}?{urlencode({**kept, 'on': start - WEEK})}",
        next_href=f"{here}?{urlencode({**kept, 'on': start + WEEK})}",
        today_href=f"{here}?{urlencode(kept)}" if kept else here,
        may_create=is_manager and ctx.here.entitlements.has(Feature.GROUP_SERVICES),
        is_own=not is_manager,
    )
    return page(request, "booking/calendar/calendar.html", view)


@get(f"{HOME}/entries", guards=MAY_SEE, include_in_schema=False)
async def list_entries(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """The sessions of a window as JSON. Raises: InvalidInput."""
    zone, now = ctx.here.zone, services.clock.now()
    wanted = bind(WindowQuery, form_data(request.query_params)).struct
    today = to_local(now, zone).date()
    window = None if wanted is None else _window(wanted, today, first_weekday(ctx.here.country))
    if wanted is None or window is None:
        raise InvalidInput(_("Ask for the days of at most two months."))
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_sessions_between(
            uow,
            local_day_bounds(window[0], zone)[0],
            local_day_bounds(window[1], zone)[0],
            wanted.filter(),
            most=MOST_ENTRIES + 1,
            led_by=led_by(ctx),
        )
    found = CalendarWindow(
        entries=[_entry(row, ctx, now) for row in rows[:MOST_ENTRIES]],
        has_more=len(rows) > MOST_ENTRIES,
    )
    return Response(msgspec.json.encode(found), media_type="application/json", headers=IN_LIST)


@get(f"{HOME}/new", guards=MAY_CREATE, include_in_schema=False)
async def choose_service(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Of which service the new session is; with only one there is nothing to choose."""
    starts_at = time_in_query(request, "starts_at")
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_group_service_choices(uow)
    query = (
        f"?{urlencode({'starts_at': starts_at.isoformat(timespec='minutes')})}" if starts_at else ""
    )
    base = f"/app/{ctx.here.slug}"
    choices = [(name, f"{base}/services/{key}/sessions/new{query}") for key, name in found]
    if len(choices) == 1:
        return redirect(request, choices[0][1])
    view = ChooseServiceView(choices=choices, base=base)
    return page(request, "booking/calendar/choose_service.html", view)


def _week_start(on: date, first: int) -> date:
    return on - timedelta(days=(on.weekday() - first) % 7)


def _window(wanted: WindowQuery, today: date, first: int) -> tuple[date, date] | None:
    """The first day and the one after the last, None for what is no window or too long a one."""
    start = wanted.start or _week_start(today, first)
    if not FIRST_DAY <= start <= LAST_DAY:
        return None
    end = wanted.end or start + WEEK
    is_one = end <= LAST_DAY and timedelta() < end - start <= LONGEST_WINDOW
    return (start, end) if is_one else None


def _entry(row: SessionListRow, ctx: RequestContext, now: datetime) -> CalendarEntry:
    zone, is_on = ctx.here.zone, row.state == SessionState.SCHEDULED
    is_full = row.taken + row.on_offer >= row.capacity and not row.is_appointment
    state = row.state if not is_on else "full" if is_full else "open"
    start, end = to_local(row.starts_at, zone), to_local(row.ends_at, zone)
    count = _count(row) if is_on else ""
    return CalendarEntry(
        id=row.id,
        title=" · ".join(filter(None, (row.service_name, row.title))),
        short=" · ".join(filter(None, (row.title or row.service_name, count))),
        start=start.isoformat(timespec="seconds"),
        # In the night the clocks go back, a wall clock may show the end before the start.
        end=max(end, start).isoformat(timespec="seconds"),
        url=f"/app/{ctx.here.slug}/sessions/{row.id}",
        state=state,
        note=" · ".join(filter(None, (_state_word(state, row), row.performer, row.place))),
        count=count,
        editable=is_on and row.starts_at > now and ctx.actor.role is not Role.INSTRUCTOR,
    )


def _state_word(state: str, row: SessionListRow) -> str:
    if state == SessionState.CANCELLED:
        return _("Cancelled")
    if state == SessionState.CANCELLING:
        return _("Being cancelled")
    return ", ".join(filter(None, (_count(row), on_offer_short(row.on_offer))))


def _count(row: SessionListRow) -> str:
    """Seats, or whose appointment it is."""
    return row.guest if row.is_appointment else f"{row.taken}/{row.capacity}"


def _by_day(rows: list[SessionListRow], ctx: RequestContext) -> list[CalendarDay]:
    days = groupby(rows, key=lambda row: to_local(row.starts_at, ctx.here.zone).date())
    return [CalendarDay(on=on, rows=list(own)) for on, own in days]


def _filters(
    wanted: CalendarQuery,
    services: list[Choice],
    performers: list[Choice],
    locations: list[Choice],
) -> list[FilterField]:
    """Those with something to choose between."""
    fields = [
        ("service", _("Service"), _("All services"), services),
        ("performer", _("Performer"), _("Everybody"), performers),
        ("location", _("Place"), _("All places"), locations),
    ]
    return [
        FilterField(
            name=name,
            label=label,
            every=every,
            chosen=str(getattr(wanted, name) or ""),
            choices=choices,
        )
        for name, label, every, choices in fields
        if choices
    ]


def _kept(wanted: CalendarQuery) -> dict[str, str]:
    """The filters as they go from page to page."""
    chosen = {name: getattr(wanted, name) for name in ("service", "performer", "location")}
    return {name: str(value) for name, value in chosen.items() if value is not None}


route_handlers: list[Any] = [show_calendar, list_entries, choose_service]
