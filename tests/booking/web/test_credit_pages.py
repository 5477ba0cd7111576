"""The page of somebody's credits: where there is nothing to refund, and after they ended."""

import re
from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.credit_ends import forfeit_ended
from src.billing.commands.credits import SYSTEM, lock_lot, write_entry
from src.billing.domain.credits import EntryKind
from src.billing.models import Order
from src.booking.guest_links import package_path
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.pages import fields_of, send
from tests.booking.web.test_credits import HOME, WHY
from tests.booking.web.test_disputed_packages import by_card
from tests.booking.web.test_place_package import a_pending_one, only_lot
from tests.support.clock import FrozenClock
from tests.support.lots import a_customer, lot_of
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(shop: Shop) -> AsyncClient:
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    return shop.guest.client


async def words(client: AsyncClient, path: str) -> str:
    text = re.sub(r"<[^>]+>", " ", (await client.get(path)).text)
    return re.sub(r"\s+", " ", text)


async def test_a_credit_that_comes_back_to_what_was_refunded_is_said_to_be_worth_nothing(
    shop: Shop, client: AsyncClient
) -> None:
    lot = await by_card(shop)
    here = f"{HOME}/{lot.id}"
    assert "Worth now as money €120.00" in await words(client, here)
    form = fields_of(await client.get(f"{here}/refund"))
    await client.post(f"{here}/refund", data={**form, **WHY, "amount": "120"})
    assert "Worth now" not in await words(client, here), "nothing is left"
    async with shop.services.uow_factory(shop.business.id) as uow:
        await write_entry(uow, await lock_lot(uow, lot.id), EntryKind.RESTORE, 1, SYSTEM)
    shown = await words(client, here)
    assert "Active" in shown
    assert "Worth now as money €0.00, so there is nothing to refund" in shown
    assert (await client.get(f"{here}/refund")).headers["location"] == here
    assert "Nothing that was paid for these credits is left to give back." in await words(
        client, here
    )


@pytest.mark.parametrize("is_written_off", [True, False])
async def test_what_was_rolled_over_says_by_whom_and_why_and_takes_no_more(
    shop: Shop, client: AsyncClient, clock: FrozenClock, is_written_off: bool
) -> None:
    factory, tenant_id = shop.services.uow_factory, shop.business.id
    carl = await a_customer(factory, tenant_id)
    ends_at = clock.now() + timedelta(days=3)
    lot = await lot_of(factory, tenant_id, carl.id, expires_at=ends_at)
    clock.advance(timedelta(days=4))
    if is_written_off:
        async with factory(tenant_id) as uow:
            await forfeit_ended(uow, 10)
    here = f"{HOME}/{lot.id}"
    await send(client, f"{here}/roll-over", WHY)
    shown = await words(client, here)
    assert shown.count(f"Rolled over {WHY['reason']}") == 1
    history = shown[shown.rindex("History") :]
    assert "Olive" in history
    assert f"{here}/add" not in (await client.get(here)).text
    assert (await client.get(f"{here}/add")).headers["location"] == here
    assert "These credits have ended. Extend them first." in await words(client, here)
    assert (await client.get(f"{here}/roll-over")).headers["location"] == here
    assert "They are rolled over already." in await words(client, here)


async def test_a_package_says_whether_the_money_of_its_credits_has_gone_back(
    shop: Shop, client: AsyncClient
) -> None:
    lot = await by_card(shop)
    [order] = await rows(shop, Order)
    bought = package_path(shop.services.settings, "lotus", order)
    await send(client, f"{HOME}/{lot.id}/refund", {**WHY, "amount": "120"})
    shown = await words(client, bought)
    assert "The money for its unused credits is on its way back to you." in shown
    assert "paid back" not in shown
    assert "€120.00 refunded or on its way" in await words(client, f"{HOME}/{lot.id}")
    await shop.work()
    assert "Its unused credits were paid back." in await words(client, bought)


async def test_what_the_desk_took_is_not_said_to_be_back_before_it_is(
    shop: Shop, client: AsyncClient
) -> None:
    order = await a_pending_one(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await mark_paid_on_site(uow, shop.business.ctx, order.id)
    lot, bought = await only_lot(shop), package_path(shop.services.settings, "lotus", order)
    await send(client, f"{HOME}/{lot.id}/refund", {**WHY, "amount": "120"})
    assert "You get the money for its unused credits back from us." in await words(client, bought)
    page = await shop.guest.open(f"/app/lotus/orders/{order.id}")
    await shop.guest.submit(to="/close")
    assert "I have given it back" in page.text
    assert "Its unused credits were paid back." in await words(client, bought)
