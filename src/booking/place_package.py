"""From a submitted form to a bought package and the page to send the guest to.

As `place` does for bookings: transactions and the processor's call take turns, and a form's token
makes it one purchase, however often it is sent.
"""

from uuid import UUID

from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand, buy_package, refuse_unless_sold_instead
from src.billing.commands.package_lines import KIND
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import Order, OrderLine
from src.billing.pay_choice import PayChoice
from src.billing.settlement import give_up_order
from src.booking.commands.agreement_signing import find_to_sign, insert_signatures
from src.booking.domain.agreements import Signing
from src.booking.guest_links import package_path
from src.booking.place import TRIES, earlier_order, payment_url, retire_token
from src.booking.queries.guest_packages import refuse_what_fits_nothing
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, DomainError, Unavailable
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.context import RequestContext


async def place_package(
    services: Services,
    ctx: RequestContext,
    cmd: BuyCommand,
    *,
    signing: Signing | None = None,
    pay: PayChoice | None = None,
) -> str:
    """Buys, and gets the payment page where one is needed. Returns where the guest goes next.
    `signing` is their agreeing to what the package asks for.

    Raises: what `buy_package` raises; NotForUse and NotAgreed, which are judged with it; Conflict
    for a form that has booked something else; Unavailable when the payment page cannot be had just
    now: the same form sent again finds it.
    """
    for _try in range(TRIES):
        try:
            order = await _buy(services, ctx, cmd, signing)
        except DomainError:
            earlier = await earlier_order(services, ctx, cmd.form_token)
            if earlier is None:
                raise
            if await _still_meant(services, ctx, earlier, cmd, signing):
                return await _next(services, ctx, earlier, _paid_by(cmd, pay))
        else:
            return await _next(services, ctx, order, _paid_by(cmd, pay))
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


def _paid_by(cmd: BuyCommand, pay: PayChoice | None) -> PayChoice | None:
    """Who buys in parts has proved who they are, and keeps the card that they pay with."""
    return PayChoice(customer_id=cmd.customer_id) if cmd.in_parts else pay


async def is_package_order(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether an order is of a package, and not of a booking."""
    found = await uow.session.scalar(
        select(OrderLine.id)
        .where(
            OrderLine.tenant_id == uow.tenant,
            OrderLine.order_id == order_id,
            OrderLine.kind == KIND,
        )
        .limit(1)
    )
    return found is not None


async def _buy(
    services: Services, ctx: RequestContext, cmd: BuyCommand, signing: Signing | None
) -> Order:
    async with services.uow_factory(ctx.here.id) as uow:
        await refuse_what_fits_nothing(uow, cmd.package_id)
        asked = await find_to_sign(uow, signing, cmd.customer_id, package_id=cmd.package_id)

        def sign(order: Order) -> None:
            insert_signatures(
                uow,
                asked,
                signing,
                customer_id=order.customer_id,
                order_id=order.id,
                is_proved=cmd.customer_id is not None,
            )

        return await buy_package(uow, ctx, cmd, sign)


async def _still_meant(
    services: Services,
    ctx: RequestContext,
    order: Order,
    cmd: BuyCommand,
    signing: Signing | None,
) -> bool:
    """Whether the form's earlier order answers this submit too: a confirmed one always, an open one
    while its content is the same. After a dead one the form starts afresh.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        if not await is_package_order(uow, order.id):
            raise Conflict(_("This form was already sent."), code="already_submitted")
    state = OrderState(order.state)
    if state is OrderState.OPEN and order.fingerprint != cmd.fingerprint():
        async with services.uow_factory(ctx.here.id) as uow:
            await refuse_what_fits_nothing(uow, cmd.package_id)
            await find_to_sign(uow, signing, cmd.customer_id, package_id=cmd.package_id)
            await refuse_unless_sold_instead(uow, ctx, cmd, order.id)
        state = await give_up_order(services, ctx.here.id, order.id)
    if state in (OrderState.OPEN, OrderState.CONFIRMED):
        return True
    await retire_token(services, ctx, order)
    return False


async def _next(
    services: Services, ctx: RequestContext, order: Order, pay: PayChoice | None
) -> str:
    path = package_path(services.settings, ctx.here.slug, order)
    if order.state != OrderState.OPEN or order.payment_mode != PaymentMode.ONLINE:
        return path
    return await payment_url(services, ctx, order, path, path, pay) or path
