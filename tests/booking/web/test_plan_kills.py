"""A worker that dies while it charges a part: whoever comes next charges it once."""

import asyncio
from datetime import time, timedelta
from typing import Any

import pytest
from anyio.lowlevel import checkpoint

from src.billing.part_charges import charge_due_parts
from tests.booking.web.conftest import Shop
from tests.booking.web.test_plan_money_back import nothing_is_broken
from tests.support.clock import FrozenClock
from tests.support.plans import (
    buy_in_parts,
    charges,
    on_day,
    pages_of,
    parts_of,
    states,
)

pytestmark = pytest.mark.anyio

BEFORE_MADE = {"kind": "timeout_before", "method": "POST", "path_contains": "/payment_intents"}
MADE = {"kind": "timeout_after", "method": "POST", "path_contains": "/payment_intents"}
BEFORE_CONFIRMED = {"kind": "timeout_before", "path_contains": "/confirm"}
CONFIRMED = {"kind": "timeout_after", "path_contains": "/confirm"}
NOT_WRITTEN_DOWN = {"kind": "timeout_before", "method": "GET", "path_contains": "/payment_intents"}


async def dies(shop: Shop, at: dict[str, Any]) -> None:
    """The worker is gone while it waits for this answer: nothing after that is done."""
    await shop.stripe.turn("api_faults", **at, seconds=2)
    worker = asyncio.create_task(charge_due_parts(shop.services, parallel=1))
    while shop.stripe.engine.faults.api and not worker.done():
        # Its call has not come to the processor yet.
        await checkpoint()
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker


@pytest.mark.parametrize("hours", [1, 7])
@pytest.mark.parametrize(
    "at", [BEFORE_MADE, MADE, BEFORE_CONFIRMED, CONFIRMED, NOT_WRITTEN_DOWN], ids=range(5)
)
async def test_a_worker_that_dies_while_it_charges_leaves_one_charge(
    shop: Shop, clock: FrozenClock, at: dict[str, Any], hours: int
) -> None:
    """After an hour the attempt goes on; after seven it is over, and the next day has another."""
    await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    clock.at += timedelta(days=3)
    await dies(shop, at)
    part = (await parts_of(shop))[1]
    assert (part.state, part.attempts) == ("due", 1)
    assert part.page_id is not None, "written down before the call"
    clock.advance(timedelta(hours=hours))
    await charge_due_parts(shop.services, parallel=1)
    await on_day(shop, clock, second.due_on + timedelta(days=1), at=time(13))
    assert await states(shop) == ["paid", "paid", "due", "due"]
    assert await charges(shop) == [3000, 3000]
    tries = [page for page in await pages_of(shop) if page.kind == "card"]
    took_it = [page for page in tries if page.state == "complete"]
    assert (len(took_it), len(tries) <= 2) == (1, True)
    await nothing_is_broken(shop)
