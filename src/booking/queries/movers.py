"""Who would come on another date: a place that was handed on is there again whose it was."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select

from src.booking.models import Seat
from src.booking.queries.guest_leaving import Own
from src.booking.queries.handing_on import list_holders_of, who_sits_after
from src.booking.queries.party import called
from src.booking.said import person_words
from src.booking.views.leaving import MovePerson
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Participant


async def list_movers(uow: UnitOfWork, own: Sequence[Own]) -> list[MovePerson]:
    """Of these seats of one date, each with who has it now where that is somebody else."""
    holders = await list_holders_of(
        uow, [one.seat.seat.id for one in own if one.seat.seat.is_handed_on]
    )
    sits = await who_sits_after(uow, [one.seat.seat for one in own])
    names = await _names(uow, own, {sits[seat_id] for seat_id in holders})
    movers = []
    for one in own:
        seat = one.seat.seat
        holder = holders.get(seat.id)
        if holder is None:
            movers.append(MovePerson(seat_id=str(seat.id), who=one.who))
            continue
        movers.append(
            MovePerson(
                seat_id=str(seat.id),
                who=person_words(names[sits[seat.id]], seat.tier),
                had_by=holder.name,
                is_mailed=bool(holder.address),
            )
        )
    return movers


async def _names(
    uow: UnitOfWork, own: Sequence[Own], participant_ids: Collection[UUID]
) -> dict[UUID, str]:
    """What they are called who perhaps have no seat of the booking any more: by their number, as
    `queries.party.NUMBER` counts those who have one.
    """
    if not participant_ids:
        return {}
    booking = own[0].seat.booking
    before = (
        select(func.count(Seat.participant_id.distinct()))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.booking_id == (booking.completes_id or booking.id),
            Seat.participant_id < Participant.id,
        )
        .correlate(Participant)
        .scalar_subquery()
    )
    found = await uow.session.execute(
        select(Participant.id, Participant.name, before).where(
            Participant.tenant_id == uow.tenant, Participant.id.in_(participant_ids)
        )
    )
    return {
        participant_id: called(name, others + 1, booking.party_size)
        for participant_id, name, others in found
    }
