"""Asking for fees of those who left late or did not come, as the terms of their booking say."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.fees import NewFee, ask_fees
from src.billing.domain.kinds import FeeKind
from src.billing.models import Order
from src.booking.domain.kinds import By
from src.booking.models import Booking, Seat, Series, Service, Session
from src.platform.db.uow import UnitOfWork


class Missed(NamedTuple):
    """A seat whose guest left it late or did not come, and what is asked for it, minor units."""

    seat: Seat
    session: Session
    booking: Booking
    fee_minor: int


async def ask_of(uow: UnitOfWork, missed: Sequence[Missed], kind: FeeKind, by: By) -> int:
    """Asks for those fees that are not 0; the seats' rows are locked. Returns how many are asked
    that were not before.
    """
    asked = [one for one in missed if one.fee_minor]
    if not asked:
        return 0
    about = await _about(uow, {one.booking.id for one in asked})
    fees = []
    for one in asked:
        what, currency = about[one.booking.id]
        fees.append(
            NewFee(
                subject_id=one.seat.id,
                order_id=one.seat.order_id,
                customer_id=one.booking.customer_id,
                kind=kind,
                amount_minor=one.fee_minor,
                currency=currency,
                what=" · ".join(filter(None, (what, one.session.title))),
                starts_at=one.session.starts_at,
            )
        )
    return await ask_fees(uow, fees, by=by)


async def _about(uow: UnitOfWork, booking_ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """By booking: what was booked, and the currency of its order."""
    found = await uow.session.execute(
        select(Booking.id, Service.name, Series.title, Order.currency)
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(Booking.tenant_id == uow.tenant, Booking.id.in_(booking_ids))
    )
    return {
        row.id: (" · ".join(filter(None, (row.name, row.title))), row.currency) for row in found
    }
