"""What somebody of a party is called who was given no name: their number in it, which stays."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import aliased

from src.billing.models import Order
from src.booking.models import Booking, Seat
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.models import Participant

_EVERY, _OWN = aliased(Seat), aliased(Booking)
_PURCHASE = (
    select(func.coalesce(_OWN.completes_id, _OWN.id))
    .where(_OWN.tenant_id == Seat.tenant_id, _OWN.id == Seat.booking_id)
    .correlate(Seat)
    .scalar_subquery()
)

NUMBER = (
    select(func.count(_EVERY.participant_id.distinct()))
    .where(
        _EVERY.tenant_id == Seat.tenant_id,
        _EVERY.booking_id == _PURCHASE,
        _EVERY.participant_id <= Seat.participant_id,
    )
    .correlate(Seat)
    .scalar_subquery()
    .label("number")
)
"""The place in the party, from 1, whichever of its seats are looked at, also those of dates that
were got later.
"""


def called(name: str, number: int, party_size: int) -> str:
    """For the guest who booked; empty for one who comes alone and has no name."""
    return name or (_("Person %(number)s", number=number) if party_size > 1 else "")


def called_among_their_own(name: str, number: int, guest: str) -> str:
    """In a list of people of one booking; the guest who booked is the first of them."""
    first = guest if number == 1 else ""
    return name or first or _("Person %(number)s", number=number)


def called_by_staff(name: str, number: int, guest: str) -> str:
    """Beside the guest who booked, who is the first of the party."""
    if name or number == 1:
        return name or guest
    if not guest:
        return _("Person %(number)s", number=number)
    return _("%(name)s, person %(number)s", name=guest, number=number)


async def list_called(uow: UnitOfWork, seat_ids: Sequence[UUID], party_size: int) -> list[str]:
    """Who sits in these seats of one booking, each once, in the order of the party; empty where it
    is all of the party, so that nobody needs to be named.
    """
    found = await uow.session.execute(
        select(Participant.name, NUMBER)
        .select_from(Seat)
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
    )
    people = sorted({(number, name) for name, number in found})
    if len(people) >= party_size:
        return []
    return [called(name, number, party_size) for number, name in people]


async def list_people_cancelled(
    uow: UnitOfWork, cancellation_id: UUID, most: int
) -> tuple[list[str], int]:
    """Whose seats name the cancellation, each once as staff call them, and how many more than
    `most` there are.
    """
    found = await uow.session.execute(
        select(Order.guest_name, Participant.name, NUMBER, Order.customer_id)
        .select_from(Seat)
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .where(Seat.tenant_id == uow.tenant, Seat.cancellation_id == cancellation_id)
    )
    people = sorted({(row.guest_name, row.customer_id, row.number, row.name) for row in found})
    names = [called_by_staff(name, number, guest) for guest, _customer, number, name in people]
    return names[:most], max(0, len(names) - most)


def count_paying(seats: Iterable[Seat | Row[Any]]) -> int:
    """How many people were paid for, with money or a credit: who comes free brings nothing back.
    Everybody, where nobody was.
    """
    everybody, paying = set[UUID](), set[UUID]()
    for seat in seats:
        everybody.add(seat.participant_id)
        if seat.share_minor > 0 or seat.credit_lot_id is not None:
            paying.add(seat.participant_id)
    return len(paying or everybody)
