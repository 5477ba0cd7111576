"""A guest who moves an appointment: a day and a time, what it means, one press."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.reschedule import Reschedule, reschedule
from src.booking.commands.slots import SlotTaken
from src.booking.domain.appointment_terms import SlotWish
from src.booking.guest_links import open_link
from src.booking.queries.rescheduling import AskedTime, get_reschedule_page
from src.booking.views.leaving import ReschedulePage
from src.booking.web.appointment_page import picked_of
from src.booking.web.guest_leaving import limit_guest
from src.booking.web.guest_page import PRIVATE, PUBLIC
from src.booking.web.guest_subject import read_moment
from src.booking.web.hub import uuid_of
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

TEMPLATE = "booking/guest/reschedule.html"
HOME = "/b/{slug:str}/bookings/{token:str}/time"


@get(HOME, opt=PUBLIC)
async def show_times(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The free times for the appointment `?date=`; with `at=` what it means. Nothing is done.
    Without a date it leads to the booking, where one is chosen.
    """
    if "date" not in request.query_params:
        await open_link(services, ctx, token)
        return redirect(request, request.scope["path"].removesuffix("/time"))
    asked = await _asked(request, services, ctx, token)
    return page(request, TEMPLATE, await _view(services, ctx, asked), headers=PRIVATE)


@post(HOME, opt=PUBLIC, status_code=200)
async def send_time(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Moves it to `at=`; pressed again it changes nothing."""
    asked = await _asked(request, services, ctx, token)
    await limit_guest(request, services, asked.order_id)
    try:
        await _move(services, ctx, asked)
    except Conflict as refusal:
        if isinstance(refusal, SlotTaken):
            asked = msgspec.structs.replace(asked, to_at=None)
        view = await _view(services, ctx, asked)
        shown = msgspec.structs.replace(view, refusal=refusal.message)
        return page(request, TEMPLATE, shown, status_code=refusal.status, headers=PRIVATE)
    flash(request, "success", _("Done. Your new time is below, and a mail says so, too."))
    return redirect(request, request.scope["path"].removesuffix("/time"))


async def _move(services: Services, ctx: RequestContext, asked: AskedTime) -> None:
    """Raises: NotFound, Conflict."""
    view = await _view(services, ctx, asked)
    if asked.to_at is None:
        raise NotFound(_("There is no such time."))
    minutes = int((view.ends_at - view.starts_at).total_seconds() // 60)
    slot = SlotWish(starts_at=asked.to_at, minutes=minutes, performer_id=view.performer_id)
    cmd = Reschedule(order_id=asked.order_id, session_id=asked.session_id, slot=slot)
    async with services.uow_factory(ctx.here.id) as uow:
        await reschedule(uow, ctx.here, cmd)


async def _asked(
    request: AnyRequest, services: Services, ctx: RequestContext, token: str
) -> AskedTime:
    """Raises: NotFound, Gone."""
    order_id = await open_link(services, ctx, token)
    session_id = uuid_of(request.query_params.get("date", ""))
    if session_id is None:
        raise NotFound(_("There is no such date in this booking."))
    at = request.query_params.get("at", "")
    to_at = read_moment(at)
    if at and to_at is None:
        raise NotFound(_("There is no such time."))
    return AskedTime(
        order_id=order_id,
        session_id=session_id,
        picked=picked_of(request),
        to_at=to_at,
        keeps_performer="with" not in request.query_params,
    )


async def _view(services: Services, ctx: RequestContext, asked: AskedTime) -> ReschedulePage:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_reschedule_page(uow, ctx.here, services.settings, asked)


route_handlers: list[Any] = [show_times, send_time]
