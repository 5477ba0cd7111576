"""The page of packages, and the same to be put into the business's own site.

What everybody is shown alike is kept for a moment, as the hub is. Who is signed in gets a page of
their own with their credits below, which nobody keeps.
"""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.booking.domain.collections import Thing, ThingKind
from src.booking.queries.guest_collections import make_cards
from src.booking.queries.guest_packages import get_packages_page
from src.booking.queries.kept import kept_packages
from src.booking.queries.own_credits import get_own_lots
from src.booking.views.collections import OfferCard, OfferFrameView
from src.booking.views.guest_packages import PackagesView
from src.booking.web.for_established import kept_frame
from src.booking.web.hub import FRESH, uuid_of
from src.booking.web.page_cache import PageCache
from src.platform.errors import NotFound
from src.platform.i18n import _, current_locale
from src.platform.services import Services
from src.platform.web.pages import CachedPage, cacheable_page, may_be_cached, page
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
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
OFFERS_TEMPLATE = "booking/guest/collection_embed.html"
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
    """The cards alone; each leads out of the frame, since a purchase needs cookies of our own. With
    `package` there is that one alone, unlisted ones too.
    """
    only = uuid_of(request.query_params.get("package", ""))

    async def make() -> Any:
        if only is not None:
            return await _one_embedded(request, services, ctx, only)
        view = msgspec.structs.replace(await _view(services, ctx), is_embedded=True)
        return cacheable_page(request, EMBED_TEMPLATE, view)

    key = (ctx.here.id, current_locale(), "embed", only)
    now = services.clock.now()
    return (await package_pages.get(key, ctx.here, now, make)).respond(request)


async def _one_embedded(
    request: AnyRequest, services: Services, ctx: RequestContext, package_id: UUID
) -> CachedPage:
    """Raises: NotFound for one that no guest may know of."""
    thing = Thing(ThingKind.PACKAGE, package_id)
    async with services.uow_factory(ctx.here.id) as uow:
        cards: dict[Thing, OfferCard] = {}
        if ctx.here.entitlements.has(Feature.PACKAGES):
            cards, _shop = await make_cards(uow, ctx.here, [thing])
        is_kept = package_id in await kept_packages(uow)
    if thing not in cards:
        raise NotFound(_("There is no such package."))
    if is_kept:
        href = f"/b/{ctx.here.slug}/packages/{package_id}"
        return kept_frame(request, href)
    view = OfferFrameView(title=cards[thing].name, cards=[cards[thing]])
    return cacheable_page(request, OFFERS_TEMPLATE, view)


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
