"""/app/<slug>/.../waitlist: who waits for a session or a series, and why they have no offer."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.claims import SeatsGone
from src.booking.commands.waitlist import remove_entry
from src.booking.commands.waitlist_serve import offer_by_hand
from src.booking.domain.quotes import SubjectKind
from src.booking.queries.waiting import get_entry
from src.booking.queries.waitlists import get_waitlist
from src.booking.views.waiting import EntryRow
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
POST_OPTIONS: dict[str, Any] = {"guards": MAY_EDIT, "status_code": 200, "include_in_schema": False}
TEMPLATE = "booking/waitlist.html"

REMOVE = "/app/{slug:str}/waitlist/{entry_id:uuid}/remove"

AnyRequest = Request[Any, Any, Any]


class RemoveForm(msgspec.Struct):
    """`has_offer`: it was shown that a place is offered to them."""

    has_offer: bool = False


class RemoveView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be taken off which list."""

    what: str
    row: EntryRow
    list_href: str
    zone: ZoneInfo


@get(
    "/app/{slug:str}/sessions/{session_id:uuid}/waitlist", guards=MAY_EDIT, include_in_schema=False
)
async def show_waitlist_of_session(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    return await _page(request, services, ctx, "session", session_id)


@get("/app/{slug:str}/series/{series_id:uuid}/waitlist", guards=MAY_EDIT, include_in_schema=False)
async def show_waitlist_of_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    return await _page(request, services, ctx, "series", series_id)


@post("/app/{slug:str}/waitlist/{entry_id:uuid}/offer", **POST_OPTIONS)
async def offer_place(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    entry_id: FromPath[UUID],
) -> Response[bytes]:
    """Out of turn; why it cannot be is said on the list."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await offer_by_hand(uow, ctx, ctx.here, entry_id)
    except SeatsGone:
        flash(request, "error", _("Somebody has just booked the place."))
    except Conflict as refused:
        flash(request, "error", refused.message)
    else:
        flash(request, "success", _("The place is offered, and a mail says so."))
    return await _back(request, services, ctx, entry_id)


@get(REMOVE, guards=MAY_EDIT, include_in_schema=False)
async def show_removing(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    entry_id: FromPath[UUID],
) -> Response[bytes]:
    """Says what they lose before it asks."""
    async with services.uow_factory(ctx.here.id) as uow:
        entry = await get_entry(uow, entry_id)
        kind: SubjectKind = "session" if entry.session_id is not None else "series"
        view = await get_waitlist(uow, ctx.here, kind, entry.list_id)
    row = next((row for row in view.standing if row.entry_id == entry_id), None)
    if row is None:
        flash(request, "info", _("They are on the list no more."))
        return await _back(request, services, ctx, entry_id)
    asked = RemoveView(what=view.what, row=row, list_href=f"{view.here}/waitlist", zone=view.zone)
    return page(request, "booking/waitlist_remove.html", asked)


@post(REMOVE, **POST_OPTIONS)
async def remove_from_list(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    entry_id: FromPath[UUID],
) -> Response[bytes]:
    """What was offered to them goes to the next."""
    form = bind(RemoveForm, await read_form(request)).struct or RemoveForm()
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            is_removed = await remove_entry(uow, ctx, entry_id, may_lose_offer=form.has_offer)
    except Conflict as refused:
        flash(request, "warning", refused.message)
        return redirect(request, f"/app/{ctx.here.slug}/waitlist/{entry_id}/remove")
    if is_removed:
        flash(request, "success", _("Taken off the list, and a mail says so."))
    else:
        flash(request, "info", _("They are on the list no more."))
    return await _back(request, services, ctx, entry_id)


async def _back(
    request: AnyRequest, services: Services, ctx: RequestContext, entry_id: UUID
) -> Response[bytes]:
    """To the list that the entry is of."""
    async with services.uow_factory(ctx.here.id) as uow:
        entry = await get_entry(uow, entry_id)
    area = "sessions" if entry.session_id is not None else "series"
    return redirect(request, f"/app/{ctx.here.slug}/{area}/{entry.list_id}/waitlist")


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    kind: SubjectKind,
    subject_id: UUID,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_waitlist(uow, ctx.here, kind, subject_id)
    return page(request, TEMPLATE, view)


route_handlers: list[Any] = [
    show_waitlist_of_session,
    show_waitlist_of_series,
    offer_place,
    show_removing,
    remove_from_list,
]
