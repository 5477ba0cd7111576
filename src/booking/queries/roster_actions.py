"""Whom an act on several seats of a session touches, by order."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from src.billing.models import Order
from src.billing.owed import owed_minor
from src.billing.queries.disputes import is_order_with_the_bank
from src.billing.queries.refundable import list_refundable_minor
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Booking, Seat
from src.booking.queries.party import NUMBER, called_among_their_own
from src.booking.views.roster_actions import Chosen
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.models import Participant

TAKEN = [str(state) for state in TAKEN_SEATS]


async def list_chosen(
    uow: UnitOfWork,
    session_id: UUID,
    seat_ids: Sequence[UUID],
    states: Collection[SeatState] = TAKEN_SEATS,
    *,
    is_being_cancelled: bool | None = None,
) -> list[Chosen]:
    """The orders of those of the seats that are in one of the `states`, by their guests' names; of
    confirmed ones, where it is asked for, only those that are being cancelled, or that are not.

    Raises: NotFound when one of the seats is not of this session.
    """
    known = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.session_id == session_id, Seat.id.in_(seat_ids))
    )
    if known != len(set(seat_ids)):
        raise NotFound(_("There is no such place in this session."))
    statement = _taken(uow, seat_ids, states)
    if is_being_cancelled is not None:
        named = Seat.cancellation_id
        statement = statement.where(named.is_not(None) if is_being_cancelled else named.is_(None))
    rows = (await uow.session.execute(statement)).all()
    by_order: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        by_order.setdefault(row.Order.id, []).append(row)
    refundable = await list_refundable_minor(uow, list(by_order))
    in_all = await _seats_in_all(uow, list(by_order))
    chosen = [
        _chosen(theirs, refundable.get(order_id, 0), in_all.get(order_id, 0))
        for order_id, theirs in by_order.items()
    ]
    return sorted(chosen, key=lambda one: (one.name.casefold(), one.order_id))


def _taken(uow: UnitOfWork, seat_ids: Sequence[UUID], states: Collection[SeatState]) -> Any:
    return (
        select(Seat, Order, Booking.customer_id, Participant.name.label("person"))
        .add_columns(is_order_with_the_bank().label("is_with_the_bank"))
        .add_columns(owed_minor().label("owed"), NUMBER)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids), Seat.state.in_(states))
        .order_by(NUMBER, Seat.id)
    )


async def _seats_in_all(uow: UnitOfWork, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    found = await uow.session.execute(
        select(Seat.order_id, func.count())
        .where(Seat.tenant_id == uow.tenant, Seat.order_id.in_(order_ids), Seat.state.in_(TAKEN))
        .group_by(Seat.order_id)
    )
    return {row[0]: row[1] for row in found}


def _chosen(rows: Sequence[Row[Any]], refundable_minor: int, seats_in_all: int) -> Chosen:
    order: Order = rows[0].Order
    share_minor = sum(row.Seat.share_minor for row in rows)
    return Chosen(
        order_id=order.id,
        customer_id=rows[0].customer_id,
        name=order.guest_name or order.guest_email,
        email=order.guest_email,
        people=[called_among_their_own(row.person, row.number, order.guest_name) for row in rows],
        seat_ids=[row.Seat.id for row in rows],
        share_minor=share_minor,
        back_minor=min(share_minor, refundable_minor),
        owed_minor=int(rows[0].owed),
        payment_mode=order.payment_mode,
        credits=sum(row.Seat.credit_lot_id is not None for row in rows),
        seats_in_all=seats_in_all,
        is_with_the_bank=rows[0].is_with_the_bank,
    )
