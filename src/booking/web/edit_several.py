"""/app/<slug>/sessions/<id>/several, /chosen/edit: one change for several sessions, looked at
before.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.edit_plan import (
    Change,
    EditSeveral,
    made_of,
    mark_of_command,
    mark_of_plan,
    mark_of_present,
    mark_of_result,
    plan_edit,
)
from src.booking.commands.edit_several import edit_several, list_refusals
from src.booking.commands.sessions import DROP_IN_COLUMNS, MINIMUM_COLUMNS, TIME_COLUMNS
from src.booking.domain.kinds import DateScope
from src.booking.domain.repeat import holiday_name
from src.booking.queries.cancellations import list_chosen_dates, toll_of_dates
from src.booking.queries.lists_toll import waiters_of
from src.booking.queries.on_offer import on_offer_in
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.sessions import get_session_detail
from src.booking.views.cancellations import Toll, Waiters
from src.booking.views.sessions import SessionDetail
from src.booking.web.chosen_dates import CHOSEN, back_to, ticked_dates
from src.booking.web.drop_in_forms import unit_choices, way_choices
from src.booking.web.edit_several_forms import (
    SeveralForm,
    allowed_choices,
    initial_of,
    parts,
    scopes,
    weekday_choices,
)
from src.booking.web.move_words import guest_facts, list_facts
from src.booking.web.service_words import mode_words
from src.booking.web.toll_words import Fact, toll_people
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
AnyRequest = Request[Any, Any, Any]
SEVERAL = "/app/{slug:str}/sessions/{session_id:uuid}/several"


class SeveralRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is reached, with what becomes of it; `why_not`: why it cannot be so,
    `holiday`: the public one that it is moved onto.

    `new_minimum`: it gets another minimum group size, `then_min_seats`, or with None loses it;
    `new_drop_in`: it is sold alone by other rules.
    """

    starts_at: datetime
    ends_at: datetime
    then_starts_at: datetime
    then_ends_at: datetime
    title: str
    capacity: int
    then_capacity: int
    new_minimum: bool
    then_min_seats: int | None
    new_drop_in: bool
    taken: int
    is_protected: bool
    is_same: bool
    why_not: str
    holiday: str


class SeveralView(msgspec.Struct, frozen=True, kw_only=True):
    """The form, and once there is something to look at, every session that is reached.

    `chosen` are the ids of dates that were chosen one by one, of which `left_out` have begun, are
    cancelled or are gone. `seen` and `result` are the marks of the rows as they are shown, `asked`
    that of the change. `facts` and `people` say whom another time touches, where it touches
    anybody.
    """

    form: Any
    session: SessionDetail
    chosen: list[UUID]
    left_out: int
    rows: list[SeveralRow]
    seen: str
    result: str
    asked: str
    facts: list[Fact]
    people: list[Fact]
    more: int
    changed: int
    refused: int
    guests: int
    parts: list[tuple[str, str]]
    scopes: list[tuple[str, str]]
    weekdays: list[tuple[int, str]]
    modes: list[tuple[str, str]]
    performers: list[Choice]
    locations: list[Choice]
    currency: str
    allowed: list[tuple[str, str]]
    units: list[tuple[str, str]]
    ways: list[tuple[str, str]]
    base: str
    action: str
    back: str
    zone: str


