"""The page of one bought package, for whoever has its link: see it, pay for it, give it up."""

from contextlib import suppress
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.lapse_package import lapse_package
from src.billing.commands.orders import get_order
from src.billing.domain.credits import LotState
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import Order
from src.billing.page_body import Addresses
from src.billing.part_pages import check_parts, has_paid_parts, pay_parts_by_hand
from src.billing.pay_choice import SIGN_IN, PayChoice
from src.billing.processor import ProcessorError
from src.billing.settlement import LEFT, check_payment, give_up_order
from src.booking.guest_links import open_link, package_path
from src.booking.place import payment_url
from src.booking.queries.package_purchase import find_bought, get_purchase
from src.booking.views.guest_packages import PurchaseView
from src.booking.web.card_choice import cards_of_order, chosen_way, signed_in
from src.booking.web.worksheets_asked import worksheets_of_order
from src.platform.errors import Conflict, TooManyRequests, Unavailable
from src.platform.i18n import _
from src.platform.ratelimit import BOOKING_BY_ADDRESS, Limit
from src.platform.services import Services
from src.platform.web.forms import read_form
from src.platform.web.pages import flash, page, redirect
from src.platform.web.security import client_address
from src.tenants.context import RequestContext
from src.tenants.web.portal import portal_path

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "The signed link is the key to this one purchase.", "while_suspended": True}
PAYING = {"public": PUBLIC["public"]}
TEMPLATE = "booking/guest_packages/bought.html"
STATE_FRAGMENT = "booking/guest_packages/_bought_state.html"
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
CHECKS_BY_ORDER = Limit("package-payment-check", 10, 10 * 60)


