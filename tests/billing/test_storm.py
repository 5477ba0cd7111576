"""Whatever happens in whatever order: in the end all money has its effect, or is back.

Random guests, faults and delays, each run told by its seed. After the storm the clock moves on
until nothing is under way, and then every payment the processor knows of is accounted for.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.processor import ProcessorError
from src.billing.reconcile import reconcile
from src.billing.settlement import check_payment, give_up_order, settle_page
from src.billing.sweeper import sweep_holds
from src.platform.errors import DomainError
from tests.billing.till import Till

pytestmark = pytest.mark.anyio

STEPS = 40
PLACES = 4


class Storm:
    """One run: a till, its orders, and a source of chance."""

    def __init__(self, till: Till, seed: int) -> None:
        self.till = till
        self.chance = random.Random(seed)
        self.orders: list[UUID] = []
        till.places.left = PLACES

    async def step(self) -> None:
        deeds: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (6, self.book),
            (6, self.press),
            (7, self.pay),
            (2, self.decline),
            (4, self.look),
            (2, self.give_up),
            (2, self.refund_in_dashboard),
            (4, self.break_something),
            (5, self.let_time_pass),
            (3, self.sweep),
            (4, self.till_work),
        ]
        weights = [weight for weight, _deed in deeds]
        _weight, deed = self.chance.choices(deeds, weights)[0]
        try:
            await deed()
        except (DomainError, ProcessorError):
            return

    def any_order(self) -> UUID | None:
        return self.chance.choice(self.orders) if self.orders else None

    async def book(self) -> None:
        if self.till.places.left > 0:
            self.orders.append(await self.till.order())

    async def press(self) -> None:
        order_id = self.any_order()
        if order_id is not None:
            await self.till.page(order_id)

    async def pay(self, card: str = "4242424242424242") -> None:
        sessions = await self.till.stripe_objects("checkout.session")
        if sessions:
            await self.till.pay(self.chance.choice(sessions)["id"], card=card)

    async def decline(self) -> None:
        await self.pay("4000000000000002")

    async def look(self) -> None:
        order_id = self.any_order()
        if order_id is None:
            return
        await check_payment(self.till.services, self.till.business.id, order_id)
        for page in await self.till.rows(_pages(), order_id):
            await settle_page(self.till.services, self.till.business.id, page.id)

    async def give_up(self) -> None:
        order_id = self.any_order()
        if order_id is not None:
            await give_up_order(self.till.services, self.till.business.id, order_id)

    async def refund_in_dashboard(self) -> None:
        charges = [
            charge
            for charge in await self.till.stripe_objects("charge")
            if charge["paid"] and charge["amount_refunded"] < charge["amount"]
        ]
        if charges:
            intent = self.chance.choice(charges)["payment_intent"]
            await self.till.stripe.turn("refund_from_dashboard", payment=intent, amount=100)

    async def break_something(self) -> None:
        kinds = ["error_500_before", "error_500_after", "error_500_sticky", "rate_limit"]
        await self.till.stripe.turn("api_faults", kind=self.chance.choice(kinds))

    async def let_time_pass(self) -> None:
        self.till.clock.advance(timedelta(minutes=self.chance.choice([1, 5, 15, 40])))

    async def sweep(self) -> None:
        await sweep_holds(self.till.services, parallel=1)

    async def till_work(self) -> None:
        await self.till.work()

    async def calm(self) -> None:
        """All faults gone, time goes on, jobs come round: until nothing is under way."""
        await self.till.stripe.turn("reset_faults")
        for _ in range(12):
            self.till.clock.advance(timedelta(minutes=50))
            await self.till.due_again()
            await self.till.work()
            await sweep_holds(self.till.services, parallel=1)
            await reconcile(self.till.services, parallel=1)
        await self.till.work()


def _pages() -> type:
    from src.billing.models import PaymentPage

    return PaymentPage


@pytest.mark.parametrize("seed", range(8))
async def test_after_any_storm_all_money_is_accounted_for(till: Till, seed: int) -> None:
    storm = Storm(till, seed)
    for _ in range(STEPS):
        await storm.step()
    await storm.calm()
    held = sum(state == "held" for state in till.places.states.values())
    sold = sum(state == "sold" for state in till.places.states.values())
    assert held == 0
    assert till.places.left == PLACES - sold
    assert sold <= PLACES
    for order_id in storm.orders:
        await _is_settled(till, order_id)
    await _nothing_is_forgotten(till, storm)


async def _is_settled(till: Till, order_id: UUID) -> None:
    order = await till.state(order_id)
    payments = await till.payments(order_id)
    counted = [payment for payment in payments if not payment.is_extra]
    assert order.state in ("confirmed", "expired", "cancelled")
    assert (till.places.states[order_id] == "sold") == (order.state == "confirmed")
    assert len(counted) == (1 if order.state == "confirmed" else 0)
    for extra in (payment for payment in payments if payment.is_extra):
        assert extra.refunded_minor == extra.amount_minor
    assert order.paid_minor == sum(payment.amount_minor for payment in payments)
    assert order.refunded_minor == sum(payment.refunded_minor for payment in payments)


async def _nothing_is_forgotten(till: Till, storm: Storm) -> None:
    """Every charge at the processor is a payment of ours, with as much gone back."""
    known = {
        payment.payment_intent_id: payment
        for order_id in storm.orders
        for payment in await till.payments(order_id)
    }
    charges = [charge for charge in await till.stripe_objects("charge") if charge["paid"]]
    assert len(charges) == len(known)
    for charge in charges:
        payment = known[charge["payment_intent"]]
        if payment.is_extra:
            assert charge["amount_refunded"] == payment.amount_minor
