"""A package that comes to nothing ends the membership it gave; back, it gives it again."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from src.billing.commands.refunds import fail_refund
from src.billing.jobs.refunds import lock_refund
from src.billing.models import Package, Refund
from src.billing.settlement import check_payment
from src.booking.commands.group_members import leave_group
from src.booking.models import GroupSource
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_package_came_after_all import undo
from tests.booking.web.test_paying_packages import by_transfer, receive
from tests.booking.web.test_place_package import buy, only_lot, wish
from tests.booking.web.test_refunding_packages import give
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.groups import a_group, members_of

pytestmark = pytest.mark.anyio


async def members(shop: Shop, group_id: UUID) -> list[UUID]:
    return await members_of(shop.services.uow_factory, shop.business.id, group_id)


async def test_one_that_was_never_paid_gives_it_again_once_its_transfer_came(
    shop: Shop, clock: FrozenClock
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    order = await by_transfer(shop)
    (ten,) = await rows(shop, Package)
    birds = await a_group(factory, business, ten)
    owls = await a_group(factory, business, ten, title="Owls")
    await receive(shop, order, order.to_pay_minor)
    await shop.work()
    assert await members(shop, birds) == [order.customer_id]
    async with factory(business.id) as uow:
        await leave_group(uow, owls, order.customer_id)
    await undo(shop, order, await only_lot(shop))
    await shop.work()
    assert await members(shop, birds) == []
    clock.advance(timedelta(days=1))
    await receive(shop, order, order.to_pay_minor)
    await shop.work()
    assert await members(shop, birds) == [order.customer_id]
    assert await members(shop, owls) == [], "they have left it themselves"
    async with factory(business.id) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(GroupSource)) == 2


async def test_one_whose_money_went_back_in_full_gives_it_again_when_that_has_failed(
    shop: Shop,
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    ten = await a_package(factory, business.id)
    birds = await a_group(factory, business, ten)
    await shop.pay(await buy(shop, wish(ten.id)))
    lot = await only_lot(shop)
    assert lot.order_id is not None
    await check_payment(shop.services, business.id, lot.order_id)
    await shop.work()
    assert await members(shop, birds) == [lot.customer_id]
    await give(shop, await only_lot(shop), 12_000)
    await shop.work()
    assert await members(shop, birds) == []
    (refund,) = await rows(shop, Refund)
    async with factory(business.id) as uow:
        order, locked = await lock_refund(uow, refund.id)
        await fail_refund(uow, order, locked, "expired_or_canceled_card")
    await shop.work()
    assert await members(shop, birds) == [lot.customer_id]
