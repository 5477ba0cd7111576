"""Everything that may look at one payment at once: events, the guest, the sweeper, reconciling."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from src.billing.checkout import _new_attempt, _Wish
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import request_refunds
from src.billing.domain.kinds import OrderState, RefundCause
from src.billing.jobs.refunds import _call, _prepare
from src.billing.models import Payment, Refund
from src.billing.page_body import Addresses
from src.billing.processor import ProcessorRefund
from src.billing.reconcile import reconcile
from src.billing.settlement import (
    GIVEN_UP,
    check_payment,
    close_page,
    end_hold,
    give_up_order,
    settle_page,
)
from src.billing.stripe_gateway import StripeGateway
from src.billing.sweeper import sweep_holds
from src.platform.errors import Unavailable
from src.sandbox.stripe.serving import Running
from tests.billing.conftest import open_account
from tests.billing.places import Places
from tests.billing.support import make_business
from tests.billing.till import Till
from tests.conftest import Committing
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits

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
    return Till(business, services, stripe, places, clock, account_id)


async def test_many_at_once_confirm_a_payment_once(shop: Till) -> None:
    order_id, session_id = await shop.order_with_page()
    await shop.pay(session_id)
    page_id = await shop.page_id(order_id)
    tenant = shop.business.id
    await asyncio.gather(
        *(settle_page(shop.services, tenant, page_id) for _ in range(6)),
        *(check_payment(shop.services, tenant, order_id) for _ in range(3)),
        *(close_page(shop.services, tenant, page_id) for _ in range(3)),
    )
    assert len(await shop.payments(order_id)) == 1
    assert shop.places.calls == ["confirm"]


@pytest.mark.slow
async def test_a_payment_and_the_end_of_its_hold_have_one_winner(shop: Till) -> None:
    shop.places.left = 12
    orders = [await shop.order_with_page() for _ in range(12)]
    shop.clock.advance(timedelta(minutes=30, seconds=50))
    tenant = shop.business.id

    async def pay(session_id: str) -> None:
        await shop.pay(session_id)

    await asyncio.gather(
        *(pay(session_id) for _order, session_id in orders[:6]),
        *(give_up_order(shop.services, tenant, order_id) for order_id, _session in orders),
    )
    shop.clock.advance(timedelta(minutes=7))
    await asyncio.gather(sweep_holds(shop.services), reconcile(shop.services))
    await shop.work()
    for order_id, session_id in orders:
        await _is_right(shop, order_id, session_id)


async def _is_right(shop: Till, order_id: UUID, session_id: str) -> None:
    """Paid means sold, or given back in full; unpaid means free. Nothing in between."""
    session = shop.stripe.engine.store.get(shop.account_id, "checkout.session", session_id)
    assert session is not None
    order, payments = await shop.state(order_id), await shop.payments(order_id)
    if session["payment_status"] != "paid":
        assert (order.state, payments, shop.places.states[order_id]) == ("cancelled", [], "free")
        return
    assert len(payments) == 1
    if order.state == "confirmed":
        assert shop.places.states[order_id] == "sold"
    else:
        assert order.refunded_minor == order.paid_minor == 2000


async def test_many_presses_make_one_page(shop: Till) -> None:
    order_id = await shop.order()

    async def press() -> str | None:
        try:
            return await shop.page(order_id)
        except Unavailable:
            return None

    first = {await press() for _ in range(1)}
    urls = set(await asyncio.gather(*(press() for _ in range(8)))) | first
    assert len(urls - {None}) == 1
    assert len(await shop.stripe_objects("checkout.session")) == 1


async def test_presses_before_there_is_a_page_make_one_page(shop: Till) -> None:
    order_id = await shop.order()

    async def press() -> str | None:
        try:
            return await shop.page(order_id)
        except Unavailable:
            return None

    await asyncio.gather(*(press() for _ in range(8)))
    url = await shop.page(order_id)
    (session,) = await shop.stripe_objects("checkout.session")
    assert session["url"] == url


async def test_refunds_asked_for_at_once_never_exceed_the_payment(shop: Till) -> None:
    order_id, session_id = await shop.order_with_page()
    await shop.pay(session_id)
    await settle_page(shop.services, shop.business.id, await shop.page_id(order_id))

    async def ask(number: int) -> int:
        async with shop.services.uow_factory(shop.business.id) as uow:
            order = await lock_order(uow, order_id)
            return await request_refunds(
                uow, order, 600, cause=RefundCause.CANCELLED, cause_key=f"c{number}"
            )

    asked = await asyncio.gather(*(ask(number) for number in range(6)))
    assert sorted(asked) == [0, 0, 200, 600, 600, 600]
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        paid = await uow.session.scalar(select(func.sum(Payment.amount_minor)))
        back = await uow.session.scalar(select(func.sum(Refund.amount_minor)))
    assert (paid, back) == (2000, 2000)


async def test_a_page_begun_while_a_hold_ends_keeps_it_open(shop: Till) -> None:
    """There was none when its pages were closed, and there is one once the order is free."""
    order_id, tenant = await shop.order(), shop.business.id
    async with shop.services.uow_factory(tenant) as uow:
        order = await lock_order(uow, order_id)
        addresses = Addresses(success_url="https://x.example/", cancel_url="https://x.example/")
        await _new_attempt(uow, shop.services, order, _Wish(addresses, None, None), 1)
        await uow.settle()
        ending = asyncio.create_task(end_hold(shop.services, tenant, order_id, GIVEN_UP))
        await until_somebody_waits(shop.services.uow_factory)
    assert await ending == OrderState.OPEN
    assert shop.places.calls == []


class Abreast(StripeGateway):
    """The gateway, with everyone who asks for a list held until all have theirs."""

    def __init__(self, gateway: StripeGateway, parties: int) -> None:
        self.__dict__.update(gateway.__dict__)
        self._all_here = asyncio.Barrier(parties)

    async def list_refunds(
        self, account_id: str, payment_intent_id: str
    ) -> Sequence[ProcessorRefund]:
        listed = await super().list_refunds(account_id, payment_intent_id)
        await self._all_here.wait()
        return listed


async def test_two_runs_of_an_old_refund_make_one_new_attempt(shop: Till) -> None:
    """Both find that the first attempt never arrived; they must not send the money twice."""
    order_id, session_id = await shop.order_with_page()
    await shop.pay(session_id)
    await settle_page(shop.services, shop.business.id, await shop.page_id(order_id))
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, order_id)
        await request_refunds(uow, order, 500, cause=RefundCause.CANCELLED, cause_key="c")
    (refund,) = await shop.refunds(order_id)
    first = await _prepare(shop.services, shop.business.id, refund.id)
    assert first is not None
    shop.clock.advance(timedelta(hours=25))
    abreast = Abreast(shop.services.port(StripeGateway), 2)
    services = replace(shop.services, ports={StripeGateway: abreast})
    calls = [await _prepare(services, shop.business.id, refund.id) for _ in range(2)]
    await asyncio.gather(
        *(_call(services, call) for call in calls if call is not None), return_exceptions=True
    )
    (refund,) = await shop.refunds(order_id)
    assert refund.attempt == 2
    assert len(await shop.stripe_objects("refund")) == 1
