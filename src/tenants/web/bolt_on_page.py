"""/app/<slug>/plan/bolt-ons: what a bolt-on would change, asking for it, and removing it."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.bolt_ons import RemoveBoltOn, remove_bolt_on
from src.tenants.commands.plan_requests import RequestBoltOn, request_bolt_on
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role, reaches
from src.tenants.queries.tenant_bolt_ons import get_bolt_on
from src.tenants.views.plans import BoltOnView
from src.tenants.web.guards import requires_member

MAY_ASK = [requires_member(Role.MANAGER)]
MAY_REMOVE = [requires_member(Role.OWNER)]


class BoltOnPage(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on before a step is made."""

    bolt_on: BoltOnView
    may_remove: bool


class AskForm(msgspec.Struct):
    """What the bolt-on is wanted for."""

    wanted_for: Annotated[str, Meta(max_length=200)] = ""


class RemoveForm(msgspec.Struct):
    """The holding that was looked at."""

    held_id: UUID


@get("/app/{slug:str}/plan/bolt-ons/{bolt_on:str}", guards=MAY_ASK, include_in_schema=False)
async def show_bolt_on(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    """What it would change, before it is asked for; of one that is had, what it does."""
    view = await _view(services, ctx, bolt_on)
    role = ctx.actor.role
    may_remove = view.held_id is not None and role is not None and reaches(role, Role.OWNER)
    shown = BoltOnPage(bolt_on=view, may_remove=may_remove)
    return page(request, "tenants/plans/bolt_on.html", shown)


@post(
    "/app/{slug:str}/plan/bolt-ons/{bolt_on:str}",
    guards=MAY_ASK,
    status_code=200,
    include_in_schema=False,
)
async def ask_for_bolt_on(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    """Asks once; a second click finds the same request."""
    form = bind(AskForm, await read_form(request)).struct or AskForm()
    cmd = RequestBoltOn(key=bolt_on, wanted_for=form.wanted_for)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await request_bolt_on(uow, ctx, cmd)
    except InvalidInput as refusal:
        flash(request, "info", refusal.message)
    else:
        flash(request, "success", _("Asked. We will be in touch by mail."))
    return redirect(request, f"/app/{ctx.here.slug}/plan")


@get(
    "/app/{slug:str}/plan/bolt-ons/{bolt_on:str}/remove", guards=MAY_REMOVE, include_in_schema=False
)
async def ask_about_own_removal(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    """What removing it does, before it is done."""
    view = await _view(services, ctx, bolt_on)
    if view.held_id is None:
        flash(request, "info", _("You do not have this bolt-on."))
        return redirect(request, f"/app/{ctx.here.slug}/plan")
    return page(request, "tenants/plans/bolt_on_remove.html", view)


@post(
    "/app/{slug:str}/plan/bolt-ons/{bolt_on:str}/remove",
    guards=MAY_REMOVE,
    status_code=200,
    include_in_schema=False,
)
async def remove_own_bolt_on(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    form = bind(RemoveForm, await read_form(request)).struct
    if form is None:
        return redirect(request, f"/app/{ctx.here.slug}/plan/bolt-ons/{bolt_on}/remove")
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            name = await remove_bolt_on(uow, ctx, RemoveBoltOn(key=bolt_on, held_id=form.held_id))
    except Conflict as meanwhile:
        flash(request, "info", meanwhile.message)
    else:
        flash(request, "success", _("%(bolt_on)s is removed. It no longer counts.", bolt_on=name))
    return redirect(request, f"/app/{ctx.here.slug}/plan")


async def _view(services: Services, ctx: RequestContext, key: str) -> BoltOnView:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_bolt_on(uow, ctx.here, key, services.clock.now())
