"""How long a waiting list is, over the API. Who is on it stays in the dashboard: they are no
customers yet, and wait on what their link says.
"""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.sessions import get_session
from src.booking.queries.api import get_series_out
from src.booking.queries.waitlist_counts import count_list
from src.booking.views.waiting import WaitlistOut
from src.booking.web.api.refusals import refusals
from src.platform.services import Services
from src.tenants.context import RequestContext


@get(
    "/sessions/{session_id:uuid}/waitlist",
    summary="Count who waits for a session",
    responses=refusals(404),
)
async def api_count_session_list(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> WaitlistOut:
    """Of its own list; who waits for all dates of its series is on the series'."""
    async with services.uow_factory(ctx.here.id) as uow:
        await get_session(uow, session_id)
        return await count_list(uow, "session", session_id)


@get(
    "/series/{series_id:uuid}/waitlist",
    summary="Count who waits for a series",
    responses=refusals(404),
)
async def api_count_series_list(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> WaitlistOut:
    """Of its own list; each of its dates may have one of its own."""
    async with services.uow_factory(ctx.here.id) as uow:
        await get_series_out(uow, ctx.here, series_id)
        return await count_list(uow, "series", series_id)


route_handlers = [api_count_session_list, api_count_series_list]
