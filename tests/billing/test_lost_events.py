"""Events that never come: what happened on an account is asked for, and has its one effect."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from src.billing.models import ConnectedAccount, InboxEvent
from src.billing.reconcile import reconcile
from src.billing.stripe_gateway import StripeGateway
from src.tenants.models import Due, Tenant
from tests.billing.till import Till
from tests.billing.web.conftest import Wired, wired

__all__ = ["wired"]
pytestmark = pytest.mark.anyio

A_DAY = timedelta(days=1, minutes=1)


async def all_lost(till: Till) -> None:
    await till.stripe.turn("webhooks", drop=True)


async def asked(till: Till, after: timedelta = A_DAY) -> None:
    """The time goes by, the reconcile job looks, and its findings are worked off."""
    till.clock.advance(after)
    await reconcile(till.services)
    await till.work()


async def a_paid_order(wired: Wired) -> tuple[Any, str]:
    order_id, session_id = await wired.till.order_with_page()
    await wired.till.pay(session_id)
    await wired.flush()
    (payment,) = await wired.till.payments(order_id)
    return order_id, payment.payment_intent_id


async def is_ready(till: Till) -> bool:
    async with till.services.uow_factory(None) as uow:
        ready = await uow.session.scalar(
            select(Tenant.payments_ready).where(Tenant.id == till.business.id)
        )
    return bool(ready)


async def account_due(till: Till) -> list[Due]:
    async with till.services.uow_factory(None) as uow:
        return list(await uow.session.scalars(select(Due).where(Due.kind == "account")))


@pytest.mark.slow
async def test_a_refund_in_the_dashboard_is_found_within_a_day(wired: Wired) -> None:
    order_id, intent = await a_paid_order(wired)
    await all_lost(wired.till)
    await wired.till.stripe.turn("refund_from_dashboard", payment=intent, amount=700)
    await asked(wired.till)
    assert (await wired.till.state(order_id)).refunded_minor == 700
    await asked(wired.till)
    assert len(await wired.till.refunds(order_id)) == 1


async def test_a_refund_that_comes_back_after_it_had_gone_is_found(wired: Wired) -> None:
    order_id, intent = await a_paid_order(wired)
    await wired.till.stripe.turn("refund_from_dashboard", payment=intent, amount=700)
    await wired.flush()
    (refund,) = await wired.till.refunds(order_id)
    assert refund.state == "succeeded"
    await all_lost(wired.till)
    await wired.till.stripe.turn("refund_settle", refund=refund.processor_id, status="failed")
    await asked(wired.till)
    (refund,) = await wired.till.refunds(order_id)
    assert refund.state == "failed"
    assert [item.kind for item in await wired.till.open_items(order_id)] == ["refund_failed"]


async def test_a_dispute_is_found_within_a_day(wired: Wired) -> None:
    order_id, intent = await a_paid_order(wired)
    await all_lost(wired.till)
    await wired.till.stripe.turn("dispute", payment=intent)
    await asked(wired.till)
    assert [item.kind for item in await wired.till.open_items(order_id)] == ["dispute"]


async def a_payment_of_which_nothing_is_known(wired: Wired) -> tuple[Any, str]:
    """It was made, and its own event is late."""
    order_id, session_id = await wired.till.order_with_page()
    await wired.till.stripe.turn("webhooks", drop=True)
    await wired.till.pay(session_id)
    await wired.till.stripe.turn("webhooks", drop=False)
    assert await wired.till.payments(order_id) == []
    gateway = wired.till.services.port(StripeGateway)
    page = await gateway.retrieve_checkout_page(wired.till.account_id, session_id)
    assert page.payment_intent_id is not None
    return order_id, page.payment_intent_id


async def test_a_dispute_that_is_faster_than_its_payment_is_not_lost(wired: Wired) -> None:
    order_id, intent = await a_payment_of_which_nothing_is_known(wired)
    await wired.till.stripe.turn("dispute", payment=intent)
    await wired.flush()
    assert (await wired.till.state(order_id)).state == "confirmed"
    assert [item.kind for item in await wired.till.open_items(order_id)] == ["dispute"]


async def test_a_dispute_of_an_account_out_of_reach_is_not_put_away_as_anothers(
    wired: Wired,
) -> None:
    """Nobody can say whose payment it is, so it is asked again."""
    _order_id, intent = await a_payment_of_which_nothing_is_known(wired)
    await wired.till.stripe.turn("dispute", payment=intent)
    await wired.till.stripe.turn("deauthorize", account=wired.till.account_id)
    await wired.flush()
    async with wired.till.services.uow_factory(None) as uow:
        found = await uow.session.scalars(
            select(InboxEvent).where(InboxEvent.type == "charge.dispute.created")
        )
        assert [(one.handled_at, one.outcome) for one in found] == [(None, None)]


async def test_a_refund_that_is_faster_than_its_payment_is_not_lost(wired: Wired) -> None:
    order_id, intent = await a_payment_of_which_nothing_is_known(wired)
    await wired.till.stripe.turn("refund_from_dashboard", payment=intent, amount=700)
    await wired.flush()
    assert (await wired.till.state(order_id)).refunded_minor == 700


async def test_what_came_by_itself_is_not_taken_twice(wired: Wired) -> None:
    await a_paid_order(wired)
    async with wired.till.services.uow_factory(None) as uow:
        before = len((await uow.session.scalars(select(InboxEvent.id))).all())
    await asked(wired.till)
    async with wired.till.services.uow_factory(None) as uow:
        assert len((await uow.session.scalars(select(InboxEvent.id))).all()) == before
        account = await uow.session.get_one(ConnectedAccount, wired.till.account_id)
    assert account.asked_until == wired.till.clock.now()


async def test_an_account_that_may_charge_at_last_is_noticed_without_its_event(
    wired: Wired,
) -> None:
    till = wired.till
    await all_lost(till)
    await till.stripe.turn("account", account=till.account_id, charges_enabled=False)
    await asked(till)
    assert not await is_ready(till)
    await till.stripe.turn("account", account=till.account_id, charges_enabled=True)
    await asked(till, timedelta(hours=1, minutes=1))
    assert await is_ready(till)
    (due,) = await account_due(till)
    assert due.at == till.clock.now() + timedelta(days=1)


async def test_an_account_that_has_disconnected_is_asked_about_no_more(wired: Wired) -> None:
    await all_lost(wired.till)
    await wired.till.stripe.turn("deauthorize", account=wired.till.account_id)
    await asked(wired.till)
    assert not await is_ready(wired.till)
    assert await account_due(wired.till) == []


async def test_the_owner_hears_of_a_dispute_although_the_account_has_gone(wired: Wired) -> None:
    """The event lies in the inbox; the processor will not talk about it any more."""
    order_id, intent = await a_paid_order(wired)
    await wired.till.stripe.turn("dispute", payment=intent)
    await wired.till.stripe.turn("flush")
    await wired.till.stripe.turn("deauthorize", account=wired.till.account_id)
    await wired.till.work()
    (item,) = await wired.till.open_items(order_id)
    assert (item.kind, item.facts["amount_minor"], item.facts["currency"]) == (
        "dispute",
        2000,
        "GBP",
    )
