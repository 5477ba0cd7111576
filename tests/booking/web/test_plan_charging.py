"""When the parts of a price are announced and charged, and when nobody's card is to blame."""

from datetime import timedelta

import pytest

from src.billing.commands.cards import remove_card
from src.billing.commands.connect import recheck_account
from src.billing.domain.parts import charged_at
from src.billing.models import SavedCard
from src.billing.part_charges import charge_due_parts
from src.tenants.models import Tenant
from tests.booking.web.conftest import Shop, change, rows
from tests.booking.web.test_payment_plans import mails
from tests.booking.web.test_plan_money_back import nothing_is_broken
from tests.support.clock import FrozenClock
from tests.support.plans import (
    DECLINED_LATER,
    account,
    buy_in_parts,
    charges,
    make_card,
    on_day,
    pages_of,
    parts_of,
    states,
)

pytestmark = pytest.mark.anyio

NO = {"code": "parameter_invalid", "message": "No.", "param": "x"}

STOLEN = "4000000000009979"


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


async def test_after_a_pause_each_late_part_is_announced_and_charged_by_itself(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    parts = await parts_of(shop)
    await change(shop, Tenant, status="suspended")
    for part in parts[1:]:
        await on_day(shop, clock, part.due_on)
    assert (await mails(shop, "part_coming"), await charges(shop)) == ([], [3000])
    await change(shop, Tenant, status="active")
    back_on = parts[3].due_on + timedelta(days=1)
    seen = []
    for days in range(16):
        await on_day(shop, clock, back_on + timedelta(days=days))
        seen.append((len(await mails(shop, "part_coming")), len(await charges(shop))))
    assert (seen[0], seen[-1]) == ((1, 1), (3, 4))
    assert all(told >= charged - 1 for told, charged in seen), "none without its mail"
    told_on = [next(day for day, one in enumerate(seen) if one[0] == n) for n in (1, 2, 3)]
    charged_on = [next(day for day, one in enumerate(seen) if one[1] == n) for n in (2, 3, 4)]
    waited = [paid - told for told, paid in zip(told_on, charged_on, strict=True)]
    assert all(days >= 3 for days in waited), "nobody is charged sooner than the mail has said"
    assert await states(shop) == ["paid"] * 4
    await nothing_is_broken(shop)


async def test_one_that_was_announced_before_the_pause_is_announced_again(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    await change(shop, Tenant, status="suspended")
    await on_day(shop, clock, second.due_on + timedelta(days=9))
    await change(shop, Tenant, status="active")
    await on_day(shop, clock, second.due_on + timedelta(days=10))
    first_mail, again = await mails(shop, "part_coming")
    assert first_mail.text != again.text, "it names the new day"
    assert await charges(shop) == [3000]
    await on_day(shop, clock, second.due_on + timedelta(days=13))
    assert await charges(shop) == [3000, 3000]


async def test_a_worker_that_was_down_charges_nobody_unannounced(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    clock.at = charged_at(second.due_on, shop.business.tenant.zone) + timedelta(hours=3)
    await charge_due_parts(shop.services, parallel=1)
    assert (await charges(shop), len(await mails(shop, "part_coming"))) == ([3000], 1)
    await on_day(shop, clock, second.due_on + timedelta(days=2))
    assert await charges(shop) == [3000]
    await on_day(shop, clock, second.due_on + timedelta(days=3))
    assert await charges(shop) == [3000, 3000]


async def test_a_part_is_announced_in_time_while_the_one_before_is_tried_again(
    shop: Shop, clock: FrozenClock
) -> None:
    """Weekly parts: the second is tried until two days before the third falls due."""
    await buy_in_parts(shop, DECLINED_LATER, parts_unit="week")
    _first, second, third, _fourth = await parts_of(shop)
    for days in range(7):
        await on_day(shop, clock, second.due_on + timedelta(days=days))
    assert (await states(shop))[1] == "overdue"
    assert len(await mails(shop, "part_coming")) == 2
    await make_card(shop, "4242424242424242")
    await on_day(shop, clock, third.due_on)
    assert await states(shop) == ["paid", "overdue", "paid", "due"]


async def test_who_removes_the_card_after_the_mail_is_asked_on_the_day_and_not_told_of_tries(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    (card,) = await rows(shop, SavedCard)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await remove_card(uow, order.customer_id, card.id)
    await on_day(shop, clock, second.due_on)
    assert (await states(shop))[1] == "overdue"
    (asked,) = await mails(shop, "part_overdue")
    said = " ".join(asked.text.split())
    assert "and is not paid" in said
    assert "could not be charged" not in said
    assert await mails(shop, "part_failed") == []
    await nothing_is_broken(shop)


async def test_a_card_that_has_expired_is_announced_to_nobody(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    await change(shop, SavedCard, exp_year=2020)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    assert await mails(shop, "part_coming") == []
    assert len(await mails(shop, "part_to_pay")) == 1


async def test_a_bank_that_takes_the_card_back_for_good_is_asked_once(
    shop: Shop, clock: FrozenClock
) -> None:
    """Neither for this part again nor for a later one: their guest is asked to pay them."""
    await buy_in_parts(shop)
    await make_card(shop, STOLEN)
    parts = await parts_of(shop)
    for part in parts[1:]:
        for days in (0, 1, 3, 5):
            await on_day(shop, clock, part.due_on + timedelta(days=days))
    assert await states(shop) == ["paid", "overdue", "overdue", "overdue"]
    assert len([page for page in await pages_of(shop) if page.kind == "card"]) == 1
    assert (len(await mails(shop, "part_coming")), len(await mails(shop, "part_to_pay"))) == (1, 2)
    assert await mails(shop, "part_failed") == []
    (card,) = await rows(shop, SavedCard)
    assert card.state == "gone"
    await nothing_is_broken(shop)
