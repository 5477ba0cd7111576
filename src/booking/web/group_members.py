"""Who is in a group: taken in and off by staff."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.group_members import add_member, remove_member
from src.booking.web.group_forms import JoinForm
from src.booking.web.groups import MAY_EDIT, MAY_SEE, ONE, base_of
from src.platform.errors import Conflict
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


route_handlers: list[Any] = [take_in, take_off]
