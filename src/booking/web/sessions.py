"""/app/<slug>/sessions: dates in lists, published by hand and corrected."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.services import get_group_service, get_service
from src.booking.commands.sessions import (
    CreateSession,
    UpdateSession,
    changed_by,
    create_session,
    get_session,
    update_session,
)
from src.booking.domain.kinds import DateScope, SessionState
from src.booking.errors import MovesGuests
from src.booking.models import Service, Session
from src.booking.queries.finding import find_service
from src.booking.queries.on_offer import count_on_offer
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.services import get_service_head
from src.booking.queries.sessions import list_sessions
from src.booking.views.finding import Found
from src.booking.views.services import ServiceHead
from src.booking.views.sessions import SessionPage
from src.booking.web.lost_tags import warn_of_lost_tags
from src.booking.web.meanwhile import Fact, saved_now, stale
from src.booking.web.service_words import mode_words
from src.booking.web.session_forms import (
    SessionForm,
    about_clocks,
    clock_notes,
    details_of,
    field_labels,
    initial_of,
    initial_of_new,
    marks_of,
    saved_words,
    time_in_query,
    update_of,
)
from src.booking.web.session_moves import move_page
from src.booking.web.session_reach import list_scopes, several_instead
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import FEATURE_OF_SERVICE_KIND, Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_SEE = [requires_member(Role.INSTRUCTOR)]
MAY_EDIT = [requires_member(Role.MANAGER)]
CHANGED_MEANWHILE = {"session_changed", "performer_busy"}
MAY_CREATE = [*MAY_EDIT, requires(Feature.GROUP_SERVICES)]


class SessionsView(msgspec.Struct, frozen=True, kw_only=True):
    """A list of sessions; `service` is the one they are all of, None for all services, and `found`
    says how guests find that one.

    Those that start after `ticks_since` can be chosen, all of them at first with `tick_all`; None
    where there is nothing to choose for.
    """

    listed: SessionPage
    service: ServiceHead | None
    found: Found | None
    base: str
    here: str
    past: bool
    zone: str
    may_edit: bool
    may_publish: bool
    previous_href: str | None
    next_href: str | None
    page_href: str
    ticks_since: datetime | None
    tick_all: bool


class SessionFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `session_id` is None for a new one. `meanwhile` is what somebody else saved.

    Of the `taken` places `on_offer` are offered to people who wait. `is_proposed`: the time shown
    comes from the calendar and is not the session's. `scopes`: which other dates may be changed as
    well.
    """

    form: Any
    meanwhile: list[Fact]
    session_id: UUID | None
    service: ServiceHead
    base: str
    zone: str
    taken: int
    on_offer: int
    is_proposed: bool
    scopes: list[tuple[str, str]]
    performers: list[Choice]
    locations: list[Choice]
    modes: list[Choice]


def led_by(ctx: RequestContext) -> UUID | None:
    """The member whose sessions alone may be seen; None for those who see all."""
    return ctx.actor.user_id if ctx.actor.role is Role.INSTRUCTOR else None


