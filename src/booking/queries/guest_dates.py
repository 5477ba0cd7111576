"""What a guest's calendar feeds say: the dates under the UIDs that their mails use.

No entry leads to its booking's page: that link cancels and shows a mail address, and a calendar
program hands what it reads to everybody with whom its owner shares the calendar.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from src.billing.models import Order
from src.booking.calendar_files import seat_uid
from src.booking.domain.kinds import SeatState
from src.booking.feed_files import FeedDate
from src.booking.mail_parts import calendar_seats
from src.booking.models import Seat, Session
from src.booking.queries.mail_facts import (
    BookingFacts,
    SeatFacts,
    facts_of_seats,
    find_booking_facts,
)
from src.platform.db.uow import UnitOfWork

SHOWN_BEFORE = timedelta(days=60)
SHOWN_AFTER = timedelta(days=400)
MOST_DATES = 2_000
STANDS = frozenset({SeatState.CONFIRMED, SeatState.ATTENDED, SeatState.NO_SHOW})
ENDED = frozenset({SeatState.CANCELLED, SeatState.LATE_CANCELLED, SeatState.SWAPPED})
SHOWN = STANDS | ENDED


async def booking_dates(uow: UnitOfWork, host: str, order_id: UUID) -> list[FeedDate]:
    """The dates of one booking, cancelled ones marked so."""
    facts = await find_booking_facts(uow, order_id)
    if facts is None or facts.order.confirmed_at is None:
        return []
    # A date that another one took the place of lives on in that one's entry.
    shown = [item for item in facts.seats if item.seat.state in SHOWN - {SeatState.SWAPPED}]
    return list(_dates(facts, shown, host))


async def customer_dates(uow: UnitOfWork, host: str, customer_id: UUID) -> list[FeedDate]:
    """The dates of all that the customer has booked, in order of time."""
    [bookings] = await facts_of_seats(uow, [await _seats_of(uow, customer_id)])
    found = [dated for facts in bookings for dated in _dates(facts, facts.seats, host)]
    return sorted(found, key=lambda dated: (dated.starts_at, dated.uid))


async def _seats_of(uow: UnitOfWork, customer_id: UUID) -> Sequence[UUID]:
    """Those of confirmed orders that were not exchanged for another, in order of time."""
    later = aliased(Seat)
    now = uow.clock.now()
    replaced = exists().where(later.tenant_id == Seat.tenant_id, later.replaces_id == Seat.id)
    found = await uow.session.scalars(
        select(Seat.id)
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Order.customer_id == customer_id,
            Order.confirmed_at.is_not(None),
            Seat.state.in_([str(state) for state in SHOWN]),
            Session.starts_at >= now - SHOWN_BEFORE,
            Session.starts_at < now + SHOWN_AFTER,
            ~replaced,
        )
        .order_by(Session.starts_at, Seat.id)
        .limit(MOST_DATES)
    )
    return list(found)


def _dates(facts: BookingFacts, seats: Sequence[SeatFacts], host: str) -> Iterable[FeedDate]:
    for item in seats:
        has_ended = item.seat.state in ENDED
        for entry in calendar_seats(facts, [item], "", may_join=not has_ended):
            yield FeedDate(
                uid=seat_uid(entry.seat_id, host),
                starts_at=entry.starts_at,
                ends_at=entry.ends_at,
                title=entry.title,
                sequence=entry.sequence,
                is_cancelled=has_ended,
                where=entry.where,
                url=entry.url,
            )
