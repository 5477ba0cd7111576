"""/app/<slug>/bookings/<id>: what staff do about places held for a guest who was mailed a link to
pay: send it again, take the money on site, or release the places, consequences first.
"""

from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.domain.kinds import OrderState
from src.billing.processor import ProcessorError
from src.booking.held_places import Released, Taken, release_held, send_link_again, take_held
from src.booking.queries.buyers import get_booking_detail
from src.booking.queries.lists_toll import list_offerable, waiters_of
from src.booking.views.series import BookingDetail
from src.booking.web.move_words import list_facts
from src.booking.web.toll_words import Fact
from src.platform.errors import Conflict, Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.flash import Level
from src.platform.web.formats import Zone, datetime_local, money
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_RELEASE = [requires_member(Role.MANAGER)]
POST_OPTIONS: dict[str, Any] = {
    "guards": MAY_RELEASE,
    "status_code": 200,
    "include_in_schema": False,
}
ONE = "/app/{slug:str}/bookings/{booking_id:uuid}"

AnyRequest = Request[Any, Any, Any]
log = structlog.get_logger(__name__)


class LinkForm(msgspec.Struct):
    """`token` makes two presses one mail."""

    token: UUID | None = None


class ReleaseView(msgspec.Struct, frozen=True, kw_only=True):
    """Whose places would be free again, before they are; `facts` tell what becomes of who waits."""

    booking: BookingDetail
    facts: list[Fact]
    base: str
    zone: str


@post(ONE + "/link", **POST_OPTIONS)
async def send_link(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    """The mail with the link to pay once more; the time to pay stays what it was."""
    form = bind(LinkForm, await read_form(request)).struct
    token = (form.token if form is not None else None) or new_id()
    booking = await _booking(services, ctx, booking_id)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await send_link_again(uow, ctx, booking.order_id, token)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        said = _("The link to pay is on its way to %(to)s again.", to=booking.email)
        flash(request, "success", said)
    return _back(request, ctx, booking_id)


@post(ONE + "/paid", **POST_OPTIONS)
async def take_on_site(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    """The guest has paid the business itself, so the places are booked."""
    booking = await _booking(services, ctx, booking_id)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            taken = await take_held(uow, ctx, booking.order_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        flash(request, "success", _how_paid(taken))
    return _back(request, ctx, booking_id)


def _how_paid(taken: Taken) -> str:
    if taken.amount.amount_minor:
        amount = money(taken.amount.amount_minor, taken.amount.currency)
        return _("Marked %(amount)s as paid. The places are booked.", amount=amount)
    if taken.by_guest:
        return _("The guest has paid meanwhile; the places are booked.")
    return _("It is marked as paid already; the places are booked.")


@get(ONE + "/release", guards=MAY_RELEASE, include_in_schema=False)
async def ask_release(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    booking = await _booking(services, ctx, booking_id)
    if not booking.is_by_link:
        return _back(request, ctx, booking_id)
    async with services.uow_factory(ctx.here.id) as uow:
        freed = await list_offerable(uow, {seat.session_id for seat in booking.seats})
        waiting = await waiters_of(uow, ctx.here, moved=(), grown=freed)
    view = ReleaseView(
        booking=booking,
        facts=list_facts(waiting),
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
    )
    return page(request, "booking/bookings/release.html", view)


@post(ONE + "/release", **POST_OPTIONS)
async def release(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    booking = await _booking(services, ctx, booking_id)
    try:
        released = await release_held(services, ctx, booking.order_id)
        flash(request, *_said(released, ctx.here.zone))
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    except Unavailable as refusal:
        flash(request, "error", refusal.message)
    except ProcessorError as error:
        log.warning("hold_not_released", order_id=str(booking.order_id), error=str(error))
        flash(request, "error", _("That did not work just now. Please try again in a moment."))
    return _back(request, ctx, booking_id)


def _said(released: Released, zone: Zone) -> tuple[Level, str]:
    """Tone and sentence of what became of the order."""
    if released.state == OrderState.CONFIRMED:
        return "warning", _("The guest has paid meanwhile; the places are booked.")
    if released.payable_until is not None:
        return "warning", _(
            "The payment service does not let us close the payment page, so the guest can still pay"
            " until %(time)s and has the places then. If nothing is paid, they get free some"
            " minutes later, or as soon as the payment service answers again.",
            time=datetime_local(released.payable_until, zone),
        )
    if released.state == OrderState.OPEN:
        return "warning", _("A payment is on its way, so the places are still held.")
    return "success", _("The places are free again. Nothing was charged.")


async def _booking(services: Services, ctx: RequestContext, booking_id: UUID) -> BookingDetail:
    """Raises: NotFound."""
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_booking_detail(uow, booking_id, services.clock.now())


def _back(request: AnyRequest, ctx: RequestContext, booking_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/bookings/{booking_id}")


route_handlers = [send_link, take_on_site, ask_release, release]
