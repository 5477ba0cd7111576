from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from src.billing.checkout import _let_go
from src.billing.domain.kinds import PaymentMode
from src.billing.gates import require_payments_ready_now
from src.billing.models import PaymentPage
from src.billing.stripe_gateway import StripeGateway
from src.platform.errors import Conflict, Gone, NotFound, Unavailable
from src.platform.ids import new_id
from tests.billing.support import a_line
from tests.billing.till import Till

pytestmark = pytest.mark.anyio


async def fault(till: Till, kind: str, path: str = "checkout/sessions", **more: Any) -> None:
    await till.stripe.turn("api_faults", kind=kind, path_contains=path, **more)


async def test_the_page_says_what_is_bought_and_ends_before_the_hold(till: Till) -> None:
    lines = (a_line(quantity=2, unit_minor=1500), a_line(description="Mat", unit_minor=250))
    order_id = await till.order(lines=lines)
    url = await till.page(order_id)
    (session,) = await till.stripe_objects("checkout.session")
    order, (page,) = await till.state(order_id), await till.rows(PaymentPage, order_id)
    assert session["url"] == url
    assert session["amount_total"] == 3250
    assert session["client_reference_id"] == str(order_id)
    assert session["metadata"] == {
        "tenant_id": str(till.business.id),
        "order_id": str(order_id),
        "page_id": str(page.id),
    }
    assert session["payment_method_types"] == ["card"]
    assert session["customer_email"] == "carl@guests.example"
    assert session["expires_at"] == int(page.expires_at.timestamp())
    assert page.expires_at == till.clock.now() + timedelta(minutes=31)
    assert order.hold_expires_at == page.expires_at + timedelta(minutes=5)


async def test_asking_again_gives_the_same_page_and_no_more_time(till: Till) -> None:
    order_id = await till.order()
    url = await till.page(order_id)
    before = await till.state(order_id)
    till.clock.advance(timedelta(minutes=10))
    assert await till.page(order_id) == url
    after = await till.state(order_id)
    assert after.hold_expires_at == before.hold_expires_at
    assert len(await till.stripe_objects("checkout.session")) == 1


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "error_500_before"])
async def test_after_a_doubt_the_same_attempt_is_made_again(till: Till, kind: str) -> None:
    order_id = await till.order()
    await fault(till, kind)
    with till.impatient(), pytest.raises(Unavailable) as unsure:
        await till.page(order_id)
    assert unsure.value.code == "payment_page_unsure"
    url = await till.page(order_id)
    sessions = await till.stripe_objects("checkout.session")
    assert [session["url"] for session in sessions] == [url]
    assert len(await till.rows(PaymentPage, order_id)) == 1


async def test_a_fault_that_the_processor_repeats_for_ever_is_got_round_by_asking(
    till: Till,
) -> None:
    order_id = await till.order()
    await fault(till, "error_500_sticky")
    with pytest.raises(Unavailable):
        await till.page(order_id)
    url = await till.page(order_id)
    (session,) = await till.stripe_objects("checkout.session")
    assert session["url"] == url


async def test_a_replay_that_comes_too_late_for_its_page_leads_to_a_new_attempt(
    till: Till,
) -> None:
    order_id = await till.order()
    await fault(till, "timeout_before")
    with till.impatient(), pytest.raises(Unavailable):
        await till.page(order_id)
    till.clock.advance(timedelta(minutes=3))
    assert await till.page(order_id)
    pages = await till.rows(PaymentPage, order_id)
    assert [(page.attempt, page.state) for page in pages] == [(1, "failed"), (2, "open")]
    order = await till.state(order_id)
    assert order.hold_expires_at == pages[1].expires_at + timedelta(minutes=5)


async def test_a_refusal_is_told_and_nothing_is_held_that_nobody_can_pay(till: Till) -> None:
    order_id = await till.order()
    await fault(till, "refuse", error={"message": "No."})
    with pytest.raises(Unavailable) as refused:
        await till.page(order_id)
    assert refused.value.code == "payment_page_refused"
    await is_let_go(till, order_id)
    with pytest.raises(Gone):
        await till.page(order_id)


