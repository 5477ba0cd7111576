"""Buying a package: once, at the price that was shown, and with its credits or without money."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import update

from src.billing.commands.buy_package import BuyCommand, NotSold, PackageChanged
from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.package_sale import WAITS_FOR_MONEY
from src.billing.lapsing import lapse_unpaid_packages
from src.billing.models import CreditEntry, CreditLot, Order, Package
from src.billing.owed import get_owed_minor
from src.billing.settlement import check_payment, end_hold
from src.billing.standing import get_is_all_cancelled
from src.booking.place_package import place_package
from src.platform.errors import InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.models import BookingCounter, Customer, Tenant
from tests.booking.web.conftest import Shop, rows
from tests.support.builders import a_business, as_guest
from tests.support.clock import FrozenClock
from tests.support.coupons import a_coupon, uses
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio


def wish(package_id: UUID, **more: Any) -> BuyCommand:
    values: dict[str, Any] = {
        "package_id": package_id,
        "guest_name": "Carl Guest",
        "guest_email": "Carl@Example.com",
        "form_token": str(new_id()),
        **more,
    }
    return BuyCommand(**values)


async def buy(shop: Shop, cmd: BuyCommand) -> str:
    return await place_package(shop.services, as_guest(shop.business), cmd)


async def only_lot(shop: Shop) -> CreditLot:
    (lot,) = await rows(shop, CreditLot)
    found: CreditLot = lot
    return found


async def a_pending_one(shop: Shop) -> Order:
    """A package that is to be paid on site, bought and not paid."""
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["on_site"])
    await buy(shop, wish(package.id))
    (order,) = await rows(shop, Order)
    found: Order = order
    return found


async def test_what_is_paid_by_card_is_there_with_the_money(shop: Shop, clock: FrozenClock) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    url = await buy(shop, wish(package.id, quoted_minor=12_000))
    assert url.startswith(shop.stripe.base_url)
    lot = await only_lot(shop)
    assert (lot.state, lot.balance, lot.expires_at) == ("pending", 0, None)
    assert await rows(shop, CreditEntry) == []
    clock.advance(timedelta(minutes=5))
    await shop.pay(url)
    await check_payment(shop.services, shop.business.id, lot.order_id or new_id())
    lot = await only_lot(shop)
    assert (lot.state, lot.balance, lot.bought, lot.paid_minor) == ("active", 10, 10, 12_000)
    assert lot.expires_at is not None
    assert (lot.expires_at - clock.now()).days == 90
    assert await rows(shop, BookingCounter) == [], "a package takes no unit of the month"


async def test_what_is_never_paid_was_never_bought(shop: Shop, clock: FrozenClock) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await a_coupon(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, coupon="spring"))
    (order,) = await rows(shop, Order)
    assert (order.total_minor, order.discount_minor) == (10_800, 1_200)
    clock.advance(timedelta(hours=1))
    await end_hold(shop.services, shop.business.id, order.id)
    assert (await only_lot(shop)).state == "void"
    assert await rows(shop, CreditEntry) == []
    assert await uses(shop.services.uow_factory, shop.business.id) == 0


async def test_money_that_comes_late_still_brings_the_credits(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    url = await buy(shop, wish(package.id))
    await shop.pay(url)
    (order,) = await rows(shop, Order)
    async with shop.services.uow_factory(shop.business.id) as uow:
        from src.billing.commands.ending import end_locked_order
        from src.billing.commands.orders import lock_order
        from src.billing.domain.kinds import OrderState

        locked = await lock_order(uow, order.id)
        await end_locked_order(uow, locked, OrderState.EXPIRED, "not_paid", clock.now())
    assert (await only_lot(shop)).state == "void"
    await check_payment(shop.services, shop.business.id, order.id)
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("active", 10)


async def test_a_form_sent_twice_buys_once(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    cmd = wish(package.id)
    assert await buy(shop, cmd) == await buy(shop, cmd)
    assert len(await rows(shop, CreditLot)) == 1
    changed = msgspec.structs.replace(cmd, guest_name="Carl B")
    await buy(shop, changed)
    states = sorted(lot.state for lot in await rows(shop, CreditLot))
    assert states == ["pending", "void"], "the first one is given up for the other"


async def test_nothing_to_pay_is_there_at_once(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await a_coupon(shop.services.uow_factory, shop.business.id, percent=100)
    path = await buy(shop, wish(package.id, coupon="SPRING", quoted_minor=0))
    assert path.startswith("/b/lotus/packages/bought/")
    lot = await only_lot(shop)
    assert (lot.state, lot.balance, lot.paid_minor) == ("active", 10, 0)


async def test_on_site_waits_until_the_business_has_the_money(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await a_pending_one(shop)
    assert (order.state, order.payment_mode) == ("confirmed", "on_site")
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("pending", 0)
    clock.advance(timedelta(days=3))
    for _press in range(2):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await mark_paid_on_site(uow, shop.business.ctx, order.id)
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("active", 10)
    assert lot.activated_at == clock.now()
    clock.advance(WAITS_FOR_MONEY)
    assert await lapse_unpaid_packages(shop.services) == 0
    assert (await only_lot(shop)).state == "active"


async def test_what_is_not_paid_on_site_lapses_after_a_fortnight(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await a_pending_one(shop)
    clock.advance(WAITS_FOR_MONEY - timedelta(minutes=1))
    assert await lapse_unpaid_packages(shop.services) == 0
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await get_owed_minor(uow, order.id) == 12_000
    clock.advance(timedelta(minutes=1))
    assert await lapse_unpaid_packages(shop.services) == 1
    assert (await only_lot(shop)).state == "void"
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await get_owed_minor(uow, order.id) == 0
        assert await get_is_all_cancelled(uow, order.id)
        await mark_paid_on_site(uow, shop.business.ctx, order.id)
    assert (await only_lot(shop)).state == "void", "nothing was owed any more"
    assert await lapse_unpaid_packages(shop.services) == 0


async def test_a_known_address_attaches_and_changes_nothing(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, price_minor=0, pays=[])
    await buy(shop, wish(package.id))
    await buy(shop, wish(package.id, guest_name="Somebody Else"))
    (customer,) = await rows(shop, Customer)
    assert customer.name == "Carl Guest"
    assert {lot.customer_id for lot in await rows(shop, CreditLot)} == {customer.id}


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"visibility": "hidden"}, NotFound),
        ({"purpose": "refund"}, NotFound),
        ({"active": False}, NotSold),
        ({"pays": []}, NotSold),
    ],
)
async def test_what_is_not_on_sale_is_refused(
    shop: Shop, changed: dict[str, Any], refusal: type[Exception]
) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, **changed)
    with pytest.raises(refusal):
        await buy(shop, wish(package.id))
    assert await rows(shop, Order) == []


async def test_another_businesss_package_is_absent(shop: Shop) -> None:
    other = await a_business(shop.services.uow_factory, "other", owner="Eve")
    package = await a_package(shop.services.uow_factory, other.id)
    with pytest.raises(NotFound):
        await buy(shop, wish(package.id))


async def test_a_plan_without_packages_sells_none(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    async with shop.services.uow_factory(shop.business.id) as uow:
        tenant = await uow.session.get_one(Tenant, shop.business.id)
        plan = tenant.entitlements["plan"]
        kept = [feature for feature in plan["features"] if feature != "packages"]
        tenant.entitlements = {**tenant.entitlements, "plan": {**plan, "features": kept}}
    with pytest.raises(PlanLimitReached):
        await buy(shop, wish(package.id))


async def test_only_what_was_shown_is_taken(shop: Shop) -> None:
    from src.billing.queries.package_terms import terms_of_package

    package = await a_package(shop.services.uow_factory, shop.business.id)
    shown = terms_of_package(package).key
    with pytest.raises(PackageChanged):
        await buy(shop, wish(package.id, quoted_minor=11_999))
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Package).values(credits=5))
    with pytest.raises(PackageChanged):
        await buy(shop, wish(package.id, quoted_terms=shown))
    with pytest.raises(InvalidInput):
        await buy(shop, wish(package.id, way=PaymentMode.CREDIT))
