"""Money that came past the processor and that no order waits for: a person gives it back."""

from sqlalchemy import func, select

from src.billing.commands.open_items import close_open_items, raise_open_item
from src.billing.domain.kinds import STANDING, TRANSFER_METHOD, OpenItemKind
from src.billing.models import Order, Payment
from src.platform.db.uow import UnitOfWork


async def keep_hand_back(uow: UnitOfWork, order: Order, *, stands: bool | None = None) -> int:
    """Brings the order's open item up to what of its transfers is to go back by now: all of them
    where it does not stand, or is not about to, else what came beside the price. The order's row is
    locked.

    Returns how much that is, in minor units; the owner is told of it.
    """
    left = func.sum(Payment.amount_minor - Payment.refunded_minor)
    statement = select(func.coalesce(left, 0)).where(
        Payment.tenant_id == uow.tenant,
        Payment.order_id == order.id,
        Payment.method == TRANSFER_METHOD,
    )
    if stands is None:
        stands = order.state in STANDING
    if stands:
        statement = statement.where(Payment.is_extra)
    await uow.session.flush()
    minor = int(await uow.session.scalar(statement) or 0)
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
