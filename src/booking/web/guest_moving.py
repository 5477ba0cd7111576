"""A guest who comes on another date instead: choose one, see what it means, one press."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.orders import get_order
from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.swap import swap_seats
from src.booking.guest_links import booking_path, open_link
from src.booking.queries.guest_moving import Asked, get_move_page
from src.booking.views.leaving import MovePage
from src.booking.web.guest_leaving import limit_guest
from src.booking.web.guest_page import PRIVATE, PUBLIC
from src.booking.web.hub import uuid_of
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import FormData, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

TEMPLATE = "booking/guest/exchange.html"


@get("/b/{slug:str}/bookings/{token:str}/move", opt=PUBLIC)
async def show_move(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The dates to come to instead of `?date=`; with `to=` what it means. Nothing is done. Without
    a date it leads to the booking, where one is chosen.
    """
    if "date" not in request.query_params:
        await open_link(services, ctx, token)
        return redirect(request, request.scope["path"].removesuffix("/move"))
    asked = await _asked(request, services, ctx, token)
    view = await _view(services, ctx, asked)
    if asked.to is not None and view.chosen is None and not view.why_not:
        gone = _("This date cannot be had any more. Please choose another one.")
        view = msgspec.structs.replace(view, refusal=gone)
    return page(request, TEMPLATE, view, headers=PRIVATE)


@post("/b/{slug:str}/bookings/{token:str}/move", opt=PUBLIC, status_code=200)
async def send_move(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Exchanges the ticked places; pressed again it changes nothing."""
    asked = await _asked(request, services, ctx, token)
    await limit_guest(request, services, asked.order_id)
    data = await read_form(request)
    try:
        path = await _move(services, ctx, asked, data)
    except (Conflict, InvalidInput) as refusal:
        view = await _view(services, ctx, asked)
        shown = msgspec.structs.replace(view, refusal=refusal.message)
        return page(request, TEMPLATE, shown, status_code=refusal.status, headers=PRIVATE)
    flash(request, "success", _("Done. Your new date is below, and a mail says so, too."))
    return redirect(request, path or request.scope["path"].removesuffix("/move"))


async def _move(services: Services, ctx: RequestContext, asked: Asked, data: FormData) -> str:
    """Exchanges the places, or swaps them where a credit pays. Returns where their booking is, if
    it is another one.
    """
    cmd = _command(asked, data)
    async with services.uow_factory(ctx.here.id) as uow:
        if "swap" not in data.texts:
            await move_seats(uow, ctx.here, cmd)
            return ""
        done = await swap_seats(uow, ctx.here, cmd)
        order = await get_order(uow, done.order_id)
        return booking_path(services.settings, ctx.here.slug, order)


async def _asked(request: AnyRequest, services: Services, ctx: RequestContext, token: str) -> Asked:
    """Raises: NotFound, Gone."""
    order_id = await open_link(services, ctx, token)
    query = request.query_params
    session_id, to = uuid_of(query.get("date", "")), uuid_of(query.get("to", ""))
    if session_id is None or (to is None and query.get("to")):
        raise NotFound(_("There is no such date in this booking."))
    return Asked(order_id=order_id, session_id=session_id, to=to)


def _command(asked: Asked, data: FormData) -> MoveSeats:
    """Raises: InvalidInput when nobody is ticked, NotFound for what is no seat."""
    typed = data.texts.get("seat", [])
    seat_ids = [seat_id for one in typed if (seat_id := uuid_of(one)) is not None]
    if asked.to is None or len(seat_ids) != len(typed):
        raise NotFound(_("There is no such booking."))
    if not seat_ids:
        raise InvalidInput(_("Please say who comes on the other date."))
    return MoveSeats(
        order_id=asked.order_id,
        seat_ids=tuple(dict.fromkeys(seat_ids)),
        session_id=asked.to,
        seen_sequence=_number(data),
    )


def _number(data: FormData) -> int | None:
    typed = data.texts.get("seen", [""])[-1]
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else None


async def _view(services: Services, ctx: RequestContext, asked: Asked) -> MovePage:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_move_page(uow, ctx.here, services.settings, asked)


route_handlers: list[Any] = [show_move, send_move]
