"""/app/<slug>/settings/performers: the people that sessions are given to."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.catalogue import (
    PerformerDetails,
    add_performer,
    change_performer,
    set_performer_active,
)
from src.tenants.context import RequestContext
from src.tenants.queries.members import list_members
from src.tenants.queries.performer_work import list_performer_work
from src.tenants.queries.settings import get_performer, list_performers
from src.tenants.views.settings import PerformerRow, PerformerWork
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs

HOME = "/app/{slug:str}/settings/performers"
ONE = HOME + "/{performer_id:uuid}"


class PerformerForm(msgspec.Struct):
    """A performer as typed."""

    name: Annotated[str, Meta(max_length=100)]
    user_id: UUID | None = None

    def details(self) -> PerformerDetails:
        return PerformerDetails(name=self.name, user_id=self.user_id)


class ActiveForm(msgspec.Struct):
    """Whether something is to be offered from now on."""

    active: bool = False


class PerformersView(msgspec.Struct, frozen=True, kw_only=True):
    """The list, with a form for one more."""

    tabs: list[Tab]
    rows: list[PerformerRow]
    base: str
    form: Any
    members: list[tuple[str, str]]


class PerformerView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor of one performer."""

    tabs: list[Tab]
    row: PerformerRow
    base: str
    form: Any
    members: list[tuple[str, str]]
    work: PerformerWork
    app: str
    zone: str


@get(HOME, guards=MAY_SET, include_in_schema=False)
async def show_performers(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _list(request, services, ctx)


@post(HOME, guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_new_performer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(PerformerForm, await read_form(request))
    if form.struct is None:
        return await _list(request, services, ctx, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await add_performer(uow, ctx, form.struct.details())
    except InvalidInput as refusal:
        return await _list(request, services, ctx, form.refused(refusal))
    flash(request, "success", _("“%(name)s” is added.", name=form.struct.name))
    return redirect(request, settings_path(ctx, "performers"))


@get(ONE, guards=MAY_SET, include_in_schema=False)
async def show_performer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    performer_id: FromPath[UUID],
) -> Response[bytes]:
    return await _editor(request, services, ctx, performer_id)


@post(ONE, guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_performer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    performer_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(PerformerForm, await read_form(request))
    if form.struct is None:
        return await _editor(request, services, ctx, performer_id, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_performer(uow, ctx, performer_id, form.struct.details())
    except InvalidInput as refusal:
        return await _editor(request, services, ctx, performer_id, form.refused(refusal))
    flash(request, "success", _("“%(name)s” is saved.", name=form.struct.name))
    return redirect(request, settings_path(ctx, "performers"))


@post(ONE + "/active", guards=MAY_SET, status_code=200, include_in_schema=False)
async def switch_performer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    performer_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(ActiveForm, await read_form(request))
    is_on = form.struct is not None and form.struct.active
    async with services.uow_factory(ctx.here.id) as uow:
        name = await set_performer_active(uow, ctx, performer_id, is_on)
        work = await list_performer_work(uow, performer_id, services.clock.now())
    sentence = (
        _("“%(name)s” can be given sessions again.", name=name)
        if is_on
        else _("“%(name)s” gets no new sessions; those there are stay.", name=name)
    )
    flash(request, "success", sentence)
    if not is_on and (work.ahead or work.notes):
        return redirect(request, settings_path(ctx, f"performers/{performer_id}"))
    return redirect(request, settings_path(ctx, "performers"))


async def _list(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[PerformerForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_performers(uow)
        members = await _members(uow, ctx)
    view = PerformersView(
        tabs=settings_tabs(ctx, "performers"),
        rows=rows,
        base=settings_path(ctx, "performers"),
        form=form or blank(PerformerForm),
        members=members,
    )
    template = "tenants/settings/performers.html"
    return page(request, template, view, status_code=422 if form is not None else 200)


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    performer_id: UUID,
    form: Bound[PerformerForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_performer(uow, performer_id)
        work = await list_performer_work(uow, performer_id, services.clock.now())
        members = await _members(uow, ctx)
    view = PerformerView(
        tabs=settings_tabs(ctx, "performers"),
        row=row,
        base=settings_path(ctx, "performers"),
        form=form or blank(PerformerForm, {"name": row.name, "user_id": row.user_id}),
        members=members,
        work=work,
        app=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
    )
    template = "tenants/settings/performer.html"
    return page(request, template, view, status_code=422 if form is not None else 200)


async def _members(uow: UnitOfWork, ctx: RequestContext) -> list[tuple[str, str]]:
    """Anyone of the team may lead sessions, owners too."""
    return [
        (str(member.user_id), f"{member.name} ({member.email})")
        for member in await list_members(uow, ctx.here.id)
    ]


route_handlers = [
    show_performers,
    save_new_performer,
    show_performer,
    save_performer,
    switch_performer,
]