@get(SEVERAL, guards=MAY_EDIT, include_in_schema=False)
async def show_several(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    form = await _begun(services, ctx, session_id, [])
    return await several_page(request, services, ctx, session_id, form, [])


@post(SEVERAL, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def change_several(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """First every session that is reached; once these were looked at, the change."""
    bound = bind(SeveralForm, await read_form(request))
    return await look_or_change(request, services, ctx, session_id, bound)


@post(
    CHOSEN + "/edit",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
    shown_at="/app/{slug}/sessions",
)
async def change_chosen(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """The form for the ticked dates, then as for any several. Raises: NotFound."""
    bound = bind(SeveralForm, await read_form(request))
    ticked = ticked_dates(bound)
    if not ticked:
        flash(request, "warning", _("Choose at least one date."))
        return redirect(request, back_to(request, ctx))
    async with services.uow_factory(ctx.here.id) as uow:
        first = (await list_chosen_dates(uow, ticked, uow.clock.now()))[0]
    if not bound.checked("began"):
        form = await _begun(services, ctx, first.id, ticked)
        return await several_page(request, services, ctx, first.id, form, [])
    return await look_or_change(request, services, ctx, first.id, bound)


async def look_or_change(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    session_id: UUID,
    bound: Bound[SeveralForm],
) -> Response[bytes]:
    """Every session that is reached, or, where that was looked at, the change and a way back."""
    form, planned, asked = bound.struct, list[Change](), ""
    if form is None:
        return await several_page(request, services, ctx, session_id, bound, [])
    try:
        cmd = form.command(session_id, ctx.here.currency)
    except InvalidInput as refused:
        return await several_page(request, services, ctx, session_id, bound.refused(refused), [])
    if form.looked:
        try:
            flash(request, "success", await _change(services, ctx, form, cmd))
            return redirect(request, _back(request, ctx, session_id, form.scope))
        except InvalidInput as refused:
            bound = bound.refused(refused)
        except Conflict as refused:
            bound = bound.with_errors(None, refused.message)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            planned, asked = await plan_edit(uow, ctx, cmd), mark_of_command(cmd)
    except InvalidInput as refused:
        bound = bound.refused(refused)
    return await several_page(request, services, ctx, session_id, bound, planned, asked)


async def _change(
    services: Services, ctx: RequestContext, form: SeveralForm, cmd: EditSeveral
) -> str:
    """Makes just what was looked at, and says so; what a first press has made is not made again,
    and nothing else is taken for it.

    Raises: InvalidInput, Conflict.
    """
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            count = await edit_several(uow, ctx, msgspec.structs.replace(cmd, seen=form.seen))
    except (Conflict, InvalidInput):
        if form.asked != mark_of_command(cmd):
            raise
        async with services.uow_factory(ctx.here.id) as uow:
            present = mark_of_present(await plan_edit(uow, ctx, cmd))
        if form.result != present:
            raise
        return _("This is done already.")
    return ngettext("%(num)s session is changed.", "%(num)s sessions are changed.", count)


async def _begun(
    services: Services, ctx: RequestContext, session_id: UUID, chosen: list[UUID]
) -> Bound[SeveralForm]:
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
    scope = {"scope": DateScope.CHOSEN, "session_ids": chosen} if chosen else {}
    return blank(SeveralForm, {**initial_of(session, ctx.here.zone), **scope})


async def several_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    session_id: UUID,
    form: Bound[SeveralForm],
    planned: list[Change],
    asked: str = "",
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
        performers = await list_performer_choices(uow, session.performer_id)
        locations = await list_location_choices(uow, session.location_id)
        on_offer = await on_offer_in(uow, [change.session for change in planned])
        refusals = await list_refusals(uow, ctx, planned)
        toll, waiting = await _toll(uow, ctx.here, planned)
    rows = [
        _row(one, on_offer.get(one.session.id, 0), refusals.get(one.session.id, ""), ctx.here)
        for one in planned
    ]
    is_chosen = form.value("scope") == DateScope.CHOSEN
    chosen = ticked_dates(form) if is_chosen else []
    view = SeveralView(
        form=form,
        session=session,
        chosen=chosen,
        left_out=len(chosen) - len(rows) if rows else 0,
        rows=rows,
        seen=mark_of_plan(planned),
        result=mark_of_result(planned),
        asked=asked,
        facts=guest_facts(toll, waiting) if toll is not None else list_facts(waiting),
        people=toll_people(toll, ctx.here.currency, ctx.here.zone) if toll is not None else [],
        more=toll.more if toll is not None else 0,
        changed=sum(not (row.is_same or row.is_protected) for row in rows),
        refused=len(refusals),
        guests=sum(row.taken for row in rows if not (row.is_same or row.is_protected)),
        parts=parts(),
        scopes=scopes(session, with_this=form.value("scope") == DateScope.THIS),
        weekdays=weekday_choices(),
        modes=list(mode_words().items()),
        performers=performers,
        locations=locations,
        currency=ctx.here.currency,
        allowed=allowed_choices(),
        units=unit_choices(),
        ways=way_choices(),
        base=f"/app/{ctx.here.slug}",
        action=_action(request, ctx, session_id, is_chosen=is_chosen),
        back=_back(request, ctx, session_id, DateScope.CHOSEN if is_chosen else DateScope.ALL),
        zone=ctx.here.timezone,
    )
    status_code = 422 if form.errors or form.form_error else 200
    return page(request, "booking/sessions/several.html", view, status_code=status_code)


async def _toll(
    uow: UnitOfWork, here: TenantSnapshot, planned: list[Change]
) -> tuple[Toll | None, Waiters]:
    """Whom the dates touch that get another time, None for nobody, and who waits for those or for
    some with more seats.
    """
    made = made_of(planned)
    moved = [one.session for one in made if one.changed & TIME_COLUMNS]
    grown = [one.session for one in made if one.becomes.capacity > one.session.capacity]
    waiting = await waiters_of(uow, here, moved=moved, grown=grown)
    if not moved:
        return None, waiting
    toll = await toll_of_dates(uow, [one.id for one in moved])
    is_anybody = toll.seats or toll.in_checkout or waiting.told
    return toll if is_anybody else None, waiting


def _action(request: AnyRequest, ctx: RequestContext, session_id: UUID, *, is_chosen: bool) -> str:
    base, query = f"/app/{ctx.here.slug}/sessions", request.url.query
    if is_chosen:
        return f"{base}/chosen/edit?{query}" if query else f"{base}/chosen/edit"
    return f"{base}/{session_id}/several"


def _back(request: AnyRequest, ctx: RequestContext, session_id: UUID, scope: DateScope) -> str:
    if scope is DateScope.CHOSEN:
        return back_to(request, ctx)
    return f"/app/{ctx.here.slug}/sessions/{session_id}"


def _holiday(change: Change, here: TenantSnapshot) -> str:
    """The public holiday at home that the date is moved onto, if it is."""
    was = to_local(change.session.starts_at, here.zone).date()
    then = to_local(change.becomes.starts_at, here.zone).date()
    return "" if then == was else holiday_name(here.country, then) or ""


def _row(change: Change, on_offer: int, why_not: str, here: TenantSnapshot) -> SeveralRow:
    session, becomes = change.session, change.becomes
    return SeveralRow(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        then_starts_at=becomes.starts_at,
        then_ends_at=becomes.ends_at,
        title=session.title,
        capacity=session.capacity,
        then_capacity=becomes.capacity,
        new_minimum=bool(change.changed & MINIMUM_COLUMNS),
        then_min_seats=becomes.min_seats,
        new_drop_in=bool(change.changed & DROP_IN_COLUMNS),
        taken=session.seats_taken - on_offer,
        is_protected=change.is_protected,
        is_same=not change.changed,
        why_not=why_not,
        holiday=_holiday(change, here),
    )


route_handlers = [show_several, change_several, change_chosen]