@get("/b/{slug:str}/packages/bought/{bought:str}", opt=PUBLIC)
async def bought_page(
    request: AnyRequest,
    bought: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Who comes back from paying (`paid`) before the processor has told us is not shown an unpaid
    purchase: we ask it.
    """
    has_paid = request.query_params.get("paid") == "1"
    order_id = await open_link(services, ctx, bought, to_package=True)
    view = await _view(services, ctx, order_id, has_paid=has_paid)
    view = await _with_parts(services, ctx, order_id, view, has_paid=has_paid)
    comes_back = view.stage == "processing" or (has_paid and view.attempt is not None)
    if comes_back and await _check(services, ctx, order_id):
        view = await _view(services, ctx, order_id, has_paid=has_paid)
    view = await _with_cards(request, services, ctx, order_id, view)
    if view.stage in ("bought", "waiting") and view.state != "refunded":
        asked = await worksheets_of_order(request, services, ctx, order_id)
        view = msgspec.structs.replace(view, worksheets=asked)
    stays = view.is_waiting or (view.stage == "too_late" and not has_paid)
    headers = PRIVATE if stays else {**PRIVATE, "hx-refresh": "true"}
    return page(request, TEMPLATE, view, fragment=STATE_FRAGMENT, headers=headers)


@post("/b/{slug:str}/packages/bought/{bought:str}/pay", opt=PAYING)
async def pay_package(
    request: AnyRequest,
    bought: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """On to the payment page that there is already, or back where none is needed; with a card
    (`way`) that the signed-in buyer keeps it is paid here and now. Somebody else with the link
    signs in first where the card is kept for later parts.
    """
    order_id = await open_link(services, ctx, bought, to_package=True)
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
        await find_bought(uow, order_id)
    path = package_path(services.settings, ctx.here.slug, order)
    if order.state != OrderState.OPEN or order.payment_mode != PaymentMode.ONLINE:
        return redirect(request, path)
    try:
        pay = await _paying(request, services, ctx, order)
        url = await payment_url(services, ctx, order, path, path, pay)
    except (Conflict, Unavailable) as refusal:
        flash(request, "info" if refusal.code == SIGN_IN else "error", refusal.message)
        url = None
        if refusal.code == SIGN_IN:
            url = f"{portal_path(ctx)}/sign-in?next={quote(path, safe='/')}"
    return redirect(request, url or path)


async def _paying(
    request: AnyRequest, services: Services, ctx: RequestContext, order: Order
) -> PayChoice | None:
    """Raises: Conflict for a card of nobody who is signed in."""
    if not order.later_minor:
        return await chosen_way(request, services, ctx)
    guest = await signed_in(request, services, ctx)
    return None if guest is None else PayChoice(customer_id=guest.customer_id)


@post("/b/{slug:str}/packages/bought/{bought:str}/parts", opt=PAYING)
async def pay_parts(
    request: AnyRequest,
    bought: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """On to a payment page for the next part, or with `all` for all that is left."""
    order_id = await open_link(services, ctx, bought, to_package=True)
    await services.limiter.check(BOOKING_BY_ADDRESS, client_address(request.scope))
    everything = (await read_form(request)).texts.get("all", [""])[-1] == "1"
    async with services.uow_factory(ctx.here.id) as uow:
        order, _lot = await find_bought(uow, order_id)
    path = package_path(services.settings, ctx.here.slug, order)
    here = f"{services.settings.base_url}{path}"
    addresses = Addresses(success_url=f"{here}?paid=1", cancel_url=here)
    try:
        url = await pay_parts_by_hand(
            services, ctx.here.id, order_id, everything=everything, addresses=addresses
        )
    except (Conflict, Unavailable) as refusal:
        flash(request, "info" if refusal.code == "already_paid" else "error", refusal.message)
        url = path
    return redirect(request, url)


@post("/b/{slug:str}/packages/bought/{bought:str}/give-up", opt=PUBLIC)
async def give_up_package(
    request: AnyRequest,
    bought: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Ends what is not paid yet, by card or at the desk; what was paid meanwhile stays, and is said
    to.
    """
    order_id = await open_link(services, ctx, bought, to_package=True)
    async with services.uow_factory(ctx.here.id) as uow:
        order, _lot = await find_bought(uow, order_id)
    try:
        is_bought = await _is_bought_all_the_same(services, ctx, order)
    except ProcessorError:
        flash(request, "error", _("That did not work just now. Please try again in a moment."))
    except Unavailable as refusal:
        flash(request, "error", refusal.message)
    else:
        if is_bought:
            sentence = _(
                "It has been paid meanwhile, so it was not given up. Its credits are yours."
            )
            flash(request, "warning", sentence)
    return redirect(request, package_path(services.settings, ctx.here.slug, order))


async def _is_bought_all_the_same(services: Services, ctx: RequestContext, order: Order) -> bool:
    """Gives it up. Whether its money had come before. Raises: ProcessorError, Unavailable."""
    if order.state != OrderState.CONFIRMED:
        became = await give_up_order(services, ctx.here.id, order.id, LEFT)
        return became is OrderState.CONFIRMED
    async with services.uow_factory(ctx.here.id) as uow:
        if await lapse_package(uow, order.id, by_guest=True):
            return False
        _order, lot = await find_bought(uow, order.id)
        return lot.state == LotState.ACTIVE


async def _view(
    services: Services, ctx: RequestContext, order_id: UUID, *, has_paid: bool
) -> PurchaseView:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_purchase(uow, ctx.here, services.settings, order_id, has_paid=has_paid)


async def _with_parts(
    services: Services, ctx: RequestContext, order_id: UUID, view: PurchaseView, *, has_paid: bool
) -> PurchaseView:
    """Who comes back from paying a part is not shown it as unpaid: we ask."""
    if not has_paid or view.in_parts is None or view.stage != "bought":
        return view
    with suppress(TooManyRequests):
        await services.limiter.check(CHECKS_BY_ORDER, str(order_id))
        await check_parts(services, ctx.here.id, order_id)
    found = await _view(services, ctx, order_id, has_paid=has_paid)
    async with services.uow_factory(ctx.here.id) as uow:
        is_on_its_way = await has_paid_parts(uow, order_id)
    return msgspec.structs.replace(found, pays_parts=is_on_its_way)


async def _with_cards(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    view: PurchaseView,
) -> PurchaseView:
    if view.stage not in ("held", "processing") or view.in_parts is not None:
        return msgspec.structs.replace(view, attempt=None)
    fields = await cards_of_order(request, services, ctx, order_id, view.attempt)
    return msgspec.structs.replace(view, **fields)


async def _check(services: Services, ctx: RequestContext, order_id: UUID) -> bool:
    """Asks how the payment stands; not more often than makes sense. Whether it was asked."""
    try:
        await services.limiter.check(CHECKS_BY_ORDER, str(order_id))
    except TooManyRequests:
        return False
    await check_payment(services, ctx.here.id, order_id)
    return True


route_handlers: list[Any] = [bought_page, pay_package, pay_parts, give_up_package]
