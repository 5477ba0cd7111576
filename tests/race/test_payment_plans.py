"""Jobs, a guest at the payment page and the desk at the parts of one price: each is paid once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text

from src.billing.commands.instalments import list_parts
from src.billing.commands.parts_by_staff import take_part_on_site
from src.billing.domain.parts import REMINDED_BEFORE, charged_at
from src.billing.models import Order, PaymentPage
from src.billing.page_body import Addresses
from src.billing.part_charges import charge_due_parts
from src.billing.part_pages import pay_parts_by_hand
from src.billing.reconcile import reconcile
from src.billing.settlement import settle_page
from src.billing.stripe_gateway import StripeGateway
from src.platform.errors import DomainError
from src.sandbox.stripe.serving import Port
from tests.billing.conftest import open_account
from tests.billing.paying import gateway_to
from tests.billing.support import Business as BareBusiness
from tests.booking.web.conftest import Shop, rows
from tests.conftest import Committing
from tests.properties.invariants import WHAT_IS_BROKEN
from tests.support.builders import a_business
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.plans import buy_in_parts, charges, on_day, parts_of, states, the_order
from tests.support.stripe_port import stripe_at

pytestmark = [pytest.mark.anyio, pytest.mark.race]

HERE = "http://testserver.local/b/lotus/packages/bought/x"
ADDRESSES = Addresses(success_url=f"{HERE}?paid=1", cancel_url=HERE)


@pytest.fixture
async def shop(
    committing: Committing, stripe_port: Port, clock: FrozenClock
) -> AsyncIterator[Shop]:
    async with stripe_at(stripe_port, clock) as stripe:
        gateway = gateway_to(stripe)
        services = replace(committing.services, ports={StripeGateway: gateway})
        business = await a_business(services.uow_factory, "lotus")
        await open_account(services, stripe, BareBusiness(business.id, business.slug, business.id))
        yield Shop(business, services, stripe, cast(Any, None))
        await gateway.close()


async def refused(act: Awaitable[Any]) -> Any:
    """What it comes to, a refusal too."""
    try:
        return await act
    except DomainError as refusal:
        return refusal


async def by_hand(shop: Shop, order: Order, *, everything: bool = False) -> Any:
    return await refused(
        pay_parts_by_hand(
            shop.services,
            shop.business.id,
            order.id,
            everything=everything,
            addresses=ADDRESSES,
        )
    )


async def nothing_is_broken(shop: Shop) -> None:
    async with shop.services.uow_factory(shop.business.id) as uow:
        connection = await uow.session.connection()
        assert (await connection.exec_driver_sql(WHAT_IS_BROKEN)).all() == []


async def come_to_rest(shop: Shop, clock: FrozenClock) -> None:
    """Whatever is under way ends: pages are over, and the jobs have run."""
    for _round in range(3):
        clock.advance(timedelta(minutes=50))
        await reconcile(shop.services)
        await charge_due_parts(shop.services)
        await shop.work()


async def is_due(shop: Shop, clock: FrozenClock, number: int) -> None:
    """It was announced in time, and is charged from now on."""
    part = (await parts_of(shop))[number - 1]
    await on_day(shop, clock, part.due_on - REMINDED_BEFORE)
    clock.at = max(clock.at, charged_at(part.due_on, shop.business.tenant.zone))


async def test_jobs_at_once_charge_once(shop: Shop, clock: FrozenClock) -> None:
    await buy_in_parts(shop)
    await is_due(shop, clock, 2)
    await asyncio.gather(*(charge_due_parts(shop.services) for _job in range(4)))
    await come_to_rest(shop, clock)
    assert await charges(shop) == [3000, 3000]
    assert await states(shop) == ["paid", "paid", "due", "due"]
    await nothing_is_broken(shop)


async def test_a_job_and_a_guest_at_the_payment_page_take_turns(
    shop: Shop, clock: FrozenClock
) -> None:
    """Whichever comes first; the guest pays whenever they are given a page."""
    for number in range(2, 5):
        order = await the_order(shop) if number > 2 else await buy_in_parts(shop)
        await is_due(shop, clock, number)
        acts = [charge_due_parts(shop.services), by_hand(shop, order)]
        done = await asyncio.gather(*(acts if number % 2 else reversed(acts)))
        (url,) = [one for one in done if not isinstance(one, int)]
        if isinstance(url, str):
            await asyncio.gather(
                shop.pay(url), charge_due_parts(shop.services), return_exceptions=True
            )
            newest = (await rows(shop, PaymentPage))[-1]
            await settle_page(shop.services, shop.business.id, newest.id)
        await come_to_rest(shop, clock)
        assert await charges(shop) == [3000] * number
        assert (await states(shop))[:number] == ["paid"] * number
        await nothing_is_broken(shop)


async def test_the_desk_and_the_payment_page_pay_a_part_once(
    shop: Shop, clock: FrozenClock
) -> None:
    """The desk is held open until the payment's news waits for it: that money goes back."""
    order = await buy_in_parts(shop)
    url = await by_hand(shop, order)
    await shop.pay(url)
    page_id: UUID = (await rows(shop, PaymentPage))[-1].id
    part = (await parts_of(shop))[1]
    async with shop.services.uow_factory(shop.business.id) as uow:
        await take_part_on_site(uow, shop.business.ctx, order.id, part.id)
        await uow.settle()
        news = asyncio.create_task(settle_page(shop.services, shop.business.id, page_id))
        await until_somebody_waits(shop.services.uow_factory)
    await news
    await shop.work()
    assert await states(shop) == ["paid", "paid", "due", "due"]
    after = await the_order(shop)
    assert (after.paid_minor, after.refunded_minor) == (9000, 3000)
    await nothing_is_broken(shop)


async def test_two_presses_for_other_parts_leave_one_page(shop: Shop, clock: FrozenClock) -> None:
    order = await buy_in_parts(shop)
    await asyncio.gather(
        *(by_hand(shop, order, everything=everything) for everything in (True, False) * 3)
    )
    open_pages = [page for page in await rows(shop, PaymentPage) if page.state == "open"]
    assert len(open_pages) == 1
    assert open_pages[0].url is not None
    await shop.pay(open_pages[0].url)
    await come_to_rest(shop, clock)
    async with shop.services.uow_factory(shop.business.id) as uow:
        paid = [part.minor for part in await list_parts(uow, order.id) if part.state == "paid"]
        known = await uow.session.scalar(text("SELECT sum(amount_minor) FROM payments"))
    assert sum(await charges(shop)) == sum(paid) == known
    await nothing_is_broken(shop)
