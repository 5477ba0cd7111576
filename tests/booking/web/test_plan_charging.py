"""When the parts of a price are announced and charged, and when nobody's card is to blame."""

from datetime import timedelta

import pytest

from src.billing.commands.connect import recheck_account
from src.billing.part_charges import charge_due_parts
from tests.booking.web.conftest import Shop
from tests.booking.web.test_payment_plans import due_parts, mails
from tests.booking.web.test_plan_money_back import nothing_is_broken
from tests.support.clock import FrozenClock
from tests.support.plans import (
    account,
    buy_in_parts,
    charges,
    on_day,
    parts_of,
    states,
)

pytestmark = pytest.mark.anyio

NO = {"type": "invalid_request_error", "code": "parameter_invalid", "message": "No.", "param": "x"}


async def charging(shop: Shop, *, is_on: bool) -> None:
    """The processor lets the business charge, or does not; nobody tells us."""
    await shop.stripe.turn("account", account=await account(shop), charges_enabled=is_on)


async def test_no_card_is_blamed_where_the_business_may_not_charge(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    await charging(shop, is_on=False)
    await on_day(shop, clock, second.due_on)
    second = (await parts_of(shop))[1]
    assert (second.state, second.attempts, second.page_id) == ("due", 0, None)
    assert await mails(shop, "part_failed") == []
    await charging(shop, is_on=True)
    assert await recheck_account(shop.services, shop.business.id)
    await on_day(shop, clock, second.due_on + timedelta(days=1))
    assert (await states(shop), await charges(shop)) == (
        ["paid", "paid", "due", "due"],
        [3000, 3000],
    )
    assert len(await mails(shop, "part_coming")) == 1
    await nothing_is_broken(shop)


@pytest.mark.parametrize("call", ["/v1/payment_intents", "/confirm"])
async def test_a_no_that_says_nothing_of_the_card_is_none_of_its_tries(
    shop: Shop, clock: FrozenClock, call: str
) -> None:
    await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    await shop.stripe.turn("api_faults", kind="refuse", path_contains=call, error=NO)
    await on_day(shop, clock, second.due_on)
    second = (await parts_of(shop))[1]
    assert (second.state, second.attempts, second.page_id) == ("due", 0, None)
    assert await mails(shop, "part_failed") == []
    await on_day(shop, clock, second.due_on + timedelta(days=1))
    assert await states(shop) == ["paid", "paid", "due", "due"]
    assert await charges(shop) == [3000, 3000]
    await nothing_is_broken(shop)


async def test_a_no_that_stays_is_told_at_last(shop: Shop, clock: FrozenClock) -> None:
    """Somebody has to hear of it, although nobody knows why."""
    await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    await shop.stripe.turn(
        "api_faults", kind="refuse", path_contains="/confirm", error=NO, times=99
    )
    for days in range(10):
        await on_day(shop, clock, second.due_on + timedelta(days=days))
    assert (await states(shop))[1] == "overdue"
    assert (len(await mails(shop, "part_failed")), len(await mails(shop, "part_overdue"))) == (1, 1)
    assert await charges(shop) == [3000]
