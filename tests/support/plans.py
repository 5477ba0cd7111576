"""A package that is bought in parts, as tests buy it, and what its parts come to."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand
from src.billing.commands.connect import find_account
from src.billing.commands.instalments import list_parts
from src.billing.domain.parts import REMINDED_BEFORE
from src.billing.models import Instalment, Order, PaymentPage
from src.billing.part_charges import charge_due_parts
from src.billing.settlement import check_payment
from src.booking.place_package import place_package
from src.platform.ids import new_id
from src.platform.localtime import to_utc
from src.tenants.commands.customers import find_or_add_customer
from tests.booking.web.conftest import Shop
from tests.support.builders import as_guest
from tests.support.clock import FrozenClock
from tests.support.credits import a_package

CARL = "carl@example.com"
DECLINED_LATER = "4000000000000341"
ALWAYS_ASKS = "4000002760003184"


async def a_plan_package(shop: Shop, **more: Any) -> Any:
    """Ten sessions for EUR 120, at once or in 4 parts each month."""
    values = {"parts": 4, "parts_every": 1, "parts_unit": "month", **more}
    return await a_package(shop.services.uow_factory, shop.business.id, **values)


async def carl_of(shop: Shop) -> UUID:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return await find_or_add_customer(uow, CARL, "Carl", "", uow.clock.now())


async def begin_plan(shop: Shop, package_id: UUID, **more: Any) -> str:
    """Bought, and not paid: the address of the payment page."""
    wish = BuyCommand(
        package_id=package_id,
        guest_name="Carl",
        guest_email=CARL,
        customer_id=await carl_of(shop),
        form_token=str(new_id()),
        in_parts=True,
        **more,
    )
    return await place_package(shop.services, as_guest(shop.business), wish)


async def buy_in_parts(shop: Shop, card: str = "4242424242424242", **more: Any) -> Order:
    """The first part is paid, and the card kept. One that declines everything, or always asks, is
    such a one only from then on.
    """
    package = await a_plan_package(shop, **more)
    url = await begin_plan(shop, package.id)
    await shop.pay(url)
    order = await the_order(shop)
    await check_payment(shop.services, shop.business.id, order.id)
    await shop.work()
    if card != "4242424242424242":
        await make_card(shop, card)
    return await the_order(shop)


async def make_card(shop: Shop, number: str) -> None:
    """The card that was kept last is another one from now on."""
    (method, *_more) = reversed(
        shop.stripe.engine.store.every(await account(shop), "payment_method", {})
    )
    with shop.stripe.engine.work(await account(shop)) as work:
        work.store.save_private(method["id"], {"number": number})


async def account(shop: Shop) -> str:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await find_account(uow)
    assert found is not None
    return found.account_id


async def the_order(shop: Shop) -> Order:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return (await uow.session.scalars(select(Order).order_by(Order.id.desc()).limit(1))).one()


async def parts_of(shop: Shop) -> list[Instalment]:
    order = await the_order(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        return await list_parts(uow, order.id)


async def states(shop: Shop) -> list[str]:
    return [part.state for part in await parts_of(shop)]


async def pages_of(shop: Shop) -> list[PaymentPage]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalars(select(PaymentPage).order_by(PaymentPage.attempt))
        return list(found)


async def charges(shop: Shop) -> list[int]:
    """What cards were charged, whatever became of it here."""
    found = shop.stripe.engine.store.every(await account(shop), "charge", {})
    return [one["amount"] for one in found if one["paid"]]


async def on_day(shop: Shop, clock: FrozenClock, day: date, *, at: time = time(9, 1)) -> int:
    """The jobs run on that day of the business's, which is not before now, as they have three days
    before, when what is charged then is announced.
    """
    announced_at = to_utc(datetime.combine(day - REMINDED_BEFORE, at), shop.business.tenant.zone)
    if clock.at < announced_at:
        clock.at = announced_at
        await charge_due_parts(shop.services, parallel=1)
    clock.at = max(clock.at, to_utc(datetime.combine(day, at), shop.business.tenant.zone))
    done = await charge_due_parts(shop.services, parallel=1)
    await shop.work()
    return done
