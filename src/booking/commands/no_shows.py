"""What follows when a guest is marked as not come, or that is taken back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.kinds import FeeKind
from src.booking.commands.ask_fees import Missed, ask_of
from src.booking.commands.leave import OwnSeat, facts_of_leaving
from src.booking.domain.kinds import By
from src.booking.domain.leaving import no_show_fee_minor
from src.booking.models import Booking, Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def ask_for_no_shows(
    uow: UnitOfWork, tenant: TenantSnapshot, seat_ids: Sequence[UUID], by: By
) -> int:
    """A fee for each of these seats, just marked, whose terms ask for one. Returns how many; a
    second mark asks no second time. Their rows are locked.
    """
    found = await uow.session.execute(
        select(Seat, Session, Booking)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
    )
    missed = [
        Missed(seat, session, booking, _fee_minor(OwnSeat(seat, session, booking), tenant))
        for seat, session, booking in found
    ]
    return await ask_of(uow, missed, FeeKind.NO_SHOW, by)


def _fee_minor(own: OwnSeat, tenant: TenantSnapshot) -> int:
    return no_show_fee_minor(
        facts_of_leaving(own, tenant),
        own.seat.share_minor,
        is_by_credit=own.seat.credit_lot_id is not None,
    )
