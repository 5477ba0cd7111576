"""Places that staff hold for a guest who was mailed a link to pay."""

from uuid import UUID

from src.billing.commands.orders import get_order, lock_order
from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.billing.settlement import RELEASED, give_up_order
from src.booking.events import PaymentLinkPromised
from src.booking.queries.held import is_by_link
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


async def send_link_again(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, token: UUID
) -> None:
    """The mail with the link goes out once more, once for each `token`.

    Raises: NotFound; Conflict when nothing waits to be paid by link.
    """
    order = await lock_order(uow, order_id)
    _refuse_unless_by_link(order)
    uow.record(PaymentLinkPromised(order_id=order_id, again=token))
    await audit(uow, ctx, "order.link_sent", "order", order_id)


async def release_held(services: Services, ctx: RequestContext, order_id: UUID) -> OrderState:
    """Closes the payment page, if the guest has opened one, then frees the places; returns what
    became of the order, which may be paid meanwhile. Never call it inside a transaction.

    Raises: NotFound; Conflict when nothing waits to be paid by link; Unavailable while the
    processor does not answer.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        _refuse_unless_by_link(await get_order(uow, order_id))
    state = await give_up_order(services, ctx.here.id, order_id, RELEASED)
    if state == OrderState.CANCELLED:
        async with services.uow_factory(ctx.here.id) as uow:
            await audit(uow, ctx, "order.released", "order", order_id)
    return state


def _refuse_unless_by_link(order: Order) -> None:
    if not is_by_link(order):
        raise Conflict(_("Nothing waits to be paid by a link any more."))