async def is_let_go(till: Till, order_id: UUID) -> None:
    order = await till.state(order_id)
    assert (order.state, order.closed_why) == ("cancelled", "not_payable")
    assert till.places.left == 2


async def test_failures_do_not_prolong_a_hold_for_ever(till: Till) -> None:
    order_id = await till.order()
    for _ in range(3):
        await till.page(order_id)
        async with till.services.uow_factory(till.business.id) as uow:
            await uow.session.execute(update(PaymentPage).values(state="failed"))
    with pytest.raises(Conflict, match="begun too often"):
        await till.page(order_id)


async def test_no_page_after_the_hold(till: Till) -> None:
    order_id = await till.order()
    till.clock.advance(timedelta(minutes=37))
    with pytest.raises(Gone) as over:
        await till.page(order_id)
    assert over.value.code == "hold_over"


async def test_no_page_for_what_is_confirmed_or_unknown(till: Till) -> None:
    free = await till.order(payment_mode=PaymentMode.FREE)
    with pytest.raises(Conflict) as paid:
        await till.page(free)
    assert paid.value.code == "already_paid"
    with pytest.raises(NotFound):
        await till.page(new_id())


async def test_a_business_that_may_not_charge_sells_nothing_for_money(till: Till) -> None:
    await _switch_payments_off(till)
    order_id: UUID = await till.order()
    with pytest.raises(Conflict) as off:
        await till.page(order_id)
    assert off.value.code == "payments_not_ready"
    assert await till.rows(PaymentPage, order_id) == []
    await is_let_go(till, order_id)


async def _switch_payments_off(till: Till) -> None:
    from src.billing.commands.connect import disconnect_account

    async with till.services.uow_factory(till.business.id) as uow:
        await disconnect_account(uow, till.account_id)


async def test_the_platforms_fee_is_in_the_page(till: Till) -> None:

    till.take_fee(250)
    _order, session_id = await till.order_with_page()
    await till.pay(session_id)
    (intent,) = await till.stripe_objects("payment_intent")
    assert intent["application_fee_amount"] == 50


async def test_an_account_that_may_not_charge_any_more_is_noticed(till: Till) -> None:
    await till.stripe.turn("account", account=till.account_id, charges_enabled=False)
    order_id = await till.order()
    with pytest.raises(Conflict) as off:
        await till.page(order_id)
    assert off.value.code == "payments_not_ready"
    await is_let_go(till, order_id)
    async with till.services.uow_factory(till.business.id) as uow:
        with pytest.raises(Conflict):
            await require_payments_ready_now(uow)


async def test_a_business_that_has_disconnected_is_noticed(till: Till) -> None:
    await till.stripe.turn("deauthorize", account=till.account_id)
    order_id = await till.order()
    with pytest.raises(Conflict) as off:
        await till.page(order_id)
    assert off.value.code == "payments_not_ready"


async def test_an_amount_below_the_processors_least_is_said_to_be_too_small(till: Till) -> None:
    order_id = await till.order(lines=(a_line(unit_minor=10),))
    with pytest.raises(Conflict) as small:
        await till.page(order_id)
    assert small.value.code == "amount_too_small"
    await is_let_go(till, order_id)


async def test_a_refusal_leaves_a_page_alone_that_somebody_may_be_paying(till: Till) -> None:
    """Two presses at once: one is refused, the other has got its page."""
    order_id, _session = await till.order_with_page()
    await _let_go(till.services, till.business.id, order_id)
    assert (await till.state(order_id)).state == "open"


async def test_wrong_credentials_of_ours_say_nothing_about_the_page(till: Till) -> None:
    wrong = StripeGateway("sk_test_wrong", till.stripe.base_url, retries=0)
    right = till.services
    till.services = replace(right, ports={StripeGateway: wrong})
    order_id = await till.order()
    with pytest.raises(Unavailable) as unsure:
        await till.page(order_id)
    await wrong.close()
    assert unsure.value.code == "payment_page_unsure"
    till.services = right
    assert await till.page(order_id)
    assert len(await till.rows(PaymentPage, order_id)) == 1
