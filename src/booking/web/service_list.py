"""/app/<slug>/services: what the business offers."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.services import get_service, set_service_active
from src.booking.queries.services import list_service_rows
from src.booking.views.services import ServiceListRow
from src.booking.web.lost_tags import warn_of_service_off
from src.booking.web.service_words import sales_mode_words, visibility_words
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import frozen
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]


class ServicesView(msgspec.Struct, frozen=True, kw_only=True):
    """The list of services; `frozen` are the kinds of them that the plan no longer has."""

    rows: list[ServiceListRow]
    base: str
    public: str
    zone: str
    frozen: list[str]
    payments_ready: bool
    words: dict[str, dict[str, str]]


@get("/app/{slug:str}/services", guards=MAY_EDIT, include_in_schema=False)
async def show_services(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_service_rows(uow, ctx.here, services.clock.now())
    view = ServicesView(
        rows=rows,
        base=f"/app/{ctx.here.slug}",
        public=f"/b/{ctx.here.slug}",
        zone=ctx.here.timezone,
        frozen=sorted({row.kind for row in rows if frozen(row.kind, ctx.here.entitlements)}),
        payments_ready=ctx.here.payments_ready,
        words={"sales_mode": sales_mode_words(), "visibility": visibility_words()},
    )
    return page(request, "booking/services/list.html", view)


@post(
    "/app/{slug:str}/services/{service_id:uuid}/active",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
)
async def switch_service(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    """On with `on=1`, off with anything else, and then with a word of the credits that need it."""
    active = (await read_form(request)).texts.get("on", [""])[-1] == "1"
    async with services.uow_factory(ctx.here.id) as uow:
        name = (await get_service(uow, service_id)).name
        await set_service_active(uow, ctx, service_id, active=active)
    said = _("Guests can see it again.") if active else _("Guests no longer see it.")
    flash(request, "success", said)
    if not active:
        await warn_of_service_off(request, services, ctx, service_id, name)
    return redirect(request, f"/app/{ctx.here.slug}/services")


route_handlers = [show_services, switch_service]
