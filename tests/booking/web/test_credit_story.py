"""What is told of money that went back for credits, and of credits that are empty."""

import re

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from src.billing.commands.credits import GUEST
from src.billing.domain.credits import EntryKind, LotSource
from src.billing.models import Payment
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import Customer
from tests.booking.web.pages import send_again
from tests.booking.web.test_credit_sums import HOME, written
from tests.booking.web.test_credits import WHY, paid_by_card
from tests.support.builders import Business
from tests.support.clock import FrozenClock, TickingClock
from tests.support.lots import a_customer, lot_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> FrozenClock:
    return TickingClock()


@pytest.fixture
async def carl(services: Services, lotus: Business) -> Customer:
    return await a_customer(services.uow_factory, lotus.id)


@pytest.mark.parametrize("by_hand", [False, True])
async def test_the_history_says_what_went_back_and_the_open_item_where_they_came_from(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer, by_hand: bool
) -> None:
    order = await paid_by_card(services, lotus, carl)
    async with services.uow_factory(lotus.id) as uow:
        if by_hand:
            await uow.session.execute(update(Payment).values(method="on_site"))
    of_place = {"source": LotSource.SEAT, "source_seat_id": new_id(), "bought": 0, "credits": 1}
    mine = await lot_of(
        services.uow_factory,
        lotus.id,
        carl.id,
        order_id=order.id,
        paid_minor=0,
        value_minor=1487,
        **of_place,
    )
    act = f"{HOME}/{mine.id}/refund"
    await send_again(client, act, await client.get(act), {"amount": "14.87", **WHY})
    shown = as_text((await client.get(f"{HOME}/{mine.id}")).text)
    assert "Refunded · €14.87" in shown
    assert "Worth €14.87 €14.87 refunded or on its way" in shown
    of_order = as_text((await client.get(f"/app/lotus/orders/{order.id}")).text)
    said = "You refunded unused credits of Carl, given back for a place of order ABC123."
    assert (said in of_order) == by_hand


async def test_each_refund_by_hand_has_its_own_amount(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    order = await paid_by_card(services, lotus, carl)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Payment).values(method="on_site"))
    mine = await lot_of(services.uow_factory, lotus.id, carl.id, order_id=order.id)
    act = f"{HOME}/{mine.id}/refund"
    await written(services, lotus, mine, (EntryKind.REDEEM, -2, GUEST))
    await send_again(client, act, await client.get(act), {"amount": "20", **WHY})
    await written(services, lotus, mine, (EntryKind.RESTORE, 2, GUEST))
    await send_again(client, act, await client.get(act), {"amount": "7.50", **WHY})
    shown = as_text((await client.get(f"{HOME}/{mine.id}")).text)
    assert re.findall(r"Refunded · (€[\d.]+)", shown) == ["€7.50", "€20.00"]


def as_text(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page).split())


async def test_who_moves_the_end_of_empty_credits_reads_that_nobody_is_written_to(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    mine = await lot_of(services.uow_factory, lotus.id, carl.id, credits=1)
    act = f"{HOME}/{mine.id}/end"
    assert "gets a mail with your reason" in (await client.get(act)).text
    await written(services, lotus, mine, (EntryKind.REDEEM, -1, GUEST))
    assert "so nobody is written to" in (await client.get(act)).text
