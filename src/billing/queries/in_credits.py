"""What of an order's money lies in credits that were given for places of it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from src.billing.domain.credits import LotSource
from src.billing.models import CreditLot
from src.platform.db.uow import UnitOfWork


async def list_in_credits_minor(uow: UnitOfWork, order_ids: Collection[UUID]) -> dict[UUID, int]:
    """Minor units by order, less what of them has come back as money; spent and ended credits too,
    for a share comes back once. Orders without any are left out.
    """
    found = await uow.session.execute(
        select(CreditLot.order_id, func.sum(CreditLot.value_minor - CreditLot.refunded_minor))
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id.in_(order_ids),
            CreditLot.source == str(LotSource.SEAT),
        )
        .group_by(CreditLot.order_id)
    )
    return {row[0]: int(row[1]) for row in found if row[0] is not None}
