"""The guest of a booking says who comes, by the signed link, until the first date begins."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.orders import get_order
from src.booking.commands.people import name_people, refuse_naming
from src.booking.guest_links import open_link
from src.booking.queries.people import get_people_of_order
from src.booking.views.people import BookingPeople
from src.booking.web.guest_leaving import limit_guest
from src.booking.web.guest_page import PRIVATE, PUBLIC
from src.booking.web.people import NamesForm
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext

HERE = "/b/{slug:str}/bookings/{token:str}/people"
TEMPLATE = "booking/guest/people.html"


class GuestPeopleView(msgspec.Struct, frozen=True, kw_only=True):
    """The form; `why_not` says why names cannot be changed any more, None while they can."""

    form: Bound[NamesForm]
    booking: BookingPeople
    why_not: str | None
    back: str


@get(HERE, opt=PUBLIC, include_in_schema=False)
async def show_people(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    order_id = await open_link(services, ctx, token)
    return await _show(request, services, ctx, order_id, None)


@post(HERE, opt=PUBLIC, status_code=200, include_in_schema=False)
async def send_people(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Pressed again it changes nothing."""
    order_id = await open_link(services, ctx, token)
    await limit_guest(request, services, order_id)
    form = bind(NamesForm, await read_form(request))
    if form.struct is None:
        return await _show(request, services, ctx, order_id, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await name_people(uow, ctx, order_id, form.struct.changed())
    except InvalidInput as refusal:
        return await _show(request, services, ctx, order_id, form.refused(refusal))
    except Conflict:
        return await _show(request, services, ctx, order_id, form)
    flash(request, "success", _("The names are saved."))
    return redirect(request, request.scope["path"].removesuffix("/people"))


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    form: Bound[NamesForm] | None,
) -> Response[bytes]:
    why_not = None
    async with services.uow_factory(ctx.here.id) as uow:
        booking = await get_people_of_order(uow, order_id)
        order = await get_order(uow, order_id)
        try:
            refuse_naming(booking, order.state, uow)
        except Conflict as refusal:
            why_not = refusal.message
    names = {one.participant_id: one.name for one in booking.people}
    view = GuestPeopleView(
        form=form or blank(NamesForm, {"names": names, "was": names}),
        booking=booking,
        why_not=why_not,
        back=request.scope["path"].removesuffix("/people"),
    )
    status = 200 if form is None else 409 if why_not else 422
    return page(request, TEMPLATE, view, status_code=status, headers=PRIVATE)


route_handlers: list[Any] = [show_people, send_people]
