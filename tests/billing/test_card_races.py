"""Presses, the sweeper and the guest's other tabs at one card's payment: it is charged once."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.card_payments import CardAnswer, CardOutcome
from src.billing.commands.cards import remove_card
from src.billing.domain.kinds import OrderState
from src.billing.models import SavedCard
from src.billing.settlement import check_payment, end_hold
from src.billing.stripe_gateway import StripeGateway
from src.billing.sweeper import sweep_holds
from src.platform.errors import DomainError
from src.sandbox.stripe.serving import Running
from tests.billing.conftest import open_account
from tests.billing.places import Places
from tests.billing.support import make_business
from tests.billing.till import Till
from tests.billing.wallet import a_card, cards, pay_and_keep, press
from tests.conftest import Committing
from tests.support.clock import FrozenClock
from tests.support.work import work_together

pytestmark = [pytest.mark.anyio, pytest.mark.race]


@pytest.fixture
async def shop(
    committing: Committing,
    clock: FrozenClock,
    stripe: Running,
    gateway: StripeGateway,
    places: Places,
) -> Till:
    services = replace(committing.services, ports={StripeGateway: gateway})
    business = await make_business(services.uow_factory, clock.now())
    account_id = await open_account(services, stripe, business)
    places.left = 20
    return Till(business, services, stripe, places, clock, account_id)


async def _tries(shop: Till, order_id: UUID, card: SavedCard) -> CardAnswer | DomainError:
    try:
        return await press(shop, order_id, card)
    except DomainError as refusal:
        return refusal


async def _paid(shop: Till) -> Counter[str]:
    """How often each order was charged, by the words that were sent along."""
    found = await shop.stripe_objects("charge")
    return Counter(one["metadata"]["order_id"] for one in found if one["paid"])


async def test_many_presses_at_once_charge_once(shop: Till) -> None:
    card = await a_card(shop)
    order_id = await shop.order()
    answers = await asyncio.gather(*(_tries(shop, order_id, card) for _press in range(6)))
    assert (await _paid(shop))[str(order_id)] == 1
    assert not any(
        isinstance(one, CardAnswer) and one.outcome is CardOutcome.DECLINED for one in answers
    )
    await check_payment(shop.services, shop.business.id, order_id)
    assert (await shop.state(order_id)).state == OrderState.CONFIRMED
    assert len(await shop.payments(order_id)) == 1


@pytest.mark.slow
async def test_presses_and_the_end_of_the_hold_have_one_winner(shop: Till) -> None:
    card = await a_card(shop)
    orders = [await shop.order() for _number in range(8)]
    tenant = shop.business.id
    await asyncio.gather(
        *(_tries(shop, order_id, card) for order_id in orders),
        *(end_hold(shop.services, tenant, order_id) for order_id in orders),
        return_exceptions=True,
    )
    shop.clock.advance(timedelta(minutes=37))
    await sweep_holds(shop.services)
    charged = await _paid(shop)
    for order_id in orders:
        order = await shop.state(order_id)
        assert order.state in (OrderState.CONFIRMED, OrderState.EXPIRED)
        assert charged[str(order_id)] == (order.state == OrderState.CONFIRMED)


async def test_a_page_and_a_card_at_once_take_money_by_one_of_them(shop: Till) -> None:
    card = await a_card(shop)
    order_id, session_id = await shop.order_with_page()
    await asyncio.gather(_tries(shop, order_id, card), shop.pay(session_id), return_exceptions=True)
    shop.clock.advance(timedelta(minutes=37))
    await sweep_holds(shop.services)
    assert (await shop.state(order_id)).state == OrderState.CONFIRMED
    assert (await _paid(shop))[str(order_id)] == 1


@pytest.mark.slow
async def test_one_card_kept_in_two_tabs_is_kept_once(shop: Till) -> None:
    shop.places.left += 2
    await asyncio.gather(pay_and_keep(shop), pay_and_keep(shop))
    # One worker that does all at once: two of the tests' own take each other's rows.
    await work_together(shop.services, shop.business.id)
    await shop.work()
    usable = [one for one in await cards(shop) if one.state == "usable"]
    assert len(usable) == 1
    customers = await shop.stripe_objects("customer")
    assert len(customers) == 1


async def test_a_card_is_removed_while_it_is_pressed(shop: Till) -> None:
    card = await a_card(shop)
    order_id = await shop.order()

    async def remove() -> None:
        async with shop.services.uow_factory(shop.business.id) as uow:
            await remove_card(uow, shop.business.customer_id, card.id)

    answer, _removed = await asyncio.gather(_tries(shop, order_id, card), remove())
    charged = (await _paid(shop))[str(order_id)]
    state = (await shop.state(order_id)).state
    assert (charged, state) in {(1, OrderState.CONFIRMED), (0, OrderState.OPEN)}
    assert isinstance(answer, CardAnswer) == bool(charged)
    again = await shop.order()
    assert isinstance(await _tries(shop, again, card), DomainError)
    assert (await _paid(shop))[str(again)] == 0
