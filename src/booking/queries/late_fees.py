"""Fees for leaving late that are asked for."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from src.billing.domain.kinds import FeeKind, FeeState
from src.billing.models import Fee
from src.booking.domain.fees import LateFees
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


async def find_late_fees(uow: UnitOfWork, order_id: UUID) -> LateFees | None:
    """The same of all that was left of one order; None where nothing is asked."""
    asked = select(
        func.sum(Fee.amount_minor), func.min(Fee.currency), func.count() == func.count(Fee.told_at)
    ).where(
        Fee.tenant_id == uow.tenant,
        Fee.order_id == order_id,
        Fee.kind == str(FeeKind.LATE_CANCEL),
        Fee.state == str(FeeState.ASKED),
    )
    minor, currency, is_told = (await uow.session.execute(asked)).one()
    return LateFees(int(minor), currency, is_told=is_told) if minor else None
