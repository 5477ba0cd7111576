"""The pages of one voucher, for whoever has its link: what is left, to print; and its purchase."""

from typing import Any

import structlog
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.domain.vouchers import VoucherState
from src.billing.processor import ProcessorError
from src.billing.queries.vouchers import get_guest_voucher, get_purchase, get_voucher
from src.billing.settlement import check_payment, give_up_order
from src.billing.voucher_links import no_such_voucher, purchase_behind, voucher_behind
from src.billing.voucher_mails import print_voucher
from src.billing.voucher_shop import voucher_payment_url
from src.platform.errors import Conflict, TooManyRequests, Unavailable
from src.platform.i18n import _
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "The signed link is the key to this one voucher.", "while_suspended": True}
PAYING = {"public": PUBLIC["public"]}
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
CHECKS_BY_ORDER = Limit("voucher-payment-check", 10, 10 * 60)
ONE, BOUGHT = "/b/{slug:str}/vouchers/{voucher:str}", "/b/{slug:str}/vouchers/bought/{purchase:str}"

log = structlog.get_logger(__name__)


@get(ONE, opt=PUBLIC)
async def show_voucher(
    request: AnyRequest,
    voucher: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What is left on it, and what it was spent on."""
    voucher_id = voucher_behind(services, ctx, voucher)
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_guest_voucher(uow, ctx.here, services.settings, voucher_id)
    return page(request, "billing/vouchers/voucher.html", view, headers=PRIVATE)


@get(ONE + "/voucher.pdf", opt=PUBLIC)
async def show_voucher_pdf(
    voucher: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The page to print, drawn anew each time it is asked for."""
    voucher_id = voucher_behind(services, ctx, voucher)
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_voucher(uow, voucher_id)
        words = (await get_voucher_offer(uow)).words
    if found.state == VoucherState.PENDING:
        raise no_such_voucher()
    file = print_voucher(services.settings, ctx.here, found, words)
    headers = {**PRIVATE, "content-disposition": f'inline; filename="{file.filename}"'}
    return Response(file.content, media_type=file.content_type, headers=headers)


@get(BOUGHT, opt=PUBLIC)
async def show_purchase(
    request: AnyRequest,
    purchase: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Who comes back from paying (`paid`) before the processor has told us is not shown an unpaid
    voucher: we ask it.
    """
    order_id = purchase_behind(services, ctx, purchase)
    has_paid = request.query_params.get("paid") == "1"
    if has_paid:
        try:
            await services.limiter.check(CHECKS_BY_ORDER, str(order_id))
            await check_payment(services, ctx.here.id, order_id)
        except TooManyRequests:
            log.info("voucher_payment_not_checked", order_id=str(order_id))
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_purchase(uow, ctx.here, services.settings, order_id, has_paid=has_paid)
    return page(request, "billing/vouchers/bought.html", view, headers=PRIVATE)


@post(BOUGHT + "/pay", opt=PAYING)
async def pay_purchase(
    request: AnyRequest,
    purchase: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """On to the payment page that it has already, or back where it needs none."""
    order_id = purchase_behind(services, ctx, purchase)
    path, url = f"/b/{ctx.here.slug}/vouchers/bought/{purchase}", None
    try:
        url = await voucher_payment_url(services, ctx, order_id, path)
    except (Conflict, Unavailable) as refusal:
        flash(request, "error", refusal.message)
    return redirect(request, url or path)


@post(BOUGHT + "/give-up", opt=PUBLIC)
async def give_up_purchase(
    request: AnyRequest,
    purchase: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """One that was paid meanwhile stays, and its page says so."""
    order_id = purchase_behind(services, ctx, purchase)
    try:
        await give_up_order(services, ctx.here.id, order_id)
    except (ProcessorError, Unavailable) as error:
        log.warning("voucher_not_given_up", order_id=str(order_id), error=str(error))
        flash(request, "error", _("That did not work just now. Please try again in a moment."))
    return redirect(request, f"/b/{ctx.here.slug}/vouchers/bought/{purchase}")


route_handlers: list[Any] = [
    show_voucher,
    show_voucher_pdf,
    show_purchase,
    pay_purchase,
    give_up_purchase,
]
