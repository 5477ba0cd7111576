"""Who of a customer's own has a place on dates already."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, or_, select

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Participant


async def find_placed(
    uow: UnitOfWork,
    customer_id: UUID,
    session_ids: Collection[UUID],
    *,
    instead_of: UUID | None = None,
) -> frozenset[str]:
    """Who has a place on every one of the dates by a booking of the customer's, but for the order
    `instead_of`: their names, folded as `folded` does. What is only held is left out, unless it
    waits for a bank transfer, for days; and so is who was given no name, and whom they keep, for
    one of those is the same row in each booking, and the database refuses that.
    """
    if not session_ids:
        return frozenset()
    found = await uow.session.execute(
        select(Participant.name, func.array_agg(Seat.session_id.distinct()))
        .join(
            Seat,
            (Seat.tenant_id == Participant.tenant_id) & (Seat.participant_id == Participant.id),
        )
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .where(
            Participant.tenant_id == uow.tenant,
            Participant.customer_id == customer_id,
            Participant.name != "",
            Participant.kept_at.is_(None),
            Seat.session_id.in_(session_ids),
            Seat.order_id.is_distinct_from(instead_of),
            or_(
                Seat.state.in_([str(state) for state in TAKEN_SEATS]),
                (Seat.state == str(SeatState.HELD))
                & (Order.payment_mode == str(PaymentMode.TRANSFER)),
            ),
        )
        .group_by(Participant.name)
    )
    wanted, dates = set(session_ids), dict[str, set[UUID]]()
    for name, ids in found.tuples():
        dates.setdefault(folded(name), set()).update(ids)
    return frozenset(name for name, had in dates.items() if had >= wanted)


async def comes_already(
    uow: UnitOfWork, customer_id: UUID, name: str, kind: SubjectKind, subject_id: UUID
) -> bool:
    """Whether the customer themselves have a place on the date, or on all dates to come of the
    series.
    """
    ids = [subject_id]
    if kind == "series":
        found = await uow.session.scalars(
            select(Session.id).where(
                Session.tenant_id == uow.tenant,
                Session.series_id == subject_id,
                Session.state == "scheduled",
                Session.starts_at >= uow.clock.now(),
            )
        )
        ids = list(found)
    return folded(name) in await find_placed(uow, customer_id, ids)


def folded(name: str) -> str:
    """Blanks and capitals do not tell two names apart."""
    return " ".join(name.split()).casefold()
