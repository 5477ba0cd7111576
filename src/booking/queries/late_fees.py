"""Fees for leaving late that are asked for."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from src.billing.domain.kinds import FeeKind, FeeState
from src.billing.models import Fee
from src.booking.models import Seat
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


def is_told_of_missing() -> ColumnElement[bool]:
    """Of each seat of a statement, whether its guest was told that they had not come to it: by the
    mail that asks for the fee, or as they paid it on site before.
    """
    return exists().where(
        Fee.tenant_id == Seat.tenant_id,
        Fee.subject_id == Seat.id,
        Fee.kind == str(FeeKind.NO_SHOW),
        Fee.state != str(FeeState.DROPPED),
        Fee.told_at.is_not(None) | (Fee.state == str(FeeState.PAID)),
    )
