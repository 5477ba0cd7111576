"""Cards and pages while the processor's answers are lost, late or old."""

from datetime import timedelta

import pytest

from src.billing.card_payments import CardOutcome
from src.billing.commands.settle import apply_page
from src.billing.domain.kinds import OrderState, PageOutcome, PageState
from src.billing.models import PaymentPage
from src.billing.processor import Uncertain
from src.billing.processor_customers import ensure_processor_customer
from src.billing.stripe_gateway import StripeGateway
from src.booking.commands.erase_customer import erase_oneself
from src.platform.errors import Conflict, Unavailable
from src.tenants.context import SYSTEM, RequestContext
from src.tenants.models import Customer
from src.tenants.queries.tenants import tenant_snapshot
from tests.billing.till import Till
from tests.billing.wallet import ALWAYS_ASKS, a_card, press

pytestmark = pytest.mark.anyio


async def test_nobody_says_that_nothing_was_charged_where_a_card_may_have_paid(till: Till) -> None:
    card = await a_card(till)
    order_id = await till.order()
    await till.stripe.turn("api_faults", kind="timeout_after", path_contains="/confirm", seconds=2)
    with till.impatient():
        assert (await press(till, order_id, card)).outcome == CardOutcome.UNSURE
    await till.stripe.turn("api_faults", kind="error_500_before")
    with pytest.raises(Unavailable, match=r"does not answer\. Please try again"):
        await till.page(order_id)
    with pytest.raises(Conflict, match="paid already"):
        await till.page(order_id)
    assert (await till.state(order_id)).state == OrderState.CONFIRMED


async def test_who_changes_the_way_too_often_is_told_so_and_may_still_pay(till: Till) -> None:
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    for _change in range(3):
        await till.page(order_id)
        assert (await press(till, order_id, card)).outcome == CardOutcome.BANK
    with pytest.raises(Conflict, match="begun too often"):
        await till.page(order_id)
    assert (await till.state(order_id)).state == OrderState.OPEN
    assert (await press(till, order_id, card)).outcome == CardOutcome.BANK


async def test_what_was_seen_before_opens_nothing_that_is_complete(till: Till) -> None:
    """A press whose answer was under way while another hand wrote down that it is paid."""
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    await press(till, order_id, card)
    (page,) = await till.rows(PaymentPage, order_id)
    gateway, processor_id = till.services.port(StripeGateway), page.processor_id or ""
    before = await gateway.retrieve_card_payment(till.account_id, processor_id)
    await till.stripe.turn("authenticate", intent=processor_id)
    with pytest.raises(Conflict, match="paid already"):
        await press(till, order_id, card)
        await press(till, order_id, card)
    async with till.services.uow_factory(till.business.id) as uow:
        applied = await apply_page(uow, page.id, before)
    assert applied.outcome != PageOutcome.OPEN
    (page,) = await till.rows(PaymentPage, order_id)
    assert page.state == PageState.COMPLETE
    assert len(await till.payments(order_id)) == 1


async def test_a_press_later_at_a_business_that_has_disconnected_is_told_so(till: Till) -> None:
    """And not that it is still being asked."""
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    assert (await press(till, order_id, card)).outcome == CardOutcome.BANK
    await till.stripe.turn("deauthorize", account=till.account_id)
    with pytest.raises(Conflict) as off:
        await press(till, order_id, card)
    assert off.value.code == "payments_not_ready"


async def test_another_way_to_pay_at_a_business_that_has_disconnected_is_told_so(
    till: Till,
) -> None:
    """The card that was pressed first cannot be asked about any more."""
    card, other = await a_card(till, ALWAYS_ASKS), await a_card(till)
    order_id = await till.order()
    assert (await press(till, order_id, card)).outcome == CardOutcome.BANK
    await till.stripe.turn("deauthorize", account=till.account_id)
    for pressed in (other, card, other):
        with pytest.raises(Conflict) as off:
            await press(till, order_id, pressed)
        assert off.value.code == "payments_not_ready"
    with pytest.raises(Conflict) as off:
        await till.page(order_id)
    assert off.value.code == "payments_not_ready"


async def test_who_was_to_be_made_at_the_processor_by_a_lost_call_goes_with_their_erasing(
    till: Till,
) -> None:
    tenant, customer_id = till.business.id, till.business.customer_id
    await till.stripe.turn(
        "api_faults", kind="timeout_after", path_contains="/customers", seconds=2
    )
    with till.impatient(), pytest.raises(Uncertain):
        await ensure_processor_customer(till.services, tenant, customer_id)
    assert len(await till.stripe_objects("customer")) == 1
    till.clock.advance(timedelta(days=3))
    async with till.services.uow_factory(tenant) as uow:
        here = await tenant_snapshot(uow, tenant, till.clock.now())
        ctx = RequestContext(actor=SYSTEM, tenant=here)
        customer = await uow.session.get_one(Customer, (tenant, customer_id))
        await erase_oneself(uow, ctx, customer_id, customer.email or "")
    assert "billing.processor_customer_ended" in await till.work()
    assert await till.stripe_objects("customer") == []
