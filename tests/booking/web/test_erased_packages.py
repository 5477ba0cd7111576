"""Packages that wait for the desk when their customer is erased lapse, and nothing fills them."""

from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.credits import SYSTEM, activate_lots
from src.billing.domain.kinds import PaymentMode
from src.billing.models import CreditEntry, CreditLot, Order, Payment
from src.billing.owed import get_owed_minor
from src.billing.queries.credit_lists import get_credit_totals
from src.booking.commands.erase_customer import erase_customer
from src.booking.queries.erasing import preview_erasing
from src.booking.queries.person import find_person
from src.platform.mail.models import MailRow
from src.platform.money import Money
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.pages import as_owner
from tests.booking.web.test_paying_packages import a_shop_with, left
from tests.booking.web.test_place_package import a_pending_one, buy, only_lot, wish
from tests.support.portal import CARL, sign_in_portal
from tests.support.vouchers import CODE

pytestmark = pytest.mark.anyio


async def erase(shop: Shop, customer_id: UUID) -> None:
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        await erase_customer(uow, shop.business.ctx, customer_id, CARL)
    await shop.work()


async def test_what_waits_for_the_desk_lapses_and_is_never_filled(shop: Shop) -> None:
    order = await a_pending_one(shop)
    await erase(shop, order.customer_id)
    assert (await only_lot(shop)).state == "void"
    factory, tenant_id = shop.services.uow_factory, shop.business.id
    async with factory(tenant_id) as uow:
        assert await get_owed_minor(uow, order.id) == 0
        assert await mark_paid_on_site(uow, shop.business.ctx, order.id) == Money(0, "EUR")
    async with factory(tenant_id) as uow:
        here, now = shop.business.ctx.here, uow.clock.now()
        assert await activate_lots(uow, here, order.id, SYSTEM, now) == []
    async with factory(tenant_id) as uow:
        totals = await get_credit_totals(uow, shop.business.ctx.here)
    assert (totals.outstanding, totals.outstanding_minor) == (0, 0)
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("void", 0)
    assert await rows(shop, CreditEntry) == await rows(shop, Payment) == []


async def test_the_voucher_gets_its_part_back_and_nobody_is_told(shop: Shop) -> None:
    package = await a_shop_with(shop, 5000)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    assert await left(shop) == 0
    await erase(shop, order.customer_id)
    assert await left(shop) == 5000
    assert await rows(shop, MailRow) == []
    (lot,) = await rows(shop, CreditLot)
    assert lot.state == "void"


async def test_who_erases_reads_that_they_lapse_and_not_that_they_are_owed(
    shop: Shop, client: AsyncClient
) -> None:
    order = await a_pending_one(shop)
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        preview = await preview_erasing(uow, await find_person(uow, order.customer_id))
    assert (preview.owed, preview.credits, preview.unpaid) == ([], 0, 10)
    await as_owner(client, shop.services, shop.business)
    asked = await client.get(f"/app/{shop.business.slug}/customers/{order.customer_id}/erase")
    assert "10 credits that are not paid for" in asked.text
    assert "Still owed" not in asked.text


async def test_what_waits_for_a_transfer_does_not_lapse_by_itself(shop: Shop) -> None:
    """Its order stands against erasing, and is what is read."""
    order = await a_pending_one(shop)
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        waits = {"payment_mode": "transfer", "state": "open", "hold_expires_at": uow.clock.now()}
        await uow.session.execute(update(Order).values(waits))
    async with shop.services.uow_factory(shop.business.id) as uow:
        preview = await preview_erasing(uow, await find_person(uow, order.customer_id))
    assert preview.unpaid == 0
    assert preview.bars


async def test_who_erases_themselves_reads_it_too(shop: Shop) -> None:
    order = await a_pending_one(shop)
    await shop.work()
    client, tenant_id = shop.guest.client, shop.business.id
    await sign_in_portal(client, shop.services, tenant_id, order.customer_id)
    await shop.guest.open(f"/b/{shop.business.slug}/me/erase")
    assert "you owe nothing for them any more" in shop.guest.text
    assert "Still to pay on site" not in shop.guest.text
