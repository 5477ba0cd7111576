"""People who wait for places, and what holds of them whatever happens."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from src.booking.commands.waitlist import JoinWaitlist, join_waitlist
from src.booking.models import Seat, Session, WaitlistEntry, WaitlistOffer
from src.platform.db.uow import UowFactory
from tests.support.builders import Business


async def joined(
    uow_factory: UowFactory, business: Business, kind: Any, subject_id: UUID, name: str, **more: Any
) -> UUID:
    """They wait from now on; their mail and the list's job are still to be done."""
    cmd = JoinWaitlist(
        kind=kind, subject_id=subject_id, name=name, email=f"{name.lower()}@example.com", **more
    )
    async with uow_factory(business.id) as uow:
        return await join_waitlist(uow, business.tenant, cmd)


async def entries(uow_factory: UowFactory, business: Business) -> dict[str, str]:
    """The state of each, by name, the latest of a name."""
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(select(WaitlistEntry).order_by(WaitlistEntry.joined_at))
        return {entry.name: entry.state for entry in found}


async def offers(uow_factory: UowFactory, business: Business) -> list[WaitlistOffer]:
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(WaitlistOffer).order_by(WaitlistOffer.made_at, WaitlistOffer.id)
        )
        return list(found)


async def check_places(uow_factory: UowFactory, business: Business) -> list[int]:
    """I1: every session's counter is its live seats and the places of its live offers.

    Returns the counters, in order of the sessions' starts.
    """
    async with uow_factory(business.id) as uow:
        live = (
            select(func.count(Seat.id))
            .where(Seat.session_id == Session.id)
            .where(Seat.state.in_(["held", "confirmed", "attended", "no_show"]))
            .scalar_subquery()
        )
        rows = (
            await uow.session.execute(
                select(Session.id, Session.seats_taken, Session.capacity, live).order_by(
                    Session.starts_at
                )
            )
        ).all()
        found = await uow.session.scalars(
            select(WaitlistOffer).where(WaitlistOffer.state == "live", WaitlistOffer.holds)
        )
        held = list(found)
    for session_id, taken, capacity, seats in rows:
        offered = sum(offer.places for offer in held if session_id in offer.session_ids)
        assert taken == seats + offered <= capacity, (taken, seats, offered, capacity)
    return [row[1] for row in rows]
