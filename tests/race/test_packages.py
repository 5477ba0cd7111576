"""A package that is paid at the desk at the very moment in which it lapses, and bought twice by one
form; what is paid always has its credits, and what lapsed never has any.
"""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.lapse_package import lapse_package
from src.billing.domain.kinds import PaymentMode
from src.billing.models import CreditLot, Order
from src.booking.place_package import place_package
from src.platform.ids import new_id
from tests.conftest import Committing
from tests.support.builders import Business, a_business, as_guest
from tests.support.credits import a_package

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

ROUNDS = 12


async def a_pending_one(committing: Committing, business: Business, package_id: UUID) -> UUID:
    wish = BuyCommand(
        package_id=package_id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
        way=PaymentMode.ON_SITE,
    )
    async with committing.uow_factory(business.id) as uow:
        return (await buy_package(uow, as_guest(business), wish)).id


async def pay(committing: Committing, business: Business, order_id: UUID) -> None:
    async with committing.uow_factory(business.id) as uow:
        await mark_paid_on_site(uow, business.ctx, order_id)


async def lapse(committing: Committing, business: Business, order_id: UUID) -> None:
    async with committing.uow_factory(business.id) as uow:
        await lapse_package(uow, order_id)


async def both(committing: Committing, rounds: int = ROUNDS) -> set[tuple[str, int, int]]:
    """How lot, credits and money stand after each round, in which both were done at once."""
    business = await a_business(committing.uow_factory)
    package = await a_package(committing.uow_factory, business.id)
    seen = set()
    for number in range(rounds):
        order_id = await a_pending_one(committing, business, package.id)
        acts = [pay(committing, business, order_id), lapse(committing, business, order_id)]
        await asyncio.gather(*(acts if number % 2 else reversed(acts)))
        async with committing.uow_factory(business.id) as uow:
            found = await uow.session.execute(
                select(CreditLot.state, CreditLot.balance, Order.paid_minor)
                .join(Order, Order.id == CreditLot.order_id)
                .where(CreditLot.order_id == order_id)
            )
            seen.add(tuple(found.one()))
    return seen


async def test_paid_and_lapsing_at_once_is_one_of_them(committing: Committing) -> None:
    assert await both(committing) <= {("active", 10, 12_000), ("void", 0, 0)}


async def test_a_form_sent_many_times_at_once_buys_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    package = await a_package(committing.uow_factory, business.id, price_minor=0, pays=[])
    wish = BuyCommand(
        package_id=package.id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
    )
    paths = await asyncio.gather(
        *(place_package(committing.services, as_guest(business), wish) for _one in range(10))
    )
    assert len(set(paths)) == 1
    async with committing.uow_factory(business.id) as uow:
        lots = (await uow.session.scalars(select(CreditLot))).all()
    assert [lot.balance for lot in lots] == [10]
