"""Places that waiting lists have offered to somebody: taken from everybody else, people's not yet.

`sessions.seats_taken` counts them, so whoever asks how many people come takes them off again. Lists
read both in one statement: an offer that becomes a seat leaves the sum as it is. The live offers
are added up once a statement and not once a session, of which a list has many.
"""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, any_, cast, func, select
from sqlalchemy.sql.elements import ColumnElement

from src.booking.domain.waiting import OfferState
from src.booking.models import Session, WaitlistOffer
from src.platform.db.uow import UnitOfWork

_HELD = (
    select(
        WaitlistOffer.tenant_id,
        func.unnest(WaitlistOffer.session_ids).label("session_id"),
        WaitlistOffer.places,
    )
    .where(WaitlistOffer.state == str(OfferState.LIVE), WaitlistOffer.holds)
    .subquery("held")
)
_OFFERED = (
    select(
        _HELD.c.tenant_id,
        _HELD.c.session_id,
        cast(func.sum(_HELD.c.places), Integer).label("places"),
    )
    .group_by(_HELD.c.tenant_id, _HELD.c.session_id)
    .subquery("offered")
)


def with_offers(statement: Select[Any]) -> Select[Any]:
    """The statement about sessions of one tenant, whose columns may now be those below."""
    return statement.outerjoin(
        _OFFERED,
        (_OFFERED.c.tenant_id == Session.tenant_id) & (_OFFERED.c.session_id == Session.id),
    )


def places_on_offer() -> ColumnElement[int]:
    """Of each session of a statement `with_offers`, the places of its live offers that hold."""
    return func.coalesce(_OFFERED.c.places, 0)


def people_in() -> ColumnElement[int]:
    """Of each session of a statement `with_offers`, its live seats, held ones too."""
    return Session.seats_taken - places_on_offer()


def people_in_one() -> ColumnElement[int]:
    """The same in a condition on a single session, which a statement that writes it may have."""
    on_offer = (
        select(func.coalesce(func.sum(WaitlistOffer.places), 0))
        .where(
            WaitlistOffer.tenant_id == Session.tenant_id,
            WaitlistOffer.state == str(OfferState.LIVE),
            WaitlistOffer.holds,
            Session.id == any_(WaitlistOffer.session_ids),
        )
        .correlate(Session)
        .scalar_subquery()
    )
    return Session.seats_taken - on_offer


async def count_on_offer(uow: UnitOfWork, session: Session) -> int:
    """How many of the places that the session had taken when it was read are on offer."""
    return (await on_offer_in(uow, [session])).get(session.id, 0)


async def on_offer_beyond(
    uow: UnitOfWork, wanted: Iterable[tuple[Session, int]]
) -> dict[UUID, int]:
    """`on_offer_in` of those sessions that have more places taken than the capacity beside them: of
    the others nobody needs to know, and none of them is asked about.
    """
    return await on_offer_in(
        uow, [session for session, capacity in wanted if capacity < session.seats_taken]
    )


async def on_offer_in(uow: UnitOfWork, sessions: Collection[Session]) -> dict[UUID, int]:
    """`count_on_offer` of each of the sessions that has any: never more than it had taken when it
    was read, whatever was offered since.
    """
    taken = {session.id: session.seats_taken for session in sessions if session.seats_taken}
    if not taken:
        return {}
    on_offer = places_on_offer().label("on_offer")
    found = await uow.session.execute(
        with_offers(select(Session.id, on_offer)).where(
            Session.tenant_id == uow.tenant, Session.id.in_(taken)
        )
    )
    return {row.id: min(row.on_offer, taken[row.id]) for row in found if row.on_offer}
