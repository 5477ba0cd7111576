"""From a guest's form to a voucher that waits for its payment, and the page to pay it on.

Transactions and the processor's call take turns, so it is called outside of any. A form's token
makes it one voucher, however often it is sent; changed content takes the place of what waits.
"""

from dataclasses import dataclass
from uuid import UUID

from src.billing.checkout import ensure_payment_page
from src.billing.commands.orders import find_order_by_form_token, retire_form_token
from src.billing.commands.voucher_sales import SellVoucher, sell_voucher
from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.billing.settlement import give_up_order
from src.billing.voucher_links import purchase_path
from src.platform.errors import Conflict, Gone, Unavailable
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.context import RequestContext

TRIES = 3


@dataclass(frozen=True, slots=True)
class Bought:
    """Where the guest goes next; `payment_url` is None when nothing is left to pay."""

    order_id: UUID
    path: str
    payment_url: str | None


async def buy_voucher(services: Services, ctx: RequestContext, cmd: SellVoucher) -> Bought:
    """Raises: what `sell_voucher` raises; Unavailable when the payment page cannot be had just now:
    the order then stands, and the same form sent again finds it.
    """
    for _try in range(TRIES):
        async with services.uow_factory(ctx.here.id) as uow:
            earlier = await find_order_by_form_token(uow, cmd.form_token)
        if earlier is not None:
            if await _still_meant(services, ctx, earlier, cmd):
                return await _to_pay(services, ctx, earlier)
            continue
        try:
            async with services.uow_factory(ctx.here.id) as uow:
                order = await sell_voucher(uow, ctx, cmd)
        except Conflict as refusal:
            if refusal.code != "already_submitted":
                raise
            continue
        return await _to_pay(services, ctx, order)
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


async def _still_meant(
    services: Services, ctx: RequestContext, order: Order, cmd: SellVoucher
) -> bool:
    """A confirmed one answers for good, an open one while its content is the same."""
    state = OrderState(order.state)
    if state is OrderState.OPEN and order.fingerprint != cmd.fingerprint():
        state = await give_up_order(services, ctx.here.id, order.id)
    if state in (OrderState.OPEN, OrderState.CONFIRMED):
        return True
    async with services.uow_factory(ctx.here.id) as uow:
        await retire_form_token(uow, order.id)
    return False


async def _to_pay(services: Services, ctx: RequestContext, order: Order) -> Bought:
    path = purchase_path(services.settings, ctx.here.slug, order)
    return Bought(order.id, path, await voucher_payment_url(services, ctx, order.id, path))


async def voucher_payment_url(
    services: Services, ctx: RequestContext, order_id: UUID, path: str
) -> str | None:
    """None when it was paid in the very moment of asking, or its time is over: the purchase's own
    page tells which.
    """
    base = services.settings.base_url
    try:
        return await ensure_payment_page(
            services,
            ctx.here.id,
            order_id,
            success_url=f"{base}{path}?paid=1",
            cancel_url=f"{base}{path}",
        )
    except Gone:
        return None
    except Conflict as refused:
        if refused.code != "already_paid":
            raise
        return None