@get("/app/{slug:str}/sessions", guards=MAY_SEE, include_in_schema=False)
async def show_sessions(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _list(request, services, ctx, None)


@get(
    "/app/{slug:str}/services/{service_id:uuid}/sessions", guards=MAY_EDIT, include_in_schema=False
)
async def show_sessions_of_service(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    return await _list(request, services, ctx, service_id)


@get(
    "/app/{slug:str}/services/{service_id:uuid}/sessions/new",
    guards=MAY_CREATE,
    include_in_schema=False,
)
async def show_new_session(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_group_service(uow, service_id)
    starts_at = time_in_query(request, "starts_at")
    initial = initial_of_new(service, ctx.here.zone, services.clock.now(), starts_at)
    return await _editor(request, services, ctx, blank(SessionForm, initial), service)


@post(
    "/app/{slug:str}/services/{service_id:uuid}/sessions/new",
    guards=MAY_CREATE,
    status_code=200,
    include_in_schema=False,
)
async def save_new_session(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_group_service(uow, service_id)
    bound = bind(SessionForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, service, status_code=422)
    try:
        values = details_of(form, ctx.here.zone)
        cmd = CreateSession(service_id=service_id, session_id=form.token, **values)
        async with services.uow_factory(ctx.here.id) as uow:
            await create_session(uow, ctx, cmd)
    except InvalidInput as refused:
        bound = bound.refused(about_clocks(refused, form, ctx.here.zone))
        return await _editor(request, services, ctx, bound, service, status_code=422)
    flash(request, "success", _("The session is published."))
    _tell_of_clocks(request, clock_notes(form, ctx.here.zone))
    return redirect(request, f"/app/{ctx.here.slug}/services/{service_id}/sessions")


@get("/app/{slug:str}/sessions/{session_id:uuid}/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_session_editor(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """The session as it is, or with another start (`starts_at`) that is yet to be saved."""
    service, session = await _of_session(services, ctx, session_id)
    starts_at = time_in_query(request, "starts_at")
    form = blank(SessionForm, initial_of(session, ctx.here.zone, starts_at))
    return await _editor(
        request, services, ctx, form, service, session, is_proposed=starts_at is not None
    )


@post(
    "/app/{slug:str}/sessions/{session_id:uuid}/edit",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
)
async def save_session(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Saves what moves no guest; a move is explained first, and done when it is sent from there.
    What is to reach other dates too is shown for all of them first.
    """
    service, session = await _of_session(services, ctx, session_id)
    bound = bind(SessionForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, service, session, status_code=422)
    cmd = update_of(form, ctx.here.zone, session)
    notes = clock_notes(form, ctx.here.zone, session)
    try:
        if form.scope in (DateScope.FOLLOWING, DateScope.ALL):
            return await several_instead(request, services, ctx, session, form)
        async with services.uow_factory(ctx.here.id) as uow:
            await update_session(uow, ctx, cmd)
    except MovesGuests:
        return await move_page(request, services, ctx, bound, cmd, notes)
    except InvalidInput as refused:
        bound = bound.refused(about_clocks(refused, form, ctx.here.zone))
        return await _editor(request, services, ctx, bound, service, session, status_code=422)
    except Conflict as refused:
        if refused.code not in CHANGED_MEANWHILE:
            raise
        _service, now = await _of_session(services, ctx, session_id)
        reaches_others = form.scope in (DateScope.FOLLOWING, DateScope.ALL)
        if reaches_others or not _is_done(cmd, now):
            bound = stale(bound, SessionForm, marks_of(now), refused)
            return await _editor(
                request, services, ctx, bound, service, now, status_code=409, is_stale=True
            )
    seen = session.sequence if form.seen is None else form.seen
    flash(request, "success", await _saved_words(services, ctx, session_id, seen))
    _tell_of_clocks(request, notes)
    await warn_of_lost_tags(request, services, ctx, session.tags)
    return redirect(request, f"/app/{ctx.here.slug}/sessions/{session_id}")


async def _list(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    service_id: UUID | None,
) -> Response[bytes]:
    past, number = request.query_params.get("when") == "past", _page_number(request)
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service_head(uow, service_id) if service_id else None
        found = await find_service(uow, ctx.here, service_id) if service_id else None
        listed = await list_sessions(
            uow,
            ctx.here.zone,
            services.clock.now(),
            past=past,
            page=number,
            service_id=service_id,
            led_by=led_by(ctx),
        )
    base, may_edit = f"/app/{ctx.here.slug}", ctx.actor.role is not Role.INSTRUCTOR
    here = f"{base}/services/{service_id}/sessions" if service_id else f"{base}/sessions"
    view = SessionsView(
        listed=listed,
        service=service,
        found=found,
        base=base,
        here=here,
        past=past,
        zone=ctx.here.timezone,
        may_edit=may_edit,
        may_publish=ctx.here.entitlements.has(_feature_of(service)),
        previous_href=_page_href(here, number - 1, past=past) if number > 1 else None,
        next_href=_page_href(here, number + 1, past=past) if listed.has_more else None,
        page_href=_page_href(here, number, past=past),
        ticks_since=None if past or not may_edit else services.clock.now(),
        tick_all=request.query_params.get("tick") == "all",
    )
    return page(request, "booking/sessions/list.html", view)


def _feature_of(service: ServiceHead | None) -> Feature:
    return Feature.GROUP_SERVICES if service is None else FEATURE_OF_SERVICE_KIND[service.kind]


async def _editor(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    form: Bound[SessionForm],
    service: Service,
    session: Session | None = None,
    *,
    status_code: int = 200,
    is_proposed: bool = False,
    is_stale: bool = False,
) -> Response[bytes]:
    performer_id = session.performer_id if session is not None else None
    location_id = session.location_id if session is not None else None
    async with services.uow_factory(ctx.here.id) as uow:
        head = await get_service_head(uow, service.id)
        performers = await list_performer_choices(uow, performer_id)
        locations = await list_location_choices(uow, location_id)
        on_offer = await count_on_offer(uow, session) if session is not None else 0
        reach = await list_scopes(uow, ctx, session) if session is not None else []
    meanwhile: list[Fact] = []
    if is_stale and session is not None:
        words = saved_words(performers, locations)
        initial = initial_of(session, ctx.here.zone)
        meanwhile = saved_now(form, SessionForm, initial, field_labels(), words)
    view = SessionFormView(
        form=form,
        meanwhile=meanwhile,
        session_id=session.id if session is not None else None,
        service=head,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        taken=session.seats_taken if session is not None else 0,
        on_offer=on_offer,
        is_proposed=is_proposed,
        scopes=reach,
        performers=performers,
        locations=locations,
        modes=list(mode_words().items()),
    )
    return page(request, "booking/sessions/form.html", view, status_code=status_code)


async def _of_session(
    services: Services, ctx: RequestContext, session_id: UUID
) -> tuple[Service, Session]:
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session(uow, session_id)
        return await get_service(uow, session.service_id), session


def _is_done(cmd: UpdateSession, now: Session) -> bool:
    """Whether what met the command halfway was the same form, sent twice."""
    return now.state == SessionState.SCHEDULED and not changed_by(cmd, now)


async def _saved_words(services: Services, ctx: RequestContext, session_id: UUID, seen: int) -> str:
    """The same for each press of one button: what counts is how the form had been shown."""
    async with services.uow_factory(ctx.here.id) as uow:
        now = await get_session(uow, session_id)
        has_people = now.seats_taken > await count_on_offer(uow, now)
    if has_people and now.sequence != seen:
        return _("The session is saved. Its guests are told by mail.")
    return _("The session is saved.")


def _tell_of_clocks(request: Request[Any, Any, Any], notes: list[str]) -> None:
    for note in notes:
        flash(request, "info", note)


def _page_number(request: Request[Any, Any, Any]) -> int:
    asked = request.query_params.get("page", "1")
    return min(int(asked), 1000) if asked.isdecimal() and asked.isascii() and int(asked) else 1


def _page_href(here: str, number: int, *, past: bool) -> str:
    query = ({"when": "past"} if past else {}) | ({"page": str(number)} if number > 1 else {})
    return f"{here}?{urlencode(query)}" if query else here


route_handlers = [
    show_sessions,
    show_sessions_of_service,
    show_new_session,
    save_new_session,
    show_session_editor,
    save_session,
]
