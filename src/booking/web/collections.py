"""/app/<slug>/collections: what is sold together on a page of its own, and for whom."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.collections import (
    change_collection,
    create_collection,
    delete_collection,
    get_collection,
    move_collection,
    set_collection_active,
)
from src.booking.queries.collections import (
    access_by_thing,
    closed,
    get_collection_row,
    list_collections,
    list_items,
    list_offerable,
    names_of,
    opened,
)
from src.booking.queries.guest_collections import collection_path
from src.booking.views.collections import CollectionRow, ItemRow
from src.booking.web.collection_access import changing, tell_of_access
from src.booking.web.collection_forms import (
    Choice,
    CollectionForm,
    ThingsForm,
    choices_of,
    draft_of,
    initial_of,
    things_of,
)
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
MAY_EDIT = [*MAY_SEE, requires(Feature.COLLECTIONS)]
HOME = "/app/{slug:str}/collections"
ONE = HOME + "/{collection_id:uuid}"

AnyRequest = Request[Any, Any, Any]


class CollectionsView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_frozen` when the plan no longer has collections."""

    rows: list[CollectionRow]
    base: str
    is_frozen: bool


class CollectionFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `collection_id` is None for a new one, which begins with some of `choices`."""

    form: Any
    collection_id: UUID | None
    title: str
    base: str
    address: str
    choices: list[Choice]


class CollectionView(msgspec.Struct, frozen=True, kw_only=True):
    """`choices` is what can be put in beside what is in it."""

    row: CollectionRow
    items: list[ItemRow]
    form: Any
    choices: list[Choice]
    base: str
    here: str
    is_frozen: bool


class EndView(msgspec.Struct, frozen=True, kw_only=True):
    """Before it is switched off, or deleted: `opens` is what everybody could book from then on, and
    `closes` what only known customers could.
    """

    row: CollectionRow
    base: str
    here: str
    opens: list[str]
    closes: list[str]
    is_deleting: bool


@get(HOME, guards=MAY_SEE, include_in_schema=False)
async def show_collections(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_collections(uow)
    view = CollectionsView(rows=rows, base=_base(ctx), is_frozen=_is_frozen(ctx))
    return page(request, "booking/collections/list.html", view)


@get(HOME + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_collection(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    form = blank(CollectionForm, {"token": new_id()})
    return await _editor(request, services, ctx, form, None)


@post(HOME + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_collection(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    bound = bind(CollectionForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, None, status_code=422)
    collection_id = form.token or new_id()
    draft, things = draft_of(form), things_of(form.things)
    try:
        change = await changing(
            services, ctx, lambda uow: create_collection(uow, ctx, collection_id, draft, things)
        )
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _editor(request, services, ctx, bound, None, status_code=422)
    flash(request, "success", _("“%(name)s” is saved.", name=form.title.strip()))
    tell_of_access(request, change)
    return redirect(request, f"{_base(ctx)}/collections/{collection_id}")


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_collection(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    return await collection_page(request, services, ctx, collection_id, blank(ThingsForm, {}))


@get(ONE + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_collection_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        collection = await get_collection(uow, collection_id)
    form = blank(CollectionForm, initial_of(collection))
    return await _editor(request, services, ctx, form, collection_id)


@post(ONE + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_collection_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(CollectionForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, collection_id, status_code=422)
    draft = draft_of(form)
    try:
        change = await changing(
            services, ctx, lambda uow: change_collection(uow, ctx, collection_id, draft)
        )
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _editor(request, services, ctx, bound, collection_id, status_code=422)
    flash(request, "success", _("“%(name)s” is saved.", name=form.title.strip()))
    tell_of_access(request, change)
    return redirect(request, f"{_base(ctx)}/collections/{collection_id}")


@post(ONE + "/move", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def move_whole_collection(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    """Up with `up=1`, down with anything else."""
    up = await is_set(request, "up")
    async with services.uow_factory(ctx.here.id) as uow:
        await move_collection(uow, ctx, collection_id, up=up)
    return redirect(request, f"{_base(ctx)}/collections")


@post(ONE + "/on", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def switch_collection_on(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    change = await changing(
        services, ctx, lambda uow: set_collection_active(uow, ctx, collection_id, active=True)
    )
    flash(request, "success", _("The collection has its page again."))
    tell_of_access(request, change)
    return redirect(request, f"{_base(ctx)}/collections/{collection_id}")


@get(ONE + "/off", guards=MAY_SEE, include_in_schema=False)
async def ask_switch_collection_off(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done."""
    return await _ask(request, services, ctx, collection_id, is_deleting=False)


@post(ONE + "/off", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def switch_collection_off(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        title = await set_collection_active(uow, ctx, collection_id, active=False)
    flash(request, "success", _("“%(name)s” is off: its page is gone.", name=title))
    return redirect(request, f"{_base(ctx)}/collections/{collection_id}")


@get(ONE + "/delete", guards=MAY_SEE, include_in_schema=False)
async def ask_delete_collection(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done."""
    return await _ask(request, services, ctx, collection_id, is_deleting=True)


@post(ONE + "/delete", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def remove_collection(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    collection_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        title = await delete_collection(uow, ctx, collection_id)
    flash(request, "success", _("“%(name)s” is deleted.", name=title))
    return redirect(request, f"{_base(ctx)}/collections")


def _base(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


def _is_frozen(ctx: RequestContext) -> bool:
    return not ctx.here.entitlements.has(Feature.COLLECTIONS)


async def is_set(request: AnyRequest, name: str) -> bool:
    return (await read_form(request)).texts.get(name, [""])[-1] == "1"


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[CollectionForm],
    collection_id: UUID | None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        is_new = collection_id is None
        choices = await list_offerable(uow, only_current=True) if is_new else []
        found = None if collection_id is None else await get_collection(uow, collection_id)
    base_url = services.settings.base_url
    view = CollectionFormView(
        form=form,
        collection_id=collection_id,
        title=found.title if found is not None else "",
        base=_base(ctx),
        address=f"{base_url}{collection_path(ctx.here.slug, '')}",
        choices=choices_of(choices),
    )
    return page(request, "booking/collections/form.html", view, status_code=status_code)


async def collection_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    collection_id: UUID,
    form: Bound[ThingsForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    base = _base(ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_collection_row(uow, collection_id)
        items = await list_items(uow, base, collection_id)
        has = {one.thing for one in items}
        others = await list_offerable(uow, only_current=True)
        others = [one for one in others if one.thing not in has]
    view = CollectionView(
        row=row,
        items=items,
        form=form,
        choices=choices_of(others),
        base=base,
        here=f"{base}/collections/{collection_id}",
        is_frozen=_is_frozen(ctx),
    )
    return page(request, "booking/collections/show.html", view, status_code=status_code)


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    collection_id: UUID,
    *,
    is_deleting: bool,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_collection_row(uow, collection_id)
        before = await access_by_thing(uow)
        after = await access_by_thing(uow, without=collection_id)
        opens = await names_of(uow, opened(before, after))
        closes = await names_of(uow, closed(before, after))
    view = EndView(
        row=row,
        base=f"{_base(ctx)}/collections",
        here=f"{_base(ctx)}/collections/{collection_id}",
        opens=opens,
        closes=closes,
        is_deleting=is_deleting,
    )
    return page(request, "booking/collections/end.html", view)


route_handlers: list[Any] = [
    show_collections,
    show_new_collection,
    save_new_collection,
    show_collection,
    show_collection_form,
    save_collection_form,
    move_whole_collection,
    switch_collection_on,
    ask_switch_collection_off,
    switch_collection_off,
    ask_delete_collection,
    remove_collection,
]
