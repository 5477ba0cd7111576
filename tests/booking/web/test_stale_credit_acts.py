"""A page about somebody's credits that was left open while they came, went or were refunded."""

from typing import Any

import pytest
from httpx import AsyncClient

from src.billing.models import CreditLot
from src.platform.services import Services
from src.tenants.models import Customer
from tests.booking.web.pages import send, send_again
from tests.booking.web.test_credits import HOME, WHY, lot, paid_by_card, used_once
from tests.support.builders import Business
from tests.support.lots import a_customer, the_lot

pytestmark = pytest.mark.anyio


@pytest.fixture
async def carl(services: Services, lotus: Business) -> Customer:
    return await a_customer(services.uow_factory, lotus.id)


async def left(services: Services, lotus: Business, mine: CreditLot) -> int:
    return (await the_lot(services.uow_factory, lotus.id, mine.id)).balance


@pytest.mark.parametrize(
    ("act", "typed"), [("add", {"number": "1"}), ("remove", {"number": "2"}), ("end", {})]
)
async def test_another_number_is_left_than_was_shown(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    carl: Customer,
    act: str,
    typed: dict[str, Any],
) -> None:
    """Nothing is done, what was typed stays, and sending it again is a decision."""
    mine = await lot(services, lotus, carl)
    here = f"{HOME}/{mine.id}/{act}"
    open_page = await client.get(here)
    await used_once(services, lotus, mine)
    more = {**typed, **WHY, **({"ends_on": "2033-01-01"} if act == "end" else {})}
    refused = await send_again(client, here, open_page, more)
    assert refused.status_code == 422
    assert "Credits have come or gone since you opened the page" in refused.text
    assert WHY["reason"] in refused.text
    assert await left(services, lotus, mine) == 9
    done = await send_again(client, here, refused, more)
    assert done.status_code == 303


async def test_refunded_credits_do_not_come_to_life_by_an_old_page(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    order = await paid_by_card(services, lotus, carl)
    mine = await lot(services, lotus, carl, order_id=order.id)
    here = f"{HOME}/{mine.id}"
    stale = await client.get(f"{here}/add")
    await send(client, f"{here}/refund", WHY)
    refused = await send_again(client, f"{here}/add", stale, {"number": "1", **WHY})
    told = await client.get(refused.headers["location"])
    assert "These credits were refunded" in told.text
    assert await left(services, lotus, mine) == 0
    assert f'href="{here}/add"' not in told.text
