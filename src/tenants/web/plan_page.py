"""/app/<slug>/plan: what the business has, what it uses, and asking for another plan."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.plan_requests import RequestPlan, request_plan
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.queries.own_plan import get_own_plan, get_plan_change
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.MANAGER)]


class AskForm(msgspec.Struct):
    """Which plan is asked for, and what it was wanted for."""

    plan: Annotated[str, Meta(max_length=60)]
    wanted_for: Annotated[str, Meta(max_length=200)] = ""


@get("/app/{slug:str}/plan", guards=MAY_SEE, include_in_schema=False)
async def show_own_plan(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_own_plan(uow, ctx.here, services.clock.now())
    return page(request, "tenants/plans/own.html", view)


@get("/app/{slug:str}/plan/{key:str}", guards=MAY_SEE, include_in_schema=False)
async def show_plan_change(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    key: FromPath[str],
) -> Response[bytes]:
    """What would change on that plan, before it is asked for."""
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_plan_change(uow, ctx.here, key, services.clock.now())
    return page(request, "tenants/plans/change.html", view)


@post("/app/{slug:str}/plan", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def ask_for_plan(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Asks once; a second click finds the same request."""
    form = bind(AskForm, await read_form(request)).struct
    if form is None:
        flash(request, "warning", _("Please choose a plan."))
        return redirect(request, f"/app/{ctx.here.slug}/plan")
    cmd = RequestPlan(plan_key=form.plan, wanted_for=form.wanted_for)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await request_plan(uow, ctx, cmd)
    except InvalidInput as refusal:
        flash(request, "info", refusal.message)
    else:
        flash(request, "success", _("Asked. We will be in touch by mail."))
    return redirect(request, f"/app/{ctx.here.slug}/plan")
