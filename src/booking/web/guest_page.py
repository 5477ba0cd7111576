"""The page of one booking, for whoever has its link: see it, pay for it, give it up."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.orders import get_order
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.processor import ProcessorError
from src.billing.settlement import LEFT, check_payment, give_up_order
from src.booking.calendar_files import Organiser, booking_calendar
from src.booking.domain.kinds import SeatState
from src.booking.guest_links import booking_path, open_link, order_behind, package_path
from src.booking.mail_parts import calendar_seats
from src.booking.place import payment_url
from src.booking.place_package import is_package_order
from src.booking.queries.agreements_waiting import find_waiting_of_order
from src.booking.queries.guest_bookings import get_guest_booking
from src.booking.queries.guest_swaps import list_swapped_to
from src.booking.queries.mail_facts import find_booking_facts
from src.booking.views.guest import GuestBookingView
from src.booking.web.card_choice import cards_of_order, chosen_way
from src.booking.web.worksheets_asked import worksheets_of_order
from src.platform.errors import Conflict, Gone, NotFound, TooManyRequests, Unavailable
from src.platform.i18n import _
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "The signed link is the key to this one booking.", "while_suspended": True}
TEMPLATE = "booking/guest/booking.html"
PAYING = {"public": PUBLIC["public"]}
THANKS = "booking/guest/paid_for_corrected.html"
STATE_FRAGMENT = "booking/guest/_booking_state.html"
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
IN_CALENDAR = frozenset({SeatState.CONFIRMED, SeatState.ATTENDED, SeatState.NO_SHOW})
CHECKS_BY_ORDER = Limit("payment-check", 10, 10 * 60)
# A stranger's former link uses up nothing of what the guest's own page asks.
CHECKS_BY_FORMER_LINK = Limit("payment-check-former", 3, 10 * 60)
# A payment page's way back is not longer than this.
JUST_PAID = timedelta(hours=1)

log = structlog.get_logger(__name__)


@get("/b/{slug:str}/bookings/{token:str}", opt=PUBLIC)
async def guest_booking(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The booking. Who comes back from paying (`paid`) before the processor has told us is not
    shown an unpaid booking: we ask it.
    """
    has_paid = request.query_params.get("paid") == "1"
    try:
        order_id = await _order_id(services, ctx, token)
    except Gone:
        if not has_paid:
            raise
        thanks = await _back_with_former_link(request, services, ctx, token)
        if thanks is None:
            raise
        return thanks
    try:
        view = await _view(services, ctx, order_id, has_paid=has_paid)
    except NotFound:
        package = await _package_page(services, ctx, order_id)
        if package is None:
            raise
        return redirect(request, f"{package}?paid=1" if has_paid else package)
    comes_back = view.stage == "processing" or (has_paid and view.attempt is not None)
    if comes_back and await _check(services, ctx, order_id, CHECKS_BY_ORDER):
        view = await _view(services, ctx, order_id, has_paid=has_paid)
    view = await _with_cards(request, services, ctx, order_id, view)
    if view.stage == "confirmed":
        asked = await worksheets_of_order(request, services, ctx, order_id)
        view = msgspec.structs.replace(view, worksheets=asked)
    # Without `paid` it is the block of a payment in vain that has looked again: it says it all.
    stays = view.is_waiting or (view.stage == "too_late" and not has_paid)
    headers = PRIVATE if stays else {**PRIVATE, "hx-refresh": "true"}
    return page(request, TEMPLATE, view, fragment=STATE_FRAGMENT, headers=headers)


