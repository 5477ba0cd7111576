"""/admin/tenants/<id>/bolt-ons: giving a business a bolt-on, and taking it."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.bolt_ons import GiveBoltOn, RemoveBoltOn, give_bolt_on, remove_bolt_on
from src.tenants.context import RequestContext
from src.tenants.queries.tenant_bolt_ons import preview_step
from src.tenants.views.admin import BoltOnStepView

PLACE = "/tenants/{tenant_id:uuid}/bolt-ons/{bolt_on:str}"


class StepPage(msgspec.Struct, frozen=True, kw_only=True):
    """A step before it is made."""

    step: BoltOnStepView


class GiveForm(msgspec.Struct):
    """The version that was looked at."""

    version_id: UUID
    note: Annotated[str, Meta(max_length=500)] = ""


class TakeForm(msgspec.Struct):
    """The holding that was looked at."""

    held_id: UUID
    note: Annotated[str, Meta(max_length=500)] = ""


@get(f"{PLACE}/give", include_in_schema=False)
async def ask_about_giving(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    tenant_id: FromPath[UUID],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    """What giving it does, before it is done."""
    step = await _step(services, tenant_id, bolt_on)
    if step.held_id is not None:
        flash(request, "info", _("The business has this bolt-on already."))
        return redirect(request, f"/admin/tenants/{tenant_id}")
    if not step.is_active:
        flash(request, "info", _("This bolt-on is not given to anybody any more."))
        return redirect(request, f"/admin/tenants/{tenant_id}")
    return page(request, "tenants/admin/bolt_on_give.html", StepPage(step=step))


@post(f"{PLACE}/give", status_code=200, include_in_schema=False)
async def give(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    tenant_id: FromPath[UUID],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    form = bind(GiveForm, await read_form(request)).struct
    if form is None:
        return redirect(request, f"/admin/tenants/{tenant_id}/bolt-ons/{bolt_on}/give")
    cmd = GiveBoltOn(key=bolt_on, version_id=form.version_id, note=form.note)
    try:
        async with services.uow_factory(tenant_id) as uow:
            await give_bolt_on(uow, ctx, cmd)
    except Conflict as meanwhile:
        flash(request, "warning", meanwhile.message)
    else:
        flash(request, "success", _("Given. It counts from now on; the owners are told by mail."))
    return redirect(request, f"/admin/tenants/{tenant_id}")


@get(f"{PLACE}/remove", include_in_schema=False)
async def ask_about_taking(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    tenant_id: FromPath[UUID],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    """What taking it does, before it is done."""
    step = await _step(services, tenant_id, bolt_on)
    if step.held_id is None:
        flash(request, "info", _("The business does not have this bolt-on."))
        return redirect(request, f"/admin/tenants/{tenant_id}")
    return page(request, "tenants/admin/bolt_on_remove.html", StepPage(step=step))


@post(f"{PLACE}/remove", status_code=200, include_in_schema=False)
async def take(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    tenant_id: FromPath[UUID],
    bolt_on: FromPath[str],
) -> Response[bytes]:
    form = bind(TakeForm, await read_form(request)).struct
    if form is None:
        return redirect(request, f"/admin/tenants/{tenant_id}/bolt-ons/{bolt_on}/remove")
    cmd = RemoveBoltOn(key=bolt_on, held_id=form.held_id, note=form.note)
    try:
        async with services.uow_factory(tenant_id) as uow:
            await remove_bolt_on(uow, ctx, cmd)
    except Conflict as meanwhile:
        flash(request, "info", meanwhile.message)
    else:
        flash(request, "success", _("Removed. The owners are told by mail."))
    return redirect(request, f"/admin/tenants/{tenant_id}")


async def _step(services: Services, tenant_id: UUID, key: str) -> BoltOnStepView:
    async with services.uow_factory(tenant_id) as uow:
        return await preview_step(uow, tenant_id, key, services.clock.now())
