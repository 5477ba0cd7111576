"""The page of packages, and the same to be put into the business's own site.

What everybody is shown alike is kept for a moment, as the hub is. Who is signed in gets a page of
their own with their credits below, which nobody keeps.
"""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.booking.queries.guest_packages import get_packages_page
from src.booking.queries.own_credits import get_own_lots
from src.booking.views.guest_packages import PackagesView
from src.booking.web.hub import FRESH
from src.booking.web.page_cache import PageCache
from src.platform.i18n import current_locale
from src.platform.services import Services
from src.platform.web.pages import cacheable_page, may_be_cached, page
from src.tenants.context import RequestContext
from src.tenants.web.portal import has_portal_cookie, portal_guest

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests look at packages before they buy one."}
EMBEDDED = {
    "public": "The page of packages, for the business's own site.",
    "embeddable": True,
    "session": False,
}
TEMPLATE = "booking/guest_packages/packages.html"
EMBED_TEMPLATE = "booking/guest_packages/embed.html"
PRIVATE = {"cache-control": "private, no-store"}

package_pages = PageCache(fresh=FRESH)


@get("/b/{slug:str}/packages", opt=PUBLIC)
async def packages_page(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What is on sale; below it, for who is signed in, what they own."""
    if has_portal_cookie(request, ctx):
        return page(request, TEMPLATE, await _own_page(request, services, ctx), headers=PRIVATE)
    if not may_be_cached(request):
        return page(request, TEMPLATE, await _view(services, ctx))

    async def make() -> Any:
        return cacheable_page(request, TEMPLATE, await _view(services, ctx))

    key = (ctx.here.id, current_locale(), "page")
    now = services.clock.now()
    return (await package_pages.get(key, ctx.here, now, make)).respond(request)


@get("/embed/{slug:str}/packages", opt=EMBEDDED)
async def embedded_packages(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The cards alone; each leads out of the frame, since a purchase needs cookies of our own."""

    async def make() -> Any:
        view = msgspec.structs.replace(await _view(services, ctx), is_embedded=True)
        return cacheable_page(request, EMBED_TEMPLATE, view)

    key = (ctx.here.id, current_locale(), "embed")
    now = services.clock.now()
    return (await package_pages.get(key, ctx.here, now, make)).respond(request)


async def _view(services: Services, ctx: RequestContext) -> PackagesView:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_packages_page(uow, ctx.here, services.settings.base_url)


async def _own_page(request: AnyRequest, services: Services, ctx: RequestContext) -> PackagesView:
    guest = await portal_guest(request, services, ctx)
    view = await _view(services, ctx)
    if guest is None:
        return view
    async with services.uow_factory(ctx.here.id) as uow:
        own = await get_own_lots(uow, ctx.here, services.settings, guest.customer_id)
    return msgspec.structs.replace(view, guest=guest, own=own)


route_handlers: list[Any] = [packages_page, embedded_packages]
