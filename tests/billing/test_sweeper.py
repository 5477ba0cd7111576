"""Holds that end, on real commits and with several at a time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.domain.holds import LINK_LIFETIME
from src.billing.reconcile import reconcile
from src.billing.stripe_gateway import StripeGateway
from src.billing.sweeper import sweep_holds
from src.platform.errors import Unavailable
from src.sandbox.stripe.serving import Running
from src.tenants.models import Due
from tests.billing.conftest import open_account
from tests.billing.places import Places
from tests.billing.support import make_business
from tests.billing.till import Till
from tests.conftest import Committing
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

AFTER_THE_HOLD = timedelta(minutes=37)


@pytest.fixture
async def shop(
    committing: Committing,
    clock: FrozenClock,
    stripe: Running,
    gateway: StripeGateway,
    places: Places,
) -> AsyncIterator[Till]:
    services = replace(committing.services, ports={StripeGateway: gateway})
    business = await make_business(services.uow_factory, clock.now())
    account_id = await open_account(services, stripe, business)
    yield Till(business, services, stripe, places, clock, account_id)


async def due_rows(till: Till) -> list[tuple[str, UUID]]:
    async with till.services.uow_factory(None) as uow:
        own = Due.kind.not_in(["account", "prune"])
        rows = await uow.session.execute(select(Due.kind, Due.ref).where(own))
        return [(row.kind, row.ref) for row in rows]


async def states(till: Till, *order_ids: UUID) -> list[str]:
    return [(await till.state(order_id)).state for order_id in order_ids]


async def test_unpaid_holds_end_and_their_pages_before_them(shop: Till) -> None:
    """Row 2-15: seats of abandoned orders never came back."""
    shop.places.left = 5
    with_page = [(await shop.order_with_page())[0] for _ in range(3)]
    bare = await shop.order()
    assert await sweep_holds(shop.services) == 0
    shop.clock.advance(AFTER_THE_HOLD)
    assert await sweep_holds(shop.services) == 4
    assert await states(shop, *with_page, bare) == ["expired"] * 4
    sessions = await shop.stripe_objects("checkout.session")
    assert {session["status"] for session in sessions} == {"expired"}
    assert shop.places.left == 5
    assert await due_rows(shop) == []
    assert await sweep_holds(shop.services) == 0


async def test_a_hold_whose_payment_nobody_told_us_of_is_fulfilled(shop: Till) -> None:
    order_id, session_id = await shop.order_with_page()
    await shop.pay(session_id)
    shop.clock.advance(AFTER_THE_HOLD)
    await sweep_holds(shop.services)
    assert await states(shop, order_id) == ["confirmed"]
    assert shop.places.calls == ["confirm"]
    assert await due_rows(shop) == []


async def test_a_page_that_was_never_stored_is_made_again_and_ended(shop: Till) -> None:
    order_id = await shop.order()
    await shop.stripe.turn("api_faults", kind="timeout_after", path_contains="checkout")
    with shop.impatient(), pytest.raises(Unavailable, match="does not answer"):
        await shop.page(order_id)
    shop.clock.advance(AFTER_THE_HOLD)
    await sweep_holds(shop.services)
    assert await states(shop, order_id) == ["expired"]
    (session,) = await shop.stripe_objects("checkout.session")
    assert session["status"] == "expired"


async def test_a_page_that_was_paid_though_never_stored_is_fulfilled(shop: Till) -> None:
    order_id = await shop.order()
    await shop.stripe.turn("api_faults", kind="timeout_after", path_contains="checkout")
    with shop.impatient(), pytest.raises(Unavailable, match="does not answer"):
        await shop.page(order_id)
    (session,) = await shop.stripe_objects("checkout.session")
    await shop.pay(session["id"])
    shop.clock.advance(AFTER_THE_HOLD)
    await sweep_holds(shop.services)
    assert await states(shop, order_id) == ["confirmed"]


async def test_nothing_is_freed_while_the_processor_is_silent(shop: Till) -> None:
    order_id, _session = await shop.order_with_page()
    shop.clock.advance(AFTER_THE_HOLD)
    await shop.stripe.turn("api_faults", kind="error_500_before", times=2)
    for _ in range(2):
        await sweep_holds(shop.services)
        assert await states(shop, order_id) == ["open"]
        shop.clock.advance(timedelta(minutes=2))
    await sweep_holds(shop.services)
    assert await states(shop, order_id) == ["expired"]


async def test_one_failing_hold_is_not_in_the_way_of_others(shop: Till) -> None:
    bad = await shop.order()
    good = await shop.order()
    shop.places.states[bad] = "broken"
    shop.clock.advance(AFTER_THE_HOLD)
    await sweep_holds(shop.services)
    assert await states(shop, bad, good) == ["open", "expired"]
    assert await due_rows(shop) == [("hold", bad)]


async def test_a_hold_that_a_later_page_prolonged_is_left_alone(shop: Till) -> None:
    order_id = await shop.order()
    shop.clock.advance(timedelta(minutes=30))
    await shop.page(order_id)
    shop.clock.advance(timedelta(minutes=10))
    await sweep_holds(shop.services)
    assert await states(shop, order_id) == ["open"]
    assert await shop.page(order_id)


async def test_a_hold_by_link_ends_with_its_page_and_not_a_day_later(shop: Till) -> None:
    shop.places.left = 3
    asked, waiting = [await shop.order(hold_lifetime=LINK_LIFETIME) for _ in range(2)]
    await shop.page(asked)
    shop.clock.advance(AFTER_THE_HOLD)
    await sweep_holds(shop.services)
    assert await states(shop, asked, waiting) == ["expired", "open"]
    assert shop.places.left == 2


async def test_reconciling_finds_payments_whose_events_never_came(shop: Till) -> None:
    """Row 2-18: a rush left guests who had paid without a ticket."""
    order_id, session_id = await shop.order_with_page()
    other, _session = await shop.order_with_page()
    await shop.pay(session_id)
    assert await reconcile(shop.services) == 0
    shop.clock.advance(timedelta(minutes=5))
    assert await reconcile(shop.services) == 2
    assert await states(shop, order_id, other) == ["confirmed", "open"]
    shop.clock.advance(timedelta(minutes=32))
    await reconcile(shop.services)
    assert await states(shop, other) == ["expired"]
    assert await due_rows(shop) == []
