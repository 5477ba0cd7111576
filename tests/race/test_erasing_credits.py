"""An erasure against whoever acts on the person's credits at that moment, whichever of their lots
comes first: neither of the two is stopped by a deadlock.

The customer has credits that are paid, and a package that waits to be paid on site: the erasure
ends the first and lets the second lapse.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.credit_acts import roll_over
from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.commands.credits import lock_lot
from src.billing.domain.kinds import PaymentMode
from src.billing.models import CreditLot
from src.booking.commands.erase_customer import erase_customer
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Unavailable
from src.platform.ids import new_id
from tests.booking.web.test_credits import paid_by_card
from tests.conftest import Committing
from tests.support.builders import Business, a_business, as_guest
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.locks import until_somebody_waits
from tests.support.lots import a_customer, lot_of
from tests.support.work import work

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

CARL = "carl@example.com"
FIRST, LAST = UUID(int=1), UUID(int=2**128 - 1)
"""Ids of the paid lot: before and after the one that waits, whose id is given as always."""

BOTH_WAYS = pytest.mark.parametrize("paid_id", [FIRST, LAST], ids=["paid first", "paid last"])


class Credits(NamedTuple):
    """Of a customer: a lot that was paid by card, and one that waits to be paid with its order."""

    customer_id: UUID
    paid: UUID
    waiting: UUID
    waiting_order: UUID


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


async def two_lots(
    committing: Committing, lotus: Business, clock: FrozenClock, paid_id: UUID
) -> Credits:
    """The paid one ends in a day."""
    factory = committing.uow_factory
    carl = await a_customer(factory, lotus.id)
    order = await paid_by_card(committing.services, lotus, carl)
    ends_at = clock.now() + timedelta(days=1)
    await lot_of(factory, lotus.id, carl.id, lot_id=paid_id, order_id=order.id, expires_at=ends_at)
    package = await a_package(factory, lotus.id, pays=["on_site"])
    async with factory(lotus.id) as uow:
        cmd = BuyCommand(
            package_id=package.id,
            guest_name="Carl",
            guest_email=CARL,
            form_token="once",
            way=PaymentMode.ON_SITE,
        )
        await buy_package(uow, as_guest(lotus), cmd)
    await work(committing.services, lotus.id)
    async with factory(lotus.id) as uow:
        waits = (await uow.session.scalars(select(CreditLot).where(CreditLot.id != paid_id))).one()
    assert (waits.customer_id, waits.state) == (carl.id, "pending")
    assert waits.order_id is not None
    return Credits(carl.id, paid_id, waits.id, waits.order_id)


async def states(committing: Committing, lotus: Business) -> dict[UUID, tuple[str, int]]:
    async with committing.uow_factory(lotus.id) as uow:
        lots = await uow.session.scalars(select(CreditLot))
        return {lot.id: (lot.state, lot.balance) for lot in lots}


async def erases(uow: UnitOfWork, lotus: Business, own: Credits) -> None:
    await erase_customer(uow, lotus.ctx, own.customer_id, CARL)


async def erased(committing: Committing, lotus: Business, own: Credits) -> None:
    async with committing.uow_factory(lotus.id) as uow:
        await erases(uow, lotus, own)


Act = Callable[[UnitOfWork, Business, Credits], Awaitable[object]]


async def rolls_over(uow: UnitOfWork, lotus: Business, own: Credits) -> None:
    await roll_over(uow, lotus.ctx, own.paid, None, "She was ill.")


async def refunds(uow: UnitOfWork, lotus: Business, own: Credits) -> None:
    cmd = RefundCredits(
        lot_id=own.paid, amount_minor=12_000, seen=10, reason="Moves away", token=new_id()
    )
    await refund_credits(uow, lotus.ctx, cmd)


async def takes_the_money(uow: UnitOfWork, lotus: Business, own: Credits) -> None:
    await mark_paid_on_site(uow, lotus.ctx, own.waiting_order)


async def one_after_the_other(
    committing: Committing, lotus: Business, own: Credits, first: Act, second: Act
) -> BaseException | None:
    """What was said to the second, who came while the first was under way."""

    async def follows() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await second(uow, lotus, own)

    async with committing.uow_factory(lotus.id) as uow:
        await first(uow, lotus, own)
        await uow.settle()
        following = asyncio.create_task(follows())
        await until_somebody_waits(committing.uow_factory)
    [said] = await asyncio.gather(following, return_exceptions=True)
    return said


@BOTH_WAYS
async def test_the_lots_are_taken_by_id_be_they_paid_or_not(
    committing: Committing, lotus: Business, clock: FrozenClock, paid_id: UUID
) -> None:
    """As whoever gives credits back to several lots takes them."""
    own = await two_lots(committing, lotus, clock, paid_id)
    lower, higher = sorted([own.paid, own.waiting])
    async with committing.uow_factory(lotus.id) as uow:
        await lock_lot(uow, lower)
        being_erased = asyncio.create_task(erased(committing, lotus, own))
        await until_somebody_waits(committing.uow_factory)
        await lock_lot(uow, higher)
    await being_erased
    assert await states(committing, lotus) == {
        own.paid: ("active", 0),
        own.waiting: ("void", 0),
    }


@BOTH_WAYS
async def test_who_is_erased_while_credits_are_rolled_over_has_none_left(
    committing: Committing, lotus: Business, clock: FrozenClock, paid_id: UUID
) -> None:
    own = await two_lots(committing, lotus, clock, paid_id)
    clock.advance(timedelta(days=2))
    assert await one_after_the_other(committing, lotus, own, rolls_over, erases) is None
    found = await states(committing, lotus)
    assert sorted(found.values()) == [("active", 0), ("active", 0), ("void", 0)]
    assert found[own.waiting] == ("void", 0)


@BOTH_WAYS
async def test_who_comes_to_roll_over_credits_of_somebody_erased_does_nothing(
    committing: Committing, lotus: Business, clock: FrozenClock, paid_id: UUID
) -> None:
    own = await two_lots(committing, lotus, clock, paid_id)
    clock.advance(timedelta(days=2))
    said = await one_after_the_other(committing, lotus, own, erases, rolls_over)
    # Their customer goes while it is looked for, and is found erased when asked again.
    assert isinstance(said, Conflict) or (isinstance(said, Unavailable) and said.code == "busy")
    assert await states(committing, lotus) == {own.paid: ("active", 0), own.waiting: ("void", 0)}


@BOTH_WAYS
@pytest.mark.parametrize("act", [refunds, takes_the_money])
async def test_money_that_moves_for_one_of_them_stands_against_it(
    committing: Committing, lotus: Business, clock: FrozenClock, paid_id: UUID, act: Act
) -> None:
    own = await two_lots(committing, lotus, clock, paid_id)
    said = await one_after_the_other(committing, lotus, own, act, erases)
    assert isinstance(said, Conflict), said
    assert said.code == "not_erasable"
    left = {refunds: (0, "pending", 0), takes_the_money: (10, "active", 10)}[act]
    found = await states(committing, lotus)
    assert (found[own.paid][1], *found[own.waiting]) == left


@BOTH_WAYS
@pytest.mark.parametrize("act", [refunds, takes_the_money])
async def test_money_that_comes_too_late_for_one_of_them_moves_nothing(
    committing: Committing, lotus: Business, clock: FrozenClock, paid_id: UUID, act: Act
) -> None:
    own = await two_lots(committing, lotus, clock, paid_id)
    said = await one_after_the_other(committing, lotus, own, erases, act)
    assert isinstance(said, Conflict) if act is refunds else said is None, said
    assert await states(committing, lotus) == {own.paid: ("active", 0), own.waiting: ("void", 0)}
