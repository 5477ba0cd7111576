"""The page of one service, which can also be linked to directly."""

from typing import Any, cast

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.service_page import Asked, Side, get_service_page
from src.booking.web.hub import FRESH, uuid_of, wanted_of
from src.booking.web.own_holds import may_hold, own_holds
from src.booking.web.page_cache import PageCache
from src.platform.i18n import current_locale
from src.platform.services import Services
from src.platform.web.pages import cacheable_page, may_be_cached, page
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests look at a service before they book it."}
TEMPLATE = "booking/guest/service.html"

service_pages = PageCache(fresh=FRESH)


@get("/b/{slug:str}/{service_slug:str}", opt=PUBLIC)
async def service_page(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Description, dates and prices. `how` picks series or single dates, `series` shows an
    unlisted series, `month` and `after` move through the dates.
    """
    asked = _asked(request, service_slug)

    async def view() -> Any:
        async with services.uow_factory(ctx.here.id) as uow:
            return await get_service_page(uow, ctx.here, asked, services.settings.base_url)

    if may_hold(request):
        held = await own_holds(request, services, ctx, service_slug)
        return page(request, TEMPLATE, msgspec.structs.replace(await view(), held=held))

    async def make() -> Any:
        return cacheable_page(request, TEMPLATE, await view())

    if not may_be_cached(request):
        return page(request, TEMPLATE, await view())
    key = (ctx.here.id, current_locale(), asked)
    now = services.clock.now()
    return (await service_pages.get(key, ctx.here, now, make)).respond(request)


def _asked(request: AnyRequest, service_slug: str) -> Asked:
    query = request.query_params
    side = query.get("how")
    return Asked(
        slug=service_slug,
        side=cast("Side", side) if side in {"series", "single"} else None,
        series=uuid_of(query.get("series", "")),
        dates=wanted_of(request),
    )


route_handlers: list[Any] = [service_page]