@post("/b/{slug:str}/bookings/{token:str}/pay", opt=PAYING)
async def pay_booking(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """On to the payment page that the hold has already, or to the booking when it needs none; with
    a card (`way`) that the signed-in guest keeps it is paid here and now.
    """
    order_id = await _order_id(services, ctx, token)
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
    path = booking_path(services.settings, ctx.here.slug, order)
    if order.state != OrderState.OPEN or order.payment_mode == PaymentMode.TRANSFER:
        return redirect(request, path)
    try:
        pay = await chosen_way(request, services, ctx)
        url = await payment_url(services, ctx, order, path, path, pay)
    except (Conflict, Unavailable) as refusal:
        flash(request, "error", refusal.message)
        url = None
    return redirect(request, url or path)


@post("/b/{slug:str}/bookings/{token:str}/give-up", opt=PUBLIC)
async def give_up_booking(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Frees the held seats at once. A hold that was paid meanwhile stays, and is said to."""
    order_id = await _order_id(services, ctx, token)
    try:
        became = await give_up_order(services, ctx.here.id, order_id, LEFT)
    except ProcessorError as error:
        log.warning("hold_not_given_up", order_id=str(order_id), error=str(error))
        flash(request, "error", _("That did not work just now. Please try again in a moment."))
    except Unavailable as refusal:
        flash(request, "error", refusal.message)
    else:
        if became is OrderState.CONFIRMED:
            sentence = _("It has been paid meanwhile, so nothing was given up. You are booked.")
            flash(request, "warning", sentence)
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
    return redirect(request, booking_path(services.settings, ctx.here.slug, order))


@get("/b/{slug:str}/bookings/{token:str}/calendar.ics", opt=PUBLIC)
async def booking_calendar_file(
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The dates that stand, as the confirmation's attachment has them."""
    order_id = await _order_id(services, ctx, token)
    async with services.uow_factory(ctx.here.id) as uow:
        facts = await find_booking_facts(uow, order_id)
    seats = [item for item in facts.seats if item.seat.state in IN_CALENDAR] if facts else []
    if facts is None or not seats:
        raise NotFound(_("This booking has no date for a calendar."))
    own_page = services.settings.base_url + booking_path(
        services.settings, ctx.here.slug, facts.order
    )
    content = booking_calendar(
        calendar_seats(facts, seats, own_page),
        organiser=Organiser(name=ctx.here.name, email=ctx.here.contact_email),
        zone=ctx.here.zone,
        host=services.settings.host,
        now=services.clock.now(),
    )
    name = f'attachment; filename="{facts.order.reference}.ics"'
    headers = {**PRIVATE, "content-disposition": name}
    return Response(content, media_type="text/calendar", headers=headers)


async def _back_with_former_link(
    request: AnyRequest, services: Services, ctx: RequestContext, token: str
) -> Response[bytes] | None:
    """The payment page was made before the booking's address was corrected, and leads back to the
    former link. Who has that may be a stranger, so they are thanked and shown nothing of the
    booking; the confirmation goes to the right address. None where nobody can be just back from
    paying for it.
    """
    linked = order_behind(services.settings, token, ctx.here.id, services.clock.now())
    await _check(services, ctx, linked.order_id, CHECKS_BY_FORMER_LINK)
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, linked.order_id)
    just_now = services.clock.now() - JUST_PAID
    is_paid = order.confirmed_at is not None and order.confirmed_at > just_now
    if order.state != OrderState.OPEN and not (order.state == OrderState.CONFIRMED and is_paid):
        return None
    return page(request, THANKS, None, headers=PRIVATE)


async def _package_page(services: Services, ctx: RequestContext, order_id: UUID) -> str | None:
    """Where the order of a package has its page, whichever link was followed."""
    async with services.uow_factory(ctx.here.id) as uow:
        if not await is_package_order(uow, order_id):
            return None
        return package_path(services.settings, ctx.here.slug, await get_order(uow, order_id))


async def _order_id(services: Services, ctx: RequestContext, token: str) -> UUID:
    """Raises: NotFound, Gone."""
    return await open_link(services, ctx, token)


async def _view(
    services: Services, ctx: RequestContext, order_id: UUID, *, has_paid: bool
) -> GuestBookingView:
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_guest_booking(
            uow, ctx.here, services.settings, order_id, has_paid=has_paid
        )
        if view.stage == "confirmed":
            order = await get_order(uow, order_id)
            waiting = await find_waiting_of_order(uow, order.customer_id, order_id)
            view = msgspec.structs.replace(view, to_sign=len(waiting))
        if all(date.state != SeatState.SWAPPED for date in view.dates):
            return view
        new = await list_swapped_to(uow, ctx.here, services.settings, order_id)
        return msgspec.structs.replace(view, swapped_to=new)


async def _with_cards(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    view: GuestBookingView,
) -> GuestBookingView:
    """What can be chosen to pay with, where something waits to be paid."""
    if view.stage not in ("held", "processing"):
        return msgspec.structs.replace(view, attempt=None)
    fields = await cards_of_order(request, services, ctx, order_id, view.attempt)
    return msgspec.structs.replace(view, **fields)


async def _check(services: Services, ctx: RequestContext, order_id: UUID, limit: Limit) -> bool:
    """Asks how the payment stands; not more often than makes sense. Whether it was asked."""
    limiter = services.limiter
    try:
        await limiter.check(limit, str(order_id))
    except TooManyRequests:
        return False
    await check_payment(services, ctx.here.id, order_id)
    return True


route_handlers: list[Any] = [guest_booking, pay_booking, give_up_booking, booking_calendar_file]
