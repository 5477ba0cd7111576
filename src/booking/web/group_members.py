"""Who is in a group: taken in and off by staff, and by what they buy."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.group_members import add_member, remove_member
from src.booking.commands.groups import set_givers
from src.booking.domain.seen import CHANGED_MEANWHILE
from src.booking.web.collection_forms import things_of
from src.booking.web.group_forms import GiversForm, JoinForm
from src.booking.web.groups import MAY_EDIT, MAY_SEE, ONE, base_of, group_page
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, redirect
from src.tenants.commands.customers import no_such_customer
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]


@post(ONE + "/members", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def take_in(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(JoinForm, await read_form(request)).struct
    if form is None:
        raise no_such_customer()
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            is_new = await add_member(uow, ctx, group_id, form.customer_id)
    except Conflict as refused:
        flash(request, "warning", refused.message)
    else:
        said = _("They are a member now.") if is_new else _("They stay a member by your hand.")
        flash(request, "success", said)
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}#members")


@post(
    ONE + "/members/{group_member_id:uuid}/remove",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def take_off(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
    group_member_id: FromPath[UUID],
) -> Response[bytes]:
    """They can be taken in again. No mail is sent."""
    async with services.uow_factory(ctx.here.id) as uow:
        await remove_member(uow, ctx, group_id, group_member_id)
    flash(request, "success", _("They are not a member any more. No mail was sent."))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}#members")


@post(ONE + "/givers", guards=MAY_EDIT, status_code=200, include_in_schema=False, shown_at=ONE)
async def save_givers(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    group_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(GiversForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await group_page(request, services, ctx, group_id, bound)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await set_givers(uow, ctx, group_id, things_of(form.things), form.seen)
    except InvalidInput as refused:
        return await group_page(request, services, ctx, group_id, bound.refused(refused))
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        return await group_page(request, services, ctx, group_id, bound, refused)
    flash(request, "success", _("Saved. Whoever buys one of these from now on becomes a member."))
    return redirect(request, f"{base_of(ctx)}/groups/{group_id}#givers")


route_handlers: list[Any] = [take_in, take_off, save_givers]
