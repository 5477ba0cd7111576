"""What a mail about a booking says, read in one go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, any_, bindparam, select

from src.billing.domain.credits import LotSource
from src.billing.models import CreditLot, Order
from src.billing.queries.disputes import is_order_with_the_bank
from src.billing.queries.left_together import list_left
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.party import NUMBER
from src.booking.said import Person
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Location, Participant, Performer

Known = tuple[UUID, int]
"""A session, and the number of the state of it that somebody knows."""


@dataclass(frozen=True, slots=True)
class SeatFacts:
    """A seat with its session, as far as a guest may know them; `person` sits in it, if named, and
    has that `number` in the party. `performer` is who the session is with, empty for nobody.
    """

    seat: Seat
    session: Session
    location: Location | None
    person: str = ""
    number: int = 1
    performer: str = ""

    @property
    def known(self) -> Known:
        """What the seat's guest was last told of."""
        return self.session.id, self.seat.told_sequence

    @property
    def is_untold(self) -> bool:
        return self.seat.told_sequence < self.session.sequence


@dataclass(frozen=True, slots=True)
class SpentLot:
    """The credits that paid for a booking, and what is left of them by now, with those that pay
    together with them; `expires_at` is when the first of these end.
    """

    lot_id: UUID
    name: str
    left: int
    expires_at: datetime | None
    pays_together: bool


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """An order's booking with its seats in order of time. `is_with_the_bank`: the guest's bank has
    taken back what was paid. `credits` paid for it, if any did.
    """

    order: Order
    booking: Booking
    service: Service
    series: Series | None
    seats: Sequence[SeatFacts]
    is_with_the_bank: bool = False
    credits: SpentLot | None = None

    @property
    def what(self) -> str:
        """What was bought, as one name."""
        parts = [self.service.name, self.series.title if self.series is not None else ""]
        return " · ".join(part for part in parts if part)

    def with_seats(self, seats: Sequence[SeatFacts]) -> "BookingFacts":
        return replace(self, seats=seats)


async def find_booking_facts(uow: UnitOfWork, order_id: UUID) -> BookingFacts | None:
    """All about the order's booking, None when the order is none of ours."""
    found = await facts_of_orders(uow, [order_id])
    return found[0] if found else None


async def facts_of_orders(uow: UnitOfWork, order_ids: Sequence[UUID]) -> list[BookingFacts]:
    """The orders' bookings, oldest order first, but for orders that are none of ours."""
    found = await uow.session.execute(
        _OF_ORDERS, {"tenant_id": uow.tenant, "order_ids": list(order_ids)}
    )
    return await _with_those_alike(uow, _by_order(found))


async def facts_of_seats(
    uow: UnitOfWork, portions: Sequence[Sequence[UUID]]
) -> list[list[BookingFacts]]:
    """For each portion of seats their bookings with just these seats, oldest order first."""
    found = await uow.session.execute(
        _OF_SEATS,
        {"tenant_id": uow.tenant, "seat_ids": [one for portion in portions for one in portion]},
    )
    places = {seat_id: place for place, portion in enumerate(portions) for seat_id in portion}
    rows: list[list[Row[Any]]] = [[] for _portion in portions]
    for row in found:
        rows[places[row[4].id]].append(row)
    return [await _with_those_alike(uow, _by_order(portion)) for portion in rows]


async def bookings_that_go_on(uow: UnitOfWork, ended: Sequence[BookingFacts]) -> set[UUID]:
    """Of the bookings whose seats have ended, those that have other seats which stand."""
    booking_ids = {facts.booking.id for facts in ended}
    seat_ids = {item.seat.id for facts in ended for item in facts.seats}
    found = await uow.session.scalars(
        select(Seat.booking_id)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.booking_id.in_(booking_ids),
            Seat.id.not_in(seat_ids),
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
        )
        .distinct()
    )
    return set(found)


@dataclass(frozen=True, slots=True)
class SplitParty:
    """Those of a party whose seats ended and those who still come."""

    gone: tuple[Person, ...]
    staying: tuple[Person, ...]


