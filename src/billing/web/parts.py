"""/app/<slug>/orders/<order>/parts: a part of a price taken on site, or let go."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.instalments import get_part
from src.billing.commands.orders import get_order
from src.billing.commands.parts_by_staff import LONGEST_REASON, take_part_on_site, waive_part
from src.billing.queries.parts import list_part_views
from src.billing.views.parts import PartView
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.money import format_money
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
ONE = "/app/{slug:str}/orders/{order_id:uuid}/parts/{part_id:uuid}"

AnyRequest = Request[Any, Any, Any]


class WaiveForm(msgspec.Struct):
    reason: Annotated[str, Meta(max_length=2 * LONGEST_REASON)] = ""


class WaivePage(msgspec.Struct, frozen=True, kw_only=True):
    """What follows of letting a guest off a part, before it is done."""

    slug: str
    order_id: UUID
    reference: str
    guest_name: str
    guest_email: str
    currency: str
    part: PartView
    of: int
    form: Bound[WaiveForm]


@post(ONE + "/paid", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def send_part_paid(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
) -> Response[bytes]:
    """The business took it itself; pressed again it changes nothing."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            taken = await take_part_on_site(uow, ctx, order_id, part_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        if taken.amount_minor:
            amount = format_money(taken, current_locale())
            flash(request, "success", _("Marked %(amount)s as paid.", amount=amount))
        else:
            flash(request, "info", _("It is paid already; nothing was changed."))
    return _back(request, ctx, order_id)


@get(ONE + "/waive", guards=MAY_SEE, include_in_schema=False)
async def ask_waive_part(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
) -> Response[bytes]:
    return await _ask(request, services, ctx, order_id, part_id, blank(WaiveForm, {}))


@post(ONE + "/waive", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def send_waive_part(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
) -> Response[bytes]:
    """With a reason; pressed again it changes nothing."""
    form = bind(WaiveForm, await read_form(request))
    if form.struct is None:
        return await _ask(request, services, ctx, order_id, part_id, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            done = await waive_part(uow, ctx, order_id, part_id, form.struct.reason)
    except InvalidInput as refusal:
        return await _ask(request, services, ctx, order_id, part_id, form.refused(refusal))
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        said = _("The part need not be paid.") if done else _("It was not asked any more.")
        flash(request, "success" if done else "info", said)
    return _back(request, ctx, order_id)


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    part_id: UUID,
    form: Bound[WaiveForm],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await get_part(uow, order_id, part_id)
        order = await get_order(uow, order_id)
        parts = await list_part_views(uow, order_id, ctx.here.zone)
    view = WaivePage(
        slug=ctx.here.slug,
        order_id=order_id,
        reference=order.reference,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        currency=order.currency,
        part=next(part for part in parts if part.id == part_id),
        of=len(parts),
        form=form,
    )
    status = 422 if form.errors else 200
    return page(request, "billing/waive_part.html", view, status_code=status)


def _back(request: AnyRequest, ctx: RequestContext, order_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/orders/{order_id}")


route_handlers: list[Any] = [send_part_paid, ask_waive_part, send_waive_part]
