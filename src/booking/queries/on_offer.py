"""Places that waiting lists have offered to somebody: taken from everybody else, people's not yet.

`sessions.seats_taken` counts them, so whoever asks how many people come takes them off again. Both
are read in one statement: an offer that becomes a seat leaves the sum as it is.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Integer, ScalarSelect, any_, cast, func, select
from sqlalchemy.sql.elements import ColumnElement

from src.booking.domain.waiting import OfferState
from src.booking.models import Session, WaitlistOffer
from src.platform.db.uow import UnitOfWork


def places_on_offer() -> ScalarSelect[int]:
    """Of each session of the statement around it, the places of its live offers that hold."""
    return (
        select(cast(func.coalesce(func.sum(WaitlistOffer.places), 0), Integer))
        .where(
            WaitlistOffer.tenant_id == Session.tenant_id,
            WaitlistOffer.state == str(OfferState.LIVE),
            WaitlistOffer.holds,
            Session.id == any_(WaitlistOffer.session_ids),
        )
        .correlate(Session)
        .scalar_subquery()
    )


def people_in() -> ColumnElement[int]:
    """Of each session of the statement around it, its live seats, held ones too."""
    return Session.seats_taken - places_on_offer()


async def on_offer_beyond(uow: UnitOfWork, session: Session | None, capacity: int) -> int:
    """How many of the session's places are on offer, where more are taken than the capacity would
    be: elsewhere nobody needs to know, and 0 is said without asking.
    """
    if session is None or capacity >= session.seats_taken:
        return 0
    found: int | None = await uow.session.scalar(
        select(places_on_offer()).where(Session.tenant_id == uow.tenant, Session.id == session.id)
    )
    return found or 0


async def on_offer_in(uow: UnitOfWork, session_ids: Collection[UUID]) -> dict[UUID, int]:
    """Of each of the sessions that has any, the places on offer."""
    if not session_ids:
        return {}
    on_offer = places_on_offer().label("on_offer")
    found = await uow.session.execute(
        select(Session.id, on_offer).where(
            Session.tenant_id == uow.tenant, Session.id.in_(session_ids)
        )
    )
    return {row.id: row.on_offer for row in found if row.on_offer}