async def find_split_parties(
    uow: UnitOfWork, ended: Sequence[BookingFacts]
) -> dict[UUID, SplitParty]:
    """By booking, of the bookings of which somebody still comes to one of the dates that ended."""
    seat_ids = {item.seat.id for facts in ended for item in facts.seats}
    found = await uow.session.execute(
        select(Seat.booking_id, Seat.id, Participant.id, NUMBER, Participant.name, Seat.tier)
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.booking_id.in_({facts.booking.id for facts in ended}),
            Seat.session_id.in_({item.session.id for facts in ended for item in facts.seats}),
            Seat.id.in_(seat_ids) | Seat.state.in_([str(state) for state in LIVE_SEATS]),
        )
        .order_by(Participant.id)
    )
    gone: dict[UUID, dict[UUID, Person]] = {}
    staying: dict[UUID, dict[UUID, Person]] = {}
    for booking_id, seat_id, person_id, number, name, tier in found:
        people = gone if seat_id in seat_ids else staying
        people.setdefault(booking_id, {})[person_id] = Person(number, name, tier)
    return {
        booking_id: SplitParty(tuple(gone.get(booking_id, {}).values()), tuple(people.values()))
        for booking_id, people in staying.items()
    }


async def _with_those_alike(uow: UnitOfWork, found: list[BookingFacts]) -> list[BookingFacts]:
    """The same, with what is left of credits that came back one by one."""
    ids = {one.credits.lot_id for one in found if one.credits and one.credits.pays_together}
    if not ids:
        return found
    left = await list_left(uow, ids)
    return [
        replace(
            one,
            credits=replace(
                one.credits,
                left=left[one.credits.lot_id].credits,
                expires_at=left[one.credits.lot_id].first_ends_at,
            ),
        )
        if one.credits is not None and one.credits.lot_id in ids
        else one
        for one in found
    ]


def _by_order(rows: Iterable[Row[Any]]) -> list[BookingFacts]:
    by_order: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        by_order.setdefault(row[0].id, []).append(row)
    return [_facts(by_order[order_id]) for order_id in sorted(by_order)]


def _statement() -> Any:
    return (
        select(Order, Booking, Service, Series, Seat, Session, Location, Participant.name)
        .add_columns(is_order_with_the_bank().label("is_with_the_bank"), NUMBER)
        .add_columns(Performer.name.label("performer"))
        .add_columns(CreditLot.id.label("lot_id"), CreditLot.name.label("lot"))
        .add_columns(CreditLot.balance, CreditLot.expires_at, CreditLot.source.label("lot_source"))
        .select_from(Booking)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .outerjoin(
            Location,
            (Location.tenant_id == Session.tenant_id) & (Location.id == Session.location_id),
        )
        .outerjoin(
            Performer,
            (Performer.tenant_id == Session.tenant_id) & (Performer.id == Session.performer_id),
        )
        .outerjoin(
            CreditLot,
            (CreditLot.tenant_id == Seat.tenant_id) & (CreditLot.id == Seat.credit_lot_id),
        )
        .where(Booking.tenant_id == bindparam("tenant_id"))
        .order_by(Session.starts_at, Seat.id)
    )


_IDS = ARRAY(Uuid())

# Made once: a statement of ten tables takes longer to put together than to run.
_OF_ORDERS = _statement().where(Booking.order_id == any_(bindparam("order_ids", type_=_IDS)))
_OF_SEATS = _statement().where(Seat.id == any_(bindparam("seat_ids", type_=_IDS)))


def _facts(rows: Sequence[Row[Any]]) -> BookingFacts:
    order, booking, service, series, *_rest = rows[0]
    seats = [
        SeatFacts(row[4], row[5], row[6], row[7], row.number, row.performer or "") for row in rows
    ]
    paid = next((row for row in rows if row.lot_id is not None), None)
    spent = None
    if paid is not None:
        is_one_of_many = paid.lot_source == LotSource.SEAT
        spent = SpentLot(paid.lot_id, paid.lot, paid.balance, paid.expires_at, is_one_of_many)
    return BookingFacts(order, booking, service, series, seats, rows[0].is_with_the_bank, spent)
