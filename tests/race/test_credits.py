"""The last credit of a lot, wanted by two windows at once; and taken while others give back.

The control switches the guard off and shows the race, so that the others are known to mean a thing.
"""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from src.billing.commands import credits as credit_commands
from src.booking.commands.book import BookCommand
from src.booking.commands.leave import leave_dates
from src.booking.domain.drop_in import PayWay
from src.booking.models import Session
from src.platform.errors import DomainError
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.conftest import Committing
from tests.race.test_seats import FEW, all_at_once, all_having_looked, without_check
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.credits import a_lot, balance_of

pytestmark = [pytest.mark.anyio, pytest.mark.race]

AT_ONCE = 20
UNGUARDED = text(
    "UPDATE credit_lots SET balance = balance - :wanted WHERE tenant_id = :tenant_id"
    " AND id = :lot_id AND customer_id = :customer_id"
    " AND (cast(:needed_until AS timestamptz) IS NOT NULL) RETURNING id"
)


async def a_shop(committing: Committing, number: int) -> tuple[Business, Session, UUID, UUID]:
    """A date with a place for everybody, and a customer with so many credits."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    session = await a_session(committing.uow_factory, service, capacity=2 * AT_ONCE)
    customer_id, lot_id = await a_lot(committing.uow_factory, business.id, number=number)
    return business, session, customer_id, lot_id


def wishes(
    session: Session, customer_id: UUID, lot_id: UUID, who: str = "Kim"
) -> list[BookCommand]:
    """For as many friends of the customer, for nobody books themselves twice."""
    return [
        a_wish(
            "session",
            session.id,
            party=(f"{who} {number}",),
            way=PayWay.CREDIT,
            customer_id=customer_id,
            credit_lot_id=lot_id,
        )
        for number in range(AT_ONCE)
    ]


async def test_the_last_credits_go_to_no_more_windows_than_there_are(
    committing: Committing,
) -> None:
    """Row 2-45: a package was used more often than it had credits."""
    business, session, customer_id, lot_id = await a_shop(committing, 3)
    outcomes = await all_at_once(committing, business, wishes(session, customer_id, lot_id))
    assert outcomes["booked"] == 3
    assert set(outcomes) <= {"booked", "credits_gone", "credits_used_up"}
    assert await balance_of(committing.uow_factory, business.id, customer_id) == 0
    assert await taken(committing.uow_factory, business.id) == [3]


async def test_control_without_the_guard_a_lot_goes_below_nothing(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, session, customer_id, lot_id = await a_shop(committing, 1)
    await without_check(committing, "credit_lots", "ck_credit_lots_balance")
    monkeypatch.setattr(credit_commands, "_TAKE", UNGUARDED)
    await all_having_looked(committing, business, wishes(session, customer_id, lot_id)[:FEW])
    assert await balance_of(committing.uow_factory, business.id, customer_id) == 1 - FEW


async def test_taking_and_giving_back_at_once_lose_no_credit_and_do_not_deadlock(
    committing: Committing,
) -> None:
    business, session, customer_id, lot_id = await a_shop(committing, AT_ONCE)
    orders = [
        await booked(committing.uow_factory, business, wish)
        for wish in wishes(session, customer_id, lot_id)
    ]
    seats = await seats_of(committing.uow_factory, business.id)

    async def leave(order_id: UUID) -> None:
        own = [seat.id for seat in seats if seat.order_id == order_id]
        async with committing.uow_factory(business.id) as uow:
            tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
            await leave_dates(uow, tenant, order_id, own)

    async def take(wish: BookCommand) -> int:
        try:
            await booked(committing.uow_factory, business, wish)
        except DomainError:
            return 0
        return 1

    again = [take(wish) for wish in wishes(session, customer_id, lot_id, "Lee")]
    taken_again = await asyncio.gather(*(leave(one.order_id) for one in orders), *again)
    left = sum(one for one in taken_again if one is not None)
    assert await balance_of(committing.uow_factory, business.id, customer_id) == AT_ONCE - left
    assert await taken(committing.uow_factory, business.id) == [left]
