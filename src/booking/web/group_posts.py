"""Writing to a group: publishing, changing and deleting posts."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.group_posts import (
    change_post,
    delete_post,
    get_post,
    mark_of_post,
    publish_post,
)
from src.booking.domain.seen import CHANGED_MEANWHILE
from src.booking.queries.group_readers import count_readers
from src.booking.queries.groups import get_group_row, post_row
from src.booking.views.groups import GroupRow, PostRow
from src.booking.web.group_forms import PostForm, initial_of_post, saved_post
from src.booking.web.groups import MAY_EDIT, MAY_SEE, ONE, base_of
from src.booking.web.meanwhile import Fact, stale
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

POSTS = ONE + "/posts"
POST = POSTS + "/{group_post_id:uuid}"

AnyRequest = Request[Any, Any, Any]


class PostFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor of a post; `post` is None for a new one, which `readers` would get by mail.
    `meanwhile` is what somebody else saved.
    """

    form: Any
    meanwhile: list[Fact]
    row: GroupRow
    post: PostRow | None
    readers: int
    base: str
    here: str


class PostEndView(msgspec.Struct, frozen=True, kw_only=True):
    """Before a post is deleted."""

    row: GroupRow
    post: PostRow
    base: str
    here: str
    zone: str


@get(POSTS + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_post(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    form = blank(PostForm, {"token": new_id()})
    return await _editor(request, services, ctx, group_id, form)


@post(POSTS + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_post(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(PostForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, group_id, bound, status_code=422)
    post_id = form.token or new_id()
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await publish_post(uow, ctx, group_id, post_id, form.draft(), mail=form.mail)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _editor(request, services, ctx, group_id, bound, status_code=422)
    except Conflict as refused:
        flash(request, "warning", refused.message)
        return redirect(request, f"{base_of(ctx)}/groups/{group_id}")
    said = _("It is on the group's page, and goes by mail now.") if form.mail else ""
    flash(request, "success", said or _("It is on the group's page."))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}#posts")


@get(POST + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_post_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
    group_post_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_post(uow, group_id, group_post_id)
    form = blank(PostForm, initial_of_post(found))
    return await _editor(request, services, ctx, group_id, form, group_post_id)


@post(POST + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_post_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
    group_post_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(PostForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, group_id, bound, group_post_id, 422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_post(uow, ctx, group_id, group_post_id, form.draft(), form.seen)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _editor(request, services, ctx, group_id, bound, group_post_id, 422)
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        return await _editor(request, services, ctx, group_id, bound, group_post_id, 409, refused)
    flash(request, "success", _("The post is saved. No mail is sent again."))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}#posts")


@get(POST + "/delete", guards=MAY_SEE, include_in_schema=False)
async def ask_delete_post(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
    group_post_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done."""
    here = f"{base_of(ctx)}/groups/{group_id}"
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_group_row(uow, group_id)
        found = post_row(await get_post(uow, group_id, group_post_id))
    view = PostEndView(row=row, post=found, base=base_of(ctx), here=here, zone=ctx.here.timezone)
    return page(request, "booking/groups/post_end.html", view)


@post(POST + "/delete", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def remove_post(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
    group_post_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await delete_post(uow, ctx, group_id, group_post_id)
    flash(request, "success", _("The post is deleted."))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}#posts")


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    group_id: UUID,
    form: Bound[PostForm],
    post_id: UUID | None = None,
    status_code: int = 200,
    clash: Conflict | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_group_row(uow, group_id)
        readers = await count_readers(uow, group_id)
        found = await get_post(uow, group_id, post_id) if post_id is not None else None
    meanwhile = list[Fact]()
    if found is not None and clash is not None:
        meanwhile = saved_post(form, found)
        form = stale(form, PostForm, {"seen": mark_of_post(found)}, clash)
    view = PostFormView(
        form=form,
        meanwhile=meanwhile,
        row=row,
        post=None if found is None else post_row(found),
        readers=readers,
        base=base_of(ctx),
        here=f"{base_of(ctx)}/groups/{group_id}",
    )
    return page(request, "booking/groups/post_form.html", view, status_code=status_code)


route_handlers: list[Any] = [
    show_new_post,
    save_new_post,
    show_post_form,
    save_post_form,
    ask_delete_post,
    remove_post,
]
