"""Fees for leaving late that are asked for."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from src.billing.domain.kinds import FeeKind, FeeState
from src.billing.models import Fee
from src.platform.db.uow import UnitOfWork


async def get_late_fees_minor(uow: UnitOfWork, seat_ids: Collection[UUID]) -> int:
    """What is asked for having left these seats late, in minor units."""
    found = await uow.session.scalar(
        select(func.coalesce(func.sum(Fee.amount_minor), 0)).where(
            Fee.tenant_id == uow.tenant,
            Fee.subject_id.in_(seat_ids),
            Fee.kind == str(FeeKind.LATE_CANCEL),
            Fee.state == str(FeeState.ASKED),
        )
    )
    return int(found or 0)
