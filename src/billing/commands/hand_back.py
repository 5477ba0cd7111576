"""Money that came past the processor and that no order waits for: a person gives it back."""

from sqlalchemy import select

from src.billing.commands.open_items import close_open_items, raise_open_item
from src.billing.domain.kinds import TRANSFER_METHOD, OpenItemKind
from src.billing.income import to_send_back_minor
from src.billing.models import Order
from src.platform.db.uow import UnitOfWork


async def keep_hand_back(uow: UnitOfWork, order: Order, *, stands: bool | None = None) -> int:
    """Brings the order's open item up to what of its transfers is to go back by now: all of them
    where it does not stand, or is not about to, else what came beside the price. The order's row is
    locked.

    Returns how much that is, in minor units; the owner is told of it.
    """
    await uow.session.flush()
    to_send_back = select(to_send_back_minor(stands=stands)).where(
        Order.tenant_id == uow.tenant, Order.id == order.id
    )
    minor = int(await uow.session.scalar(to_send_back) or 0)
    if minor:
        facts = {
            "reference": order.reference,
            "guest": order.guest_name,
            "amount_minor": minor,
            "currency": order.currency,
            "method": TRANSFER_METHOD,
            "extra": True,
        }
        await raise_open_item(uow, OpenItemKind.HAND_BACK, order.id, order.id, facts)
    else:
        await close_open_items(uow, OpenItemKind.HAND_BACK, order.id)
    return minor
