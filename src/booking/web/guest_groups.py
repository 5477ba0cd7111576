"""/b/<slug>/me/groups: the groups that a guest is in, for nobody else."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.group_members import leave_group, show_name
from src.booking.guest_links import group_path
from src.booking.queries.guest_groups import (
    MENU,
    POSTS_A_PAGE,
    FoundGroup,
    find_own_group,
    get_page_of_post,
    list_names,
    list_own_groups,
    list_read_posts,
    words_for,
)
from src.booking.views.groups import GroupPageView, LeaveGroupView, OwnGroupsView
from src.booking.web.portal import page_of
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.wording import fill
from src.tenants.portal_sections import Portal, portal_head
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

AnyRequest = Request[Any, Any, Any]
LIST = f"{ME}/groups"
ONE = LIST + "/{group_slug:str}"


class ShownForm(msgspec.Struct, kw_only=True):
    """Whether the other members may read the guest's name."""

    is_shown: bool = False


@get(LIST, opt=GUESTS)
async def show_own_groups(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_own_groups(uow, portal)
    view = OwnGroupsView(head=portal_head(portal, MENU), rows=rows)
    return page(request, "booking/portal/groups.html", view, headers=PRIVATE)


@get(ONE, opt=GUESTS)
async def show_own_group(
    request: AnyRequest,
    group_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """An address that it had before leads on. Raises: NotFound for who is not in it."""
    portal, found = await _find(request, services, ctx, group_slug)
    path = group_path(ctx.here.slug, found.slug)
    if found.moved:
        return redirect(request, path)
    number = page_of(request.query_params.get("page", "1"))
    values = words_for(portal)
    async with services.uow_factory(ctx.here.id) as uow:
        posts = await list_read_posts(uow, found.id, values, number=number)
        names = await list_names(uow, found.id) if found.shows_members else None
    view = GroupPageView(
        head=portal_head(portal, MENU),
        title=found.title,
        about=fill(found.about, values),
        posts=posts[:POSTS_A_PAGE],
        names=names,
        is_shown=found.is_shown,
        path=path,
        zone=ctx.here.zone,
        is_first_page=number == 1,
        previous_href=f"{path}?page={number - 1}" if number > 1 else None,
        next_href=f"{path}?page={number + 1}" if len(posts) > POSTS_A_PAGE else None,
    )
    return page(request, "booking/portal/group.html", view, headers=PRIVATE)


@get(ONE + "/posts/{group_post_id:uuid}", opt=GUESTS)
async def show_own_post(
    request: AnyRequest,
    group_slug: FromPath[str],
    group_post_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Where mails lead: to the page of the group on which the post stands by now.

    Raises: NotFound for who is not in it, and once the post is deleted.
    """
    _portal, found = await _find(request, services, ctx, group_slug)
    path = group_path(ctx.here.slug, found.slug)
    async with services.uow_factory(ctx.here.id) as uow:
        number = await get_page_of_post(uow, found.id, group_post_id)
    query = f"?page={number}" if number > 1 else ""
    return redirect(request, f"{path}{query}#post-{group_post_id}")


@post(ONE + "/name", opt=GUESTS, status_code=200)
async def choose_to_be_shown(
    request: AnyRequest,
    group_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal, found = await _find(request, services, ctx, group_slug)
    form = bind(ShownForm, await read_form(request)).struct or ShownForm()
    async with services.uow_factory(ctx.here.id) as uow:
        await show_name(uow, found.id, portal.guest.customer_id, is_shown=form.is_shown)
    said = _("The other members can read your name.")
    flash(request, "success", said if form.is_shown else _("Your name is not shown."))
    return redirect(request, f"{group_path(ctx.here.slug, found.slug)}#members")


@get(ONE + "/leave", opt=GUESTS)
async def ask_to_leave(
    request: AnyRequest,
    group_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What follows, before it is done."""
    portal, found = await _find(request, services, ctx, group_slug)
    path = group_path(ctx.here.slug, found.slug)
    view = LeaveGroupView(head=portal_head(portal, MENU), title=found.title, path=path)
    return page(request, "booking/portal/group_leave.html", view, headers=PRIVATE)


@post(ONE + "/leave", opt=GUESTS, status_code=200)
async def leave_own_group(
    request: AnyRequest,
    group_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal, found = await _find(request, services, ctx, group_slug)
    async with services.uow_factory(ctx.here.id) as uow:
        await leave_group(uow, found.id, portal.guest.customer_id)
    flash(request, "success", _("You have left “%(name)s”.", name=found.title))
    return redirect(request, portal.path)


async def _find(
    request: AnyRequest, services: Services, ctx: RequestContext, group_slug: str
) -> tuple[Portal, FoundGroup]:
    """Raises: NotFound for who is not in it; what `open_portal` does for who is not signed in."""
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        found = await find_own_group(uow, ctx.here, portal.guest.customer_id, group_slug)
    return portal, found


route_handlers: list[Any] = [
    show_own_groups,
    show_own_group,
    show_own_post,
    choose_to_be_shown,
    ask_to_leave,
    leave_own_group,
]
