"""What is in a collection: put in, taken out, and in which order."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.collections import (
    add_to_collection,
    move_in_collection,
    take_out_of_collection,
)
from src.booking.web.collection_access import changing, tell_of_access
from src.booking.web.collection_forms import ThingsForm, things_of
from src.booking.web.collections import MAY_EDIT, MAY_SEE, ONE, collection_page, is_set
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]


@post(ONE + "/items", guards=MAY_EDIT, status_code=200, include_in_schema=False, shown_at=ONE)
async def add_things(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(ThingsForm, await read_form(request))
    things = things_of(bound.struct.things if bound.struct is not None else ())
    if not things:
        said = _("Please tick what to add.")
        bound = bound.with_errors({"things": said})
        return await collection_page(request, services, ctx, collection_id, bound, status_code=422)
    try:
        change = await changing(
            services, ctx, lambda uow: add_to_collection(uow, ctx, collection_id, things)
        )
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await collection_page(request, services, ctx, collection_id, bound, status_code=422)
    tell_of_access(request, change)
    return redirect(request, f"/app/{ctx.here.slug}/collections/{collection_id}#items")


@post(
    ONE + "/items/{collection_item_id:uuid}/move",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def move_item(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
    collection_item_id: FromPath[UUID],
) -> Response[bytes]:
    """Up with `up=1`, down with anything else."""
    up = await is_set(request, "up")
    async with services.uow_factory(ctx.here.id) as uow:
        await move_in_collection(uow, ctx, collection_id, collection_item_id, up=up)
    return redirect(request, f"/app/{ctx.here.slug}/collections/{collection_id}#items")


@post(
    ONE + "/items/{collection_item_id:uuid}/remove",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def remove_item(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
    collection_item_id: FromPath[UUID],
) -> Response[bytes]:
    """It can be put back; what is for everybody by it is told."""
    change = await changing(
        services,
        ctx,
        lambda uow: take_out_of_collection(uow, ctx, collection_id, collection_item_id),
    )
    tell_of_access(request, change)
    return redirect(request, f"/app/{ctx.here.slug}/collections/{collection_id}#items")


route_handlers: list[Any] = [add_things, move_item, remove_item]
