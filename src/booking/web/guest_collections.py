"""The page of a collection, and the same to be put into the business's own site.

What is for everybody is kept for a moment, as the hub is. What is for established customers is made
for each of them, and nobody keeps it; a frame shows nothing of it but the way to its page.
"""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.guest_collections import (
    Found,
    collection_path,
    find_collection,
    get_collection_page,
)
from src.booking.views.collections import CollectionPageView
from src.booking.web.for_established import PRIVATE, kept_frame, require_established
from src.booking.web.hub import FRESH
from src.booking.web.page_cache import PageCache
from src.platform.i18n import current_locale
from src.platform.services import Services
from src.platform.web.pages import cacheable_page, may_be_cached, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests look at a collection before they book what is in it."}
EMBEDDED = {
    "public": "The page of a collection, for the business's own site.",
    "embeddable": True,
    "session": False,
}
TEMPLATE = "booking/guest/collection.html"
EMBED_TEMPLATE = "booking/guest/collection_embed.html"

collection_pages = PageCache(fresh=FRESH)


@get("/b/{slug:str}/collections/{collection_slug:str}", opt=PUBLIC)
async def show_collection_page(
    request: AnyRequest,
    collection_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """An address that it had before leads on. One for established customers is shown to these."""
    found = await _find(services, ctx, collection_slug)
    if found.moved:
        return redirect(request, collection_path(ctx.here.slug, found.slug))
    if found.established_only:
        await require_established(request, services, ctx)
        view = await _view(services, ctx, found, to_established=True)
        return page(request, TEMPLATE, view, headers=PRIVATE)
    if not may_be_cached(request):
        return page(request, TEMPLATE, await _view(services, ctx, found))

    async def make() -> Any:
        return cacheable_page(request, TEMPLATE, await _view(services, ctx, found))

    key = (ctx.here.id, current_locale(), found, "page")
    now = services.clock.now()
    return (await collection_pages.get(key, ctx.here, now, make)).respond(request)


@get("/embed/{slug:str}/collections/{collection_slug:str}", opt=EMBEDDED)
async def embedded_collection(
    request: AnyRequest,
    collection_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The cards alone; each leads out of the frame, since booking needs cookies of our own."""
    found = await _find(services, ctx, collection_slug)

    async def make() -> Any:
        if found.established_only:
            href = collection_path(ctx.here.slug, found.slug)
            return kept_frame(request, href)
        return cacheable_page(request, EMBED_TEMPLATE, await _view(services, ctx, found))

    key = (ctx.here.id, current_locale(), found, "embed")
    now = services.clock.now()
    return (await collection_pages.get(key, ctx.here, now, make)).respond(request)


async def _find(services: Services, ctx: RequestContext, collection_slug: str) -> Found:
    """Raises: NotFound."""
    async with services.uow_factory(ctx.here.id) as uow:
        return await find_collection(uow, ctx.here, collection_slug)


async def _view(
    services: Services, ctx: RequestContext, found: Found, *, to_established: bool = False
) -> CollectionPageView:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_collection_page(
            uow,
            ctx.here,
            found.id,
            services.settings.base_url,
            to_established=to_established,
        )


route_handlers: list[Any] = [show_collection_page, embedded_collection]
