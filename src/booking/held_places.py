"""Places that staff hold for a guest who was mailed a link to pay."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from src.billing.commands.by_staff import take_held_on_site
from src.billing.commands.ending import is_payment_on_its_way
from src.billing.commands.orders import get_order, lock_order
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import Order
from src.billing.settlement import give_up_order, released_by
from src.booking.events import PaymentLinkPromised
from src.booking.queries.held import BY_STAFF, is_by_link, pay_until_of
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.money import Money
from src.platform.services import Services
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


class Taken(NamedTuple):
    """What is written down as paid on site: nothing for an order that was paid before, and then
    `by_guest` where the guest paid it online.
    """

    amount: Money
    by_guest: bool = False


class Released(NamedTuple):
    """What became of the order. `payable_until`: the payment page could not be closed, so the guest
    may pay until then.
    """

    state: OrderState
    payable_until: datetime | None = None


async def send_link_again(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, token: UUID
) -> None:
    """The mail with the link goes out once more, once for each `token`.

    Raises: NotFound; Conflict when nothing waits to be paid by link, or the time to pay is over.
    """
    order = await lock_order(uow, order_id)
    _refuse_unless_by_link(order)
    until = pay_until_of(order)
    if until is None or until <= uow.clock.now():
        raise Conflict(_("The time to pay is over; the places are free in a few minutes."))
    order.wanted_end = None
    uow.record(PaymentLinkPromised(order_id=order_id, again=token))
    await audit(uow, ctx, "order.link_sent", "order", order_id)


async def take_held(uow: UnitOfWork, ctx: RequestContext, order_id: UUID) -> Taken:
    """The guest paid the business itself; a second press changes nothing. Nothing may follow it in
    its transaction.

    Raises: NotFound; Conflict when nothing waits to be paid by link, while it can be paid online,
    and when a part of it is being cancelled.
    """
    order = await lock_order(uow, order_id)
    was_held = order.source == BY_STAFF and order.paid_minor > 0
    if was_held and order.state == OrderState.CONFIRMED:
        by_guest = order.payment_mode == PaymentMode.ONLINE
        return Taken(Money(0, order.currency), by_guest=by_guest)
    _refuse_unless_by_link(order)
    return Taken(await take_held_on_site(uow, ctx, order_id))


async def release_held(services: Services, ctx: RequestContext, order_id: UUID) -> Released:
    """Closes the payment page, if the guest has opened one, then frees the places; returns what
    became of the order, which may be paid meanwhile. Never call it inside a transaction.

    Raises: NotFound; Conflict when nothing waits to be paid by link; Unavailable while the
    processor does not answer.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        _refuse_unless_by_link(await get_order(uow, order_id))
    state = await give_up_order(services, ctx.here.id, order_id, released_by(ctx))
    if state != OrderState.OPEN:
        return Released(state)
    async with services.uow_factory(ctx.here.id) as uow:
        if await is_payment_on_its_way(uow, order_id):
            return Released(state)
        return Released(state, pay_until_of(await get_order(uow, order_id)))


def _refuse_unless_by_link(order: Order) -> None:
    if not is_by_link(order):
        raise Conflict(_("Nothing waits to be paid by a link any more."))
