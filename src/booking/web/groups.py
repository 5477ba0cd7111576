"""/app/<slug>/groups: circles of customers, each with a page of its own."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.groups import (
    NEEDED,
    change_group,
    create_group,
    delete_group,
    get_group,
    mark_of_group,
    mark_of_things,
    set_group_active,
)
from src.booking.domain.seen import CHANGED_MEANWHILE
from src.booking.guest_links import group_path
from src.booking.queries.collections import list_offerable
from src.booking.queries.groups import (
    MEMBERS_A_PAGE,
    MOST_FOUND,
    POSTS_A_PAGE,
    find_joinable,
    get_group_row,
    list_givers,
    list_groups,
    list_members,
    list_posts,
)
from src.booking.views.groups import FoundCustomer, GroupRow, MemberRow, PostRow
from src.booking.web.collection_forms import Choice, choices_of
from src.booking.web.group_forms import (
    FindForm,
    GiversForm,
    GroupForm,
    draft_of,
    initial_of,
    saved_group,
)
from src.booking.web.meanwhile import Fact, of_choices, saved_now, stale
from src.booking.web.portal import page_of
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, form_data, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
MAY_EDIT = [*MAY_SEE, requires(NEEDED)]
HOME = "/app/{slug:str}/groups"
ONE = HOME + "/{group_id:uuid}"

AnyRequest = Request[Any, Any, Any]


class GroupsView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_frozen` when the plan no longer has such pages."""

    rows: list[GroupRow]
    base: str
    is_frozen: bool


class GroupFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `group_id` is None for a new one. `meanwhile` is what somebody else saved."""

    form: Any
    meanwhile: list[Fact]
    group_id: UUID | None
    title: str
    base: str


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """One group: what was written, who is in it and by what, and what gives it. `found` are those
    whom staff looked for, None where they did not; `meanwhile` is what somebody else has chosen.
    """

    row: GroupRow
    posts: list[PostRow]
    posts_pages: tuple[str | None, str | None]
    members: list[MemberRow]
    members_pages: tuple[str | None, str | None]
    find_form: Any
    found: list[FoundCustomer] | None
    has_more_found: bool
    givers_form: Any
    meanwhile: list[Fact]
    choices: list[Choice]
    base: str
    here: str
    link: str
    zone: str
    is_frozen: bool


class GroupEndView(msgspec.Struct, frozen=True, kw_only=True):
    """Before it is switched off, or deleted."""

    row: GroupRow
    base: str
    here: str
    is_deleting: bool


@get(HOME, guards=MAY_SEE, include_in_schema=False)
async def show_groups(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_groups(uow)
    view = GroupsView(rows=rows, base=base_of(ctx), is_frozen=is_frozen(ctx))
    return page(request, "booking/groups/list.html", view)


@get(HOME + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_group(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return await _editor(request, services, ctx, blank(GroupForm, {"token": new_id()}), None)


@post(HOME + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_group(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    bound = bind(GroupForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, None, 422)
    group_id = form.token or new_id()
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await create_group(uow, ctx, group_id, draft_of(form))
    except InvalidInput as refused:
        return await _editor(request, services, ctx, bound.refused(refused), None, 422)
    flash(request, "success", _("“%(name)s” is saved.", name=form.title.strip()))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}")


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_group(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    return await group_page(request, services, ctx, group_id)


@get(ONE + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_group_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        form = blank(GroupForm, initial_of(await get_group(uow, group_id)))
    return await _editor(request, services, ctx, form, group_id)


@post(ONE + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_group_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(GroupForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, group_id, 422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_group(uow, ctx, group_id, draft_of(form), form.seen)
    except InvalidInput as refused:
        return await _editor(request, services, ctx, bound.refused(refused), group_id, 422)
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        return await _editor(request, services, ctx, bound, group_id, 409, refused)
    flash(request, "success", _("“%(name)s” is saved.", name=form.title.strip()))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}")


@post(ONE + "/on", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def switch_group_on(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await set_group_active(uow, ctx, group_id, active=True)
    flash(request, "success", _("The group has its page again."))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}")


@get(ONE + "/off", guards=MAY_SEE, include_in_schema=False)
async def ask_switch_group_off(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done."""
    return await _ask(request, services, ctx, group_id, is_deleting=False)


