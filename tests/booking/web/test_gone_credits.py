"""What the page of a bought package says of credits that are gone."""

from datetime import timedelta

import pytest

from src.billing.commands.credit_acts import ChangeNumber, add_credits, roll_over
from src.billing.models import Order
from src.booking.guest_links import package_path
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.commands.test_book_by_credit import by_credit
from tests.booking.web.conftest import Shop
from tests.booking.web.test_package_transfer_mistaken import a_wrong_one, remove
from tests.booking.web.test_place_package import only_lot
from tests.booking.web.test_transfer_words import read
from tests.support.builders import a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.portal import sign_in_portal
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

USED = "All of its credits are used."


async def page_of(shop: Shop, order: Order) -> str:
    path = package_path(shop.services.settings, "lotus", order)
    return (await shop.guest.open(path)).text


async def use(shop: Shop, number: int) -> None:
    """For so many friends of whoever owns the only lot."""
    lot = await only_lot(shop)
    service = await a_service(shop.services.uow_factory, shop.business.id, max_party=20)
    session = await a_session(shop.services.uow_factory, service, capacity=20)
    party = tuple(f"Friend {one}" for one in range(number))
    own = (lot.customer_id, lot.id)
    await by_credit(shop.services, shop.business, "session", session.id, own, party=party)


async def test_nobody_reads_that_they_used_what_was_taken_off(shop: Shop) -> None:
    order = await a_wrong_one(shop)
    await remove(shop, await only_lot(shop), 10)
    page = await page_of(shop, order)
    assert "The business has taken its credits off; none was used." in page
    assert USED not in page


async def test_what_was_used_in_part_is_told_as_both(shop: Shop) -> None:
    order = await a_wrong_one(shop)
    await use(shop, 4)
    await remove(shop, await only_lot(shop), 6)
    page = await page_of(shop, order)
    assert "What was not used, the business has taken off." in page
    assert USED not in page


async def test_all_that_were_used_are_called_so(shop: Shop) -> None:
    order = await a_wrong_one(shop)
    await use(shop, 10)
    assert USED in await page_of(shop, order)


async def test_those_that_were_rolled_over_lead_to_the_new_ones(
    shop: Shop, clock: FrozenClock
) -> None:
    order, lot = await a_wrong_one(shop), await only_lot(shop)
    clock.advance(timedelta(days=100))
    ends_on = to_local(clock.now() + timedelta(days=30), shop.business.tenant.zone).date()
    async with shop.services.uow_factory(shop.business.id) as uow:
        await roll_over(uow, shop.business.ctx, lot.id, ends_on, "Ill")
    page = await page_of(shop, order)
    assert USED not in page
    assert "has become new ones" in page


@pytest.mark.parametrize(("used", "removed", "said"), [(10, 0, "2 of 12 left"), (1, 3, "8 of 12")])
async def test_every_page_counts_what_was_added_alike(
    shop: Shop, used: int, removed: int, said: str
) -> None:
    """The purchase's own, its buyer's, and the business's, also once some are taken off."""
    order = await a_wrong_one(shop)
    await use(shop, used)
    lot = await only_lot(shop)
    cmd = ChangeNumber(lot_id=lot.id, number=2, reason="Sorry", token=new_id())
    async with shop.services.uow_factory(shop.business.id) as uow:
        await add_credits(uow, shop.business.ctx, cmd)
    if removed:
        await remove(shop, await only_lot(shop), removed)
    assert said in await page_of(shop, order)
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, lot.customer_id)
    assert said in await read(shop, "/b/lotus/me")
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    assert said.removesuffix(" left") in await read(shop, f"/app/lotus/credits/{lot.id}")


async def test_added_ones_are_no_use_of_those_that_were_bought(shop: Shop) -> None:
    order = await a_wrong_one(shop)
    lot = await only_lot(shop)
    cmd = ChangeNumber(lot_id=lot.id, number=2, reason="Sorry", token=new_id())
    async with shop.services.uow_factory(shop.business.id) as uow:
        await add_credits(uow, shop.business.ctx, cmd)
    assert "12 sessions are yours" in await page_of(shop, order)
    await use(shop, 1)
    assert "11 sessions are left" in await page_of(shop, order), "though more than were bought"
