"""Who has a place that was handed on, and what handing one on would mean for its guest."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, bindparam, select

from src.booking.domain.states import LIVE_SEATS
from src.booking.models import HandingOn, Seat
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Participant


class Holder(NamedTuple):
    """Who sits in a seat: for one that was handed on, `is_told` by mail at `address`."""

    seat_id: UUID
    order_id: UUID
    name: str
    address: str
    is_told: bool


async def find_holder(uow: UnitOfWork, seat: Seat) -> Holder | None:
    """Who has a seat that was handed on, None for one that its guest has themselves."""
    if not seat.is_handed_on:
        return None
    holders = await list_holders_of(uow, [seat.id])
    return holders.get(seat.id)


async def list_holders_of(
    uow: UnitOfWork, seat_ids: Collection[UUID] | Select[tuple[UUID]]
) -> dict[UUID, Holder]:
    """Of these seats those that were handed on, with who has them."""
    if isinstance(seat_ids, Select):
        is_one: ColumnElement[bool] = Seat.id.in_(seat_ids)
    else:
        # As one parameter, since a large session has more seats than a statement may have.
        is_one = Seat.id == any_(bindparam(None, list(seat_ids), type_=ARRAY(Uuid())))
    found = await uow.session.execute(_holders(uow).where(is_one, Seat.is_handed_on.is_(True)))
    return {row.id: Holder(row.id, row.order_id, row.name, row.address, True) for row in found}


async def list_holders(uow: UnitOfWork, session_id: UUID, *, by_order: UUID) -> list[Holder]:
    """Who has the live places of an order on a date, handed on or not."""
    found = await uow.session.execute(
        _holders(uow, only_handed_on=False).where(
            Seat.session_id == session_id,
            Seat.order_id == by_order,
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
        )
    )
    return [
        Holder(row.id, row.order_id, row.name, row.address or "", row.is_handed_on) for row in found
    ]


async def who_sits_after(uow: UnitOfWork, seats: Sequence[Seat]) -> dict[UUID, UUID]:
    """By seat, the participant who would sit on another date that it is moved to: a place that was
    handed on is its guest's again there.
    """
    handed = [seat.id for seat in seats if seat.is_handed_on]
    sits = {seat.id: seat.participant_id for seat in seats}
    if not handed:
        return sits
    found = await uow.session.execute(
        select(HandingOn.seat_id, HandingOn.was_participant_id)
        .where(HandingOn.tenant_id == uow.tenant, HandingOn.seat_id.in_(handed))
        .order_by(HandingOn.id)
    )
    firsts: dict[UUID, UUID | None] = {}
    for seat_id, participant_id in found:
        firsts.setdefault(seat_id, participant_id)
    return sits | {seat_id: first for seat_id, first in firsts.items() if first is not None}


async def find_told_before(uow: UnitOfWork, handing: HandingOn) -> HandingOn | None:
    """Of the handings-on of the same seat before this one, the newest whose holder was told."""
    found: HandingOn | None = await uow.session.scalar(
        select(HandingOn)
        .where(
            HandingOn.tenant_id == uow.tenant,
            HandingOn.seat_id == handing.seat_id,
            HandingOn.id < handing.id,
            HandingOn.told_at.is_not(None),
        )
        .order_by(HandingOn.id.desc())
        .limit(1)
    )
    return found


async def find_first_untold(
    uow: UnitOfWork, handing: HandingOn, after: HandingOn | None
) -> HandingOn:
    """The first handing-on since then: it took away what its holder still has an entry of."""
    statement = select(HandingOn).where(
        HandingOn.tenant_id == uow.tenant, HandingOn.seat_id == handing.seat_id
    )
    if after is not None:
        statement = statement.where(HandingOn.id > after.id)
    found = await uow.session.scalar(statement.order_by(HandingOn.id).limit(1))
    assert found is not None
    return found


def _holders(uow: UnitOfWork, *, only_handed_on: bool = True) -> Select[Any]:
    newest = (
        select(HandingOn.address)
        .where(
            HandingOn.tenant_id == Seat.tenant_id,
            HandingOn.seat_id == Seat.id,
            HandingOn.participant_id == Seat.participant_id,
        )
        .order_by(HandingOn.id.desc())
        .limit(1)
        .correlate(Seat)
        .scalar_subquery()
    )
    return (
        select(Seat.id, Seat.order_id, Seat.is_handed_on, Participant.name, newest.label("address"))
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .where(Seat.tenant_id == uow.tenant)
    )
