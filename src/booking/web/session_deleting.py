"""/app/<slug>/sessions/<id>/delete: taking back a date that nobody ever booked."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.session_deleting import delete_session, why_not_deletable
from src.booking.commands.sessions import get_session
from src.booking.queries.sessions import get_session_detail
from src.booking.views.sessions import SessionDetail
from src.booking.web.lost_tags import warn_of_lost_tags
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]


class DeleteView(msgspec.Struct, frozen=True, kw_only=True):
    """What taking a session back means; `why_not` when it has to stay."""

    session: SessionDetail
    base: str
    zone: str
    why_not: str | None


@get("/app/{slug:str}/sessions/{session_id:uuid}/delete", guards=MAY_EDIT, include_in_schema=False)
async def show_deleting(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Says what would go before it asks."""
    async with services.uow_factory(ctx.here.id) as uow:
        why_not = await why_not_deletable(uow, await get_session(uow, session_id))
        detail = await get_session_detail(uow, session_id)
    view = DeleteView(
        session=detail, base=f"/app/{ctx.here.slug}", zone=ctx.here.timezone, why_not=why_not
    )
    return page(request, "booking/sessions/delete.html", view)


@post(
    "/app/{slug:str}/sessions/{session_id:uuid}/delete",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
)
async def delete_it(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        tags = (await get_session(uow, session_id)).tags
        service_id = await delete_session(uow, ctx, session_id)
    flash(request, "success", _("The session is gone. Nobody had booked it."))
    await warn_of_lost_tags(request, services, ctx, tags)
    return redirect(request, f"/app/{ctx.here.slug}/services/{service_id}/sessions")


route_handlers = [show_deleting, delete_it]
