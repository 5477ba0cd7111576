"""/admin/requests: who waits for a plan, and the answers."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.plan_requests import decline_request
from src.tenants.context import RequestContext
from src.tenants.queries.plan_requests import count_requests, find_request, list_requests
from src.tenants.views.admin import RequestRow


class RequestsView(msgspec.Struct, frozen=True, kw_only=True):
    """The inbox; `tabs` as macros/parts.html wants them."""

    rows: list[RequestRow]
    state: str
    tabs: list[tuple[str, str, bool, int]]


class DeclineForm(msgspec.Struct):
    """What the business reads."""

    answer: Annotated[str, Meta(max_length=1000)] = ""


class DeclineView(msgspec.Struct, frozen=True, kw_only=True):
    """A request before it is declined."""

    request: RequestRow
    form: Any


@get("/requests", include_in_schema=False)
async def show_requests(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    names = {"open": _("Open"), "done": _("Done"), "declined": _("Declined")}
    wanted = request.query_params.get("state", "open")
    state = wanted if wanted in names else "open"
    async with services.uow_factory(None) as uow:
        rows = await list_requests(uow, state)
        counts = await count_requests(uow)
    tabs = [
        (name, f"/admin/requests?state={key}", key == state, counts[key])
        for key, name in names.items()
    ]
    return page(
        request, "tenants/admin/requests.html", RequestsView(rows=rows, state=state, tabs=tabs)
    )


@get("/requests/{request_id:uuid}/decline", include_in_schema=False)
async def ask_for_answer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    request_id: FromPath[UUID],
) -> Response[bytes]:
    return await _decline_page(request, services, request_id, blank(DeclineForm))


@post("/requests/{request_id:uuid}/decline", status_code=200, include_in_schema=False)
async def decline(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    request_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(DeclineForm, await read_form(request))
    if bound.struct is None:
        return await _decline_page(request, services, request_id, bound, status_code=422)
    asked = await _request(services, request_id)
    try:
        async with services.uow_factory(asked.tenant_id) as uow:
            await decline_request(uow, ctx, request_id, bound.struct.answer)
    except Conflict as meanwhile:
        flash(request, "info", meanwhile.message)
    else:
        flash(request, "success", _("Declined. The one who asked is told by mail."))
    return redirect(request, "/admin/requests")


async def _decline_page(
    request: Request[Any, Any, Any],
    services: Services,
    request_id: UUID,
    bound: Bound[DeclineForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = DeclineView(request=await _request(services, request_id), form=bound)
    return page(request, "tenants/admin/decline.html", view, status_code=status_code)


async def _request(services: Services, request_id: UUID) -> RequestRow:
    async with services.uow_factory(None) as uow:
        found = await find_request(uow, request_id)
    if found is None:
        raise NotFound(_("There is no such request."))
    return found
