"""Noting that money which was paid on site has been handed back for what was cancelled.

It is asked for by an open item of the order, so that whichever page it is said on, it is said once.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from src.billing.commands.by_staff import close_item_by_hand
from src.billing.domain.kinds import OpenItemKind
from src.billing.models import OpenItem
from src.booking.models import CancellationReturn
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import RequestContext


async def note_handed_back(
    uow: UnitOfWork, ctx: RequestContext, cancellation_id: UUID, order_id: UUID
) -> int:
    """The business has handed the order's guest what the cancellation says; once.

    Returns the minor units written down, 0 for a second press.
    Raises: NotFound where nothing is to be handed back.
    """
    item_id = await uow.session.scalar(
        select(OpenItem.id)
        .join(
            CancellationReturn,
            (CancellationReturn.tenant_id == OpenItem.tenant_id)
            & (CancellationReturn.id == OpenItem.subject_id),
        )
        .where(
            OpenItem.tenant_id == uow.tenant,
            OpenItem.kind == str(OpenItemKind.HAND_BACK),
            CancellationReturn.cancellation_id == cancellation_id,
            CancellationReturn.order_id == order_id,
        )
    )
    if item_id is None:
        raise NotFound(_("There is nothing to hand back here."))
    return await close_item_by_hand(uow, ctx, order_id, item_id)


async def mark_handed_back(uow: UnitOfWork, return_id: UUID, now: datetime) -> None:
    """What a cancellation gave back by hand has been given; the order's row is locked."""
    await uow.session.execute(
        update(CancellationReturn)
        .where(CancellationReturn.tenant_id == uow.tenant, CancellationReturn.id == return_id)
        .values(handed_at=now)
    )