@post(ONE + "/off", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def switch_group_off(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        title = await set_group_active(uow, ctx, group_id, active=False)
    flash(request, "success", _("“%(name)s” is off: its page is gone.", name=title))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}")


@get(ONE + "/delete", guards=MAY_SEE, include_in_schema=False)
async def ask_delete_group(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done."""
    return await _ask(request, services, ctx, group_id, is_deleting=True)


@post(ONE + "/delete", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def remove_group(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        title = await delete_group(uow, ctx, group_id)
    flash(request, "success", _("“%(name)s” is deleted.", name=title))
    return redirect(request, f"{base_of(ctx)}/groups")


def base_of(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


def is_frozen(ctx: RequestContext) -> bool:
    return not ctx.here.entitlements.has(NEEDED)


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[GroupForm],
    group_id: UUID | None,
    status_code: int = 200,
    clash: Conflict | None = None,
) -> Response[bytes]:
    title, meanwhile = "", list[Fact]()
    if group_id is not None:
        async with services.uow_factory(ctx.here.id) as uow:
            group = await get_group(uow, group_id)
        title = group.title
        if clash is not None:
            meanwhile = saved_group(form, group)
            form = stale(form, GroupForm, {"seen": mark_of_group(group)}, clash)
    view = GroupFormView(
        form=form, meanwhile=meanwhile, group_id=group_id, title=title, base=base_of(ctx)
    )
    return page(request, "booking/groups/form.html", view, status_code=status_code)


async def group_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    group_id: UUID,
    typed: Bound[GiversForm] | None = None,
    clash: Conflict | None = None,
) -> Response[bytes]:
    """With what was chosen where that was refused, for what `clash` says or in itself."""
    here = f"{base_of(ctx)}/groups/{group_id}"
    asked = bind(FindForm, form_data(request.query_params))
    words = asked.struct.find.strip() if asked.struct is not None else ""
    at, written = (page_of(request.query_params.get(name, "1")) for name in ("members", "posts"))
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_group_row(uow, group_id)
        posts = await list_posts(uow, group_id, number=written)
        members = await list_members(uow, group_id, number=at)
        given = await list_givers(uow, group_id)
        found = await find_joinable(uow, group_id, words) if words else None
        current = {one.thing for one in await list_offerable(uow, only_current=True)}
        every = await list_offerable(uow)
    chosen = {"things": [one.key for one in given], "seen": mark_of_things(given)}
    choices = choices_of([one for one in every if one.thing in current or one.thing in given])
    meanwhile = list[Fact]()
    if typed is not None and clash is not None:
        names = {"things": of_choices(choices)}
        meanwhile = saved_now(typed, GiversForm, chosen, {"things": _("Given by")}, names)
        typed = stale(typed, GiversForm, {"seen": chosen["seen"]}, clash)
    view = GroupView(
        row=row,
        posts=posts[:POSTS_A_PAGE],
        posts_pages=_pages(here, "posts", written, has_more=len(posts) > POSTS_A_PAGE),
        members=members[:MEMBERS_A_PAGE],
        members_pages=_pages(here, "members", at, has_more=len(members) > MEMBERS_A_PAGE),
        find_form=asked,
        found=found[:MOST_FOUND] if found is not None else None,
        has_more_found=len(found or ()) > MOST_FOUND,
        givers_form=typed or blank(GiversForm, chosen),
        meanwhile=meanwhile,
        choices=choices,
        base=base_of(ctx),
        here=here,
        link=f"{services.settings.base_url}{group_path(ctx.here.slug, row.slug)}",
        zone=ctx.here.timezone,
        is_frozen=is_frozen(ctx),
    )
    refused = 422 if clash is None else 409
    status_code = 200 if typed is None else refused
    return page(request, "booking/groups/show.html", view, status_code=status_code)


def _pages(here: str, name: str, number: int, *, has_more: bool) -> tuple[str | None, str | None]:
    """The pages before and after, None where there is none."""
    before = f"{here}?{name}={number - 1}#{name}" if number > 1 else None
    return before, f"{here}?{name}={number + 1}#{name}" if has_more else None


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    group_id: UUID,
    *,
    is_deleting: bool,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_group_row(uow, group_id)
    base = f"{base_of(ctx)}/groups"
    view = GroupEndView(row=row, base=base, here=f"{base}/{group_id}", is_deleting=is_deleting)
    return page(request, "booking/groups/end.html", view)


route_handlers: list[Any] = [
    show_groups,
    show_new_group,
    save_new_group,
    show_group,
    show_group_form,
    save_group_form,
    switch_group_on,
    ask_switch_group_off,
    switch_group_off,
    ask_delete_group,
    remove_group,
]
