"""Collections over the API, as their pages show them."""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.api_collections import get_collection_out, list_collections_out
from src.booking.views.api_collections import CollectionList, CollectionOut
from src.booking.web.api.refusals import refusals
from src.platform.services import Services
from src.tenants.context import RequestContext


@get("/collections", summary="List the collections for everybody", responses=refusals())
async def api_list_collections(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> CollectionList:
    """In the owner's order. Those for existing customers only are not among them: the API cannot
    tell who asks.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_collections_out(uow, ctx.here, services.settings.base_url)
    return CollectionList(items=found)


@get("/collections/{collection_id:uuid}", summary="Get a collection", responses=refusals(403, 404))
async def api_get_collection(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> CollectionOut:
    """403 `established_only` for one that is for existing customers only."""
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_collection_out(uow, ctx.here, services.settings.base_url, collection_id)


route_handlers = [api_list_collections, api_get_collection]
