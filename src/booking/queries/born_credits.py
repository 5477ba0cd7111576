"""The credits that a purchase has brought: given for dates of it that were left or swapped."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Select, select

from src.billing.domain.credits import LotSource, LotState
from src.billing.models import CreditLot
from src.booking.models import Booking
from src.platform.db.uow import UnitOfWork


class BornCredit(msgspec.Struct, frozen=True, kw_only=True):
    """An unspent credit that is not over; `value_minor` of what was paid is in it."""

    lot_id: UUID
    order_id: UUID
    name: str
    value_minor: int
    ends_at: datetime | None


def unspent_of_purchase(uow: UnitOfWork, booking_id: UUID) -> Select[tuple[CreditLot]]:
    """The lots of a purchase, and of what completes it, that hold a credit, by id."""
    orders = select(Booking.order_id).where(
        Booking.tenant_id == uow.tenant,
        (Booking.id == booking_id) | (Booking.completes_id == booking_id),
    )
    return (
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id.in_(orders),
            CreditLot.source == str(LotSource.SEAT),
            CreditLot.state == str(LotState.ACTIVE),
            CreditLot.balance > 0,
            CreditLot.expires_at.is_(None) | (CreditLot.expires_at >= uow.clock.now()),
        )
        .order_by(CreditLot.id)
    )


async def list_born_credits(uow: UnitOfWork, booking_id: UUID) -> list[BornCredit]:
    found = await uow.session.scalars(unspent_of_purchase(uow, booking_id))
    return [
        BornCredit(
            lot_id=lot.id,
            order_id=lot.order_id,
            name=lot.name,
            value_minor=lot.value_minor - lot.refunded_minor,
            ends_at=lot.expires_at,
        )
        for lot in found
        if lot.order_id is not None
    ]


def worths_by_order(credits_born: Sequence[BornCredit]) -> dict[UUID, dict[UUID, int]]:
    """What is in each lot, by order."""
    worths: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for credit in credits_born:
        worths[credit.order_id][credit.lot_id] = credit.value_minor
    return dict(worths)
