"""Noting that money which was paid on site has been handed back for what was cancelled."""

from uuid import UUID

from sqlalchemy import select

from src.billing.commands.by_staff import hand_back
from src.billing.commands.orders import lock_order
from src.billing.domain.cause_keys import handed_key
from src.booking.models import CancellationReturn
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


async def note_handed_back(
    uow: UnitOfWork, ctx: RequestContext, cancellation_id: UUID, order_id: UUID
) -> int:
    """The business has handed the order's guest what the cancellation says; once.

    Returns the minor units written down, 0 for a second press.
    Raises: NotFound where nothing is to be handed back.
    """
    order = await lock_order(uow, order_id)
    row = await uow.session.scalar(
        select(CancellationReturn).where(
            CancellationReturn.tenant_id == uow.tenant,
            CancellationReturn.cancellation_id == cancellation_id,
            CancellationReturn.order_id == order_id,
            CancellationReturn.by_hand_minor > 0,
        )
    )
    if row is None:
        raise NotFound(_("There is nothing to hand back here."))
    if row.handed_at is not None:
        return 0
    row.handed_at = uow.clock.now()
    key = handed_key(cancellation_id, order_id)
    written = await hand_back(uow, order, row.by_hand_minor, cause_key=key)
    await audit(uow, ctx, "order.handed_back", "order", order_id, amount_minor=written)
    return written
