"""A package in parts: bought, charged, tried again, overdue, paid by hand, let go."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from src.billing.commands.cards import remove_card
from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.commands.ending import end_locked_order
from src.billing.commands.instalments import list_parts
from src.billing.commands.orders import lock_order
from src.billing.commands.parts_by_staff import take_part_on_site, waive_part
from src.billing.domain.kinds import OrderState
from src.billing.domain.parts import charged_at
from src.billing.models import (
    CreditLot,
    Instalment,
    OpenItem,
    Order,
    PaymentPage,
    Refund,
    SavedCard,
)
from src.billing.part_charges import charge_due_parts
from src.billing.reconcile import reconcile
from src.billing.settlement import settle_page
from src.billing.stripe_gateway import StripeGateway
from src.billing.sweeper import sweep_holds
from src.booking.guest_links import package_path
from src.platform.errors import Conflict, InvalidInput
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from tests.booking.web.conftest import Shop, rows
from tests.support.clock import FrozenClock
from tests.support.plans import (
    ALWAYS_ASKS,
    DECLINED_LATER,
    a_plan_package,
    begin_plan,
    buy_in_parts,
    charges,
    make_card,
    on_day,
    pages_of,
    parts_of,
    states,
    the_order,
)
from tests.support.visitor import forms_of
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio


async def lot_of(shop: Shop) -> CreditLot:
    (lot,) = await rows(shop, CreditLot)
    found: CreditLot = lot
    return found


async def mails(shop: Shop, kind: str) -> list[MailRow]:
    await shop.work()
    return [mail for mail in await rows(shop, MailRow) if mail.kind == f"billing.{kind}"]


async def test_the_first_part_buys_all_credits_and_the_card_is_kept(shop: Shop) -> None:
    order = await buy_in_parts(shop)
    assert (order.state, order.total_minor, order.paid_minor) == ("confirmed", 12_000, 3000)
    assert order.later_minor == 9000
    assert order.consents["parts"]["version"] == "parts-1"
    lot = await lot_of(shop)
    assert (lot.state, lot.balance, lot.paid_minor) == ("active", 10, 3000)
    parts = await parts_of(shop)
    assert [part.state for part in parts] == ["paid", "due", "due", "due"]
    assert sum(part.minor for part in parts) == order.total_minor
    (card,) = await rows(shop, SavedCard)
    assert {part.card_id for part in parts} == {card.id}
    assert card.consent["where"] == "parts"
    (page,) = await rows(shop, PaymentPage)
    assert page.body["allowed_payment_method_types"] == ["card"]
    assert page.body["payment_method_options"] == {"card": {"setup_future_usage": "off_session"}}
    assert await charges(shop) == [3000]


async def test_each_part_is_announced_and_charged_on_its_day(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    parts = await parts_of(shop)
    for number, part in enumerate(parts[1:], start=2):
        await on_day(shop, clock, part.due_on - timedelta(days=3))
        assert len(await mails(shop, "part_coming")) == number - 1
        assert len(await charges(shop)) == number - 1
        await on_day(shop, clock, part.due_on - timedelta(days=1))
        assert len(await charges(shop)) == number - 1, "not before its day"
        await on_day(shop, clock, part.due_on)
        assert len(await charges(shop)) == number
        assert (await lot_of(shop)).paid_minor == 3000 * number
    order = await the_order(shop)
    assert (await states(shop), order.paid_minor) == (["paid"] * 4, 12_000)
    assert len(await mails(shop, "part_paid")) == 3
    assert "Nothing is left to pay." in (await mails(shop, "part_paid"))[-1].text
    assert await due_parts(shop) == 0


async def due_parts(shop: Shop) -> int:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalar(text("SELECT count(*) FROM due WHERE kind = 'part'"))
        return int(found or 0)


async def press_parts(shop: Shop, *, everything: bool = False) -> str:
    """Pressed on the guest's page; where they are led."""
    order = await the_order(shop)
    path = package_path(shop.services.settings, "lotus", order)
    page = await shop.guest.open(path)
    assert page.status_code == 200
    forms = [form for form in forms_of(shop.guest.page) if form.action.endswith("/parts")]
    (form,) = [form for form in forms if ("all" in form.fields) == everything]
    sent = await shop.guest.client.post(form.action, data=form.filled({}))
    return str(sent.headers["location"])


async def pay_by_hand(shop: Shop, *, everything: bool = False) -> None:
    url = await press_parts(shop, everything=everything)
    assert "/c/pay/" in url
    await shop.pay(url)
    page = (await pages_of(shop))[-1]
    await settle_page(shop.services, shop.business.id, page.id)
    await shop.work()


async def until_overdue(shop: Shop, clock: FrozenClock) -> Instalment:
    """The second part is tried four times in vain."""
    part = (await parts_of(shop))[1]
    for days in (0, 1, 3, 5):
        await on_day(shop, clock, part.due_on + timedelta(days=days))
    return (await parts_of(shop))[1]


async def test_a_card_that_does_not_pay_is_tried_four_times_and_nothing_is_taken_away(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await buy_in_parts(shop, DECLINED_LATER)
    part = (await parts_of(shop))[1]
    await on_day(shop, clock, part.due_on)
    part = (await parts_of(shop))[1]
    assert (part.state, part.attempts, part.page_id) == ("due", 1, None)
    assert part.next_try_at is not None
    (said,) = await mails(shop, "part_failed")
    assert "could not be charged" in said.text
    assert package_path(shop.services.settings, "lotus", order) in said.text
    for days, attempts in ((0, 1), (1, 2), (2, 2), (3, 3), (4, 3), (5, 4), (6, 4), (9, 4)):
        await on_day(shop, clock, part.due_on + timedelta(days=days))
        assert (await parts_of(shop))[1].attempts == attempts
    part = (await parts_of(shop))[1]
    assert (part.state, part.next_try_at) == ("overdue", None)
    assert len(await mails(shop, "part_failed")) == 1
    (overdue,) = await mails(shop, "part_overdue")
    assert "your credits stay as they are" in overdue.text
    (item,) = await rows(shop, OpenItem)
    assert (item.kind, item.order_id, item.closed_at) == ("part_overdue", order.id, None)
    assert len(await mails(shop, "open_item")) == 1
    lot = await lot_of(shop)
    assert (lot.state, lot.balance, lot.paid_minor) == ("active", 10, 3000)
    assert await charges(shop) == [3000]
    assert len([page for page in await pages_of(shop) if page.kind == "card"]) == 4


async def test_a_bank_that_wants_to_see_its_guest_leaves_the_part_to_them(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop, ALWAYS_ASKS)
    part = (await parts_of(shop))[1]
    await on_day(shop, clock, part.due_on)
    page = (await pages_of(shop))[-1]
    assert (page.state, page.error) == ("failed", "authentication_required")
    assert len(await mails(shop, "part_failed")) == 1
    await pay_by_hand(shop)
    assert await states(shop) == ["paid", "paid", "due", "due"]
    assert await charges(shop) == [3000, 3000]


async def test_a_card_that_pays_the_second_time_is_charged_once(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop, DECLINED_LATER)
    part = (await parts_of(shop))[1]
    await on_day(shop, clock, part.due_on)
    await make_card(shop, "4242424242424242")
    await on_day(shop, clock, part.due_on + timedelta(days=1))
    await on_day(shop, clock, part.due_on + timedelta(days=8))
    assert await states(shop) == ["paid", "paid", "due", "due"]
    assert await charges(shop) == [3000, 3000]
    assert await mails(shop, "part_overdue") == []


async def test_without_a_card_the_guest_is_asked_and_never_blamed_in_silence(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await buy_in_parts(shop)
    (card,) = await rows(shop, SavedCard)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await remove_card(uow, order.customer_id, card.id)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "No card is kept for these parts any more" in page.text
    part = await until_overdue(shop, clock)
    assert (part.state, part.attempts) == ("overdue", 0)
    assert (await mails(shop, "part_coming"), await mails(shop, "part_failed")) == ([], [])
    (asked,) = await mails(shop, "part_to_pay")
    assert "please pay it before that day" in asked.text
    assert package_path(shop.services.settings, "lotus", order) in asked.text
    assert len(await mails(shop, "part_overdue")) == 1
    assert await charges(shop) == [3000]
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "A part is overdue" in page.text
    await pay_by_hand(shop)
    (item,) = await rows(shop, OpenItem)
    assert item.closed_at is not None
    assert await states(shop) == ["paid", "paid", "due", "due"]
    assert (await lot_of(shop)).paid_minor == 6000


async def test_the_same_card_kept_again_pays_the_parts(shop: Shop, clock: FrozenClock) -> None:
    """The row that was to pay them gives way to the newer one of the same card."""
    await buy_in_parts(shop)
    (before,) = await rows(shop, SavedCard)
    first = await parts_of(shop)
    await buy_in_parts(shop, name="Other")
    older, newer = await rows(shop, SavedCard)
    assert (older.id, older.state, newer.state) == (before.id, "removed", "usable")
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await list_parts(uow, first[0].order_id)
    assert {part.card_id for part in found} == {newer.id}
    await on_day(shop, clock, first[1].due_on)
    assert await charges(shop) == [3000, 3000, 3000, 3000]


async def test_all_that_is_left_can_be_paid_at_once(shop: Shop, clock: FrozenClock) -> None:
    await buy_in_parts(shop)
    await pay_by_hand(shop, everything=True)
    order, lot = await the_order(shop), await lot_of(shop)
    assert (await states(shop), order.paid_minor, lot.paid_minor) == (["paid"] * 4, 12_000, 12_000)
    assert await charges(shop) == [3000, 9000]
    (said,) = await mails(shop, "part_paid")
    assert "parts 2 to 4 of 4" in said.text
    await on_day(shop, clock, (await parts_of(shop))[3].due_on)
    assert await charges(shop) == [3000, 9000]
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "Pay all that is left" not in page.text


async def test_the_same_press_finds_the_same_page_and_another_one_ends_it(shop: Shop) -> None:
    await buy_in_parts(shop)
    one = await press_parts(shop)
    assert await press_parts(shop) == one
    everything = await press_parts(shop, everything=True)
    assert everything != one
    first, former, latest = await pages_of(shop)
    assert (first.state, former.state, latest.state) == ("complete", "expired", "open")
    assert (await the_order(shop)).state == "confirmed"


async def test_nobody_is_charged_who_is_at_the_payment_page_with_it(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    part = (await parts_of(shop))[1]
    await on_day(shop, clock, part.due_on - timedelta(days=3))
    clock.at = charged_at(part.due_on, shop.business.tenant.zone)
    url = await press_parts(shop)
    await on_day(shop, clock, part.due_on)
    assert await charges(shop) == [3000]
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[-1].id)
    await on_day(shop, clock, part.due_on + timedelta(days=1))
    assert (await states(shop), await charges(shop)) == (
        ["paid", "paid", "due", "due"],
        [3000, 3000],
    )


async def test_who_left_the_payment_page_is_charged_once_it_is_over(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    part = (await parts_of(shop))[1]
    await on_day(shop, clock, part.due_on - timedelta(days=3))
    clock.at = charged_at(part.due_on, shop.business.tenant.zone)
    await press_parts(shop)
    await on_day(shop, clock, part.due_on)
    clock.advance(timedelta(minutes=45))
    await reconcile(shop.services, parallel=1)
    await charge_due_parts(shop.services, parallel=1)
    assert await states(shop) == ["paid", "paid", "due", "due"]


async def test_the_desk_takes_a_part_and_lets_another_go(shop: Shop, clock: FrozenClock) -> None:
    order = await buy_in_parts(shop)
    _first, second, third, fourth = await parts_of(shop)
    for taken in (3000, 0):
        async with shop.services.uow_factory(shop.business.id) as uow:
            found = await take_part_on_site(uow, shop.business.ctx, order.id, second.id)
        assert found.amount_minor == taken
    for reason in ("", "x" * 501):
        with pytest.raises(InvalidInput) as refused:
            async with shop.services.uow_factory(shop.business.id) as uow:
                await waive_part(uow, shop.business.ctx, order.id, third.id, reason)
        assert list(refused.value.fields) == ["reason"]
    for done in (True, False):
        async with shop.services.uow_factory(shop.business.id) as uow:
            was = await waive_part(uow, shop.business.ctx, order.id, third.id, " Was  ill ")
        assert was is done
    for paid in (second,):
        with pytest.raises(Conflict, match="paid already"):
            async with shop.services.uow_factory(shop.business.id) as uow:
                await waive_part(uow, shop.business.ctx, order.id, paid.id, "x")
    with pytest.raises(Conflict, match="not asked any more"):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await take_part_on_site(uow, shop.business.ctx, order.id, third.id)
    assert await states(shop) == ["paid", "paid", "waived", "due"]
    assert (await parts_of(shop))[2].why == "Was ill"
    assert len(await mails(shop, "part_waived")) == 1
    assert len(await mails(shop, "part_paid")) == 1
    await on_day(shop, clock, fourth.due_on)
    assert await states(shop) == ["paid", "paid", "waived", "paid"]
    order, lot = await the_order(shop), await lot_of(shop)
    assert (order.paid_minor, lot.paid_minor) == (9000, 9000)
    assert await charges(shop) == [3000, 3000]


async def test_a_part_that_was_let_go_meanwhile_is_not_kept(shop: Shop) -> None:
    """Its guest was at the payment page for all that is left."""
    order = await buy_in_parts(shop)
    url = await press_parts(shop, everything=True)
    third = (await parts_of(shop))[2]
    async with shop.services.uow_factory(shop.business.id) as uow:
        await waive_part(uow, shop.business.ctx, order.id, third.id, "Was ill")
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[-1].id)
    await shop.work()
    assert await states(shop) == ["paid", "paid", "waived", "paid"]
    (refund,) = await rows(shop, Refund)
    assert (refund.amount_minor, refund.cause, refund.state) == (3000, "not_asked", "succeeded")
    order, lot = await the_order(shop), await lot_of(shop)
    assert (order.paid_minor, order.refunded_minor, lot.paid_minor) == (12_000, 3000, 9000)


async def test_a_part_that_the_desk_took_meanwhile_goes_back_in_full(shop: Shop) -> None:
    order = await buy_in_parts(shop)
    url = await press_parts(shop)
    second = (await parts_of(shop))[1]
    async with shop.services.uow_factory(shop.business.id) as uow:
        await take_part_on_site(uow, shop.business.ctx, order.id, second.id)
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[-1].id)
    await shop.work()
    (refund,) = await rows(shop, Refund)
    assert (refund.amount_minor, refund.state) == (3000, "succeeded")
    lot = await lot_of(shop)
    assert (await states(shop), lot.paid_minor) == (["paid", "paid", "due", "due"], 6000)


async def test_money_for_unused_credits_is_of_what_was_paid_and_ends_the_rest(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    parts = await parts_of(shop)
    await on_day(shop, clock, parts[1].due_on)
    lot = await lot_of(shop)
    too_much = RefundCredits(
        lot_id=lot.id, amount_minor=6001, seen=10, reason="Moves away", token=new_id()
    )
    with pytest.raises(InvalidInput, match=r"at most €60\.00"):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await refund_credits(uow, shop.business.ctx, too_much)
    cmd = RefundCredits(
        lot_id=lot.id, amount_minor=6000, seen=10, reason="Moves away", token=new_id()
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        await refund_credits(uow, shop.business.ctx, cmd)
    await shop.work()
    assert await states(shop) == ["paid", "paid", "void", "void"]
    assert sorted(one.amount_minor for one in await rows(shop, Refund)) == [3000, 3000]
    await on_day(shop, clock, parts[3].due_on)
    assert (await charges(shop), await due_parts(shop)) == ([3000, 3000], 0)


async def test_a_purchase_that_is_not_paid_charges_nothing_later(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_plan_package(shop)
    await begin_plan(shop, package.id)
    clock.advance(timedelta(minutes=40))
    await sweep_holds(shop.services)
    assert (await the_order(shop)).state == "expired"
    assert await states(shop) == ["void"] * 4
    clock.advance(timedelta(days=200))
    await charge_due_parts(shop.services, parallel=1)
    assert (await charges(shop), await due_parts(shop)) == ([], 0)


async def test_a_first_part_that_comes_late_brings_the_plan_back(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_plan_package(shop)
    url = await begin_plan(shop, package.id)
    await shop.pay(url)
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, (await the_order(shop)).id)
        await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", clock.now())
    assert await states(shop) == ["void"] * 4
    page = (await pages_of(shop))[0]
    await settle_page(shop.services, shop.business.id, page.id)
    await shop.work()
    assert await states(shop) == ["paid", "due", "due", "due"]
    await on_day(shop, clock, (await parts_of(shop))[1].due_on)
    assert await charges(shop) == [3000, 3000]


async def test_a_voucher_lowers_what_is_parted(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=1999)
    package = await a_plan_package(shop)
    url = await begin_plan(shop, package.id, coupon=CODE)
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[0].id)
    await shop.work()
    amounts = [part.minor for part in await parts_of(shop)]
    assert (sum(amounts), amounts) == (10_001, [2501, 2500, 2500, 2500])
    order, lot = await the_order(shop), await lot_of(shop)
    assert (order.paid_minor, lot.paid_minor) == (1999 + 2501, 1999 + 2501)


@contextmanager
def impatient(shop: Shop) -> Iterator[None]:
    """Calls that hang are given up at once inside the block, as after a long time-out."""
    http = shop.services.port(StripeGateway)._http
    patience, http._timeout = http._timeout, 0.3
    try:
        yield
    finally:
        http._timeout = patience


async def test_a_processor_without_an_answer_charges_once(shop: Shop, clock: FrozenClock) -> None:
    """The money was taken, and the answer lost: the next look finds it."""
    await buy_in_parts(shop)
    part = (await parts_of(shop))[1]
    fault = {"kind": "timeout_after", "path_contains": "/confirm", "seconds": 2}
    await shop.stripe.turn("api_faults", **fault)
    with impatient(shop):
        await on_day(shop, clock, part.due_on)
    assert (await states(shop))[1] == "due"
    clock.advance(timedelta(hours=1))
    await charge_due_parts(shop.services, parallel=1)
    assert await charges(shop) == [3000, 3000]
    assert (await states(shop))[1] == "paid"


async def test_who_is_not_signed_in_cannot_pay_in_parts(shop: Shop) -> None:
    package = await a_plan_package(shop)
    form = await shop.guest.open(f"/b/lotus/packages/{package.id}")
    assert "Sign in to pay in parts" in form.text
    assert "€30.00" in form.text
    assert 'value="parts"' not in form.text
    sent = await shop.send(step="buy", way="parts")
    assert sent.status_code == 422
    assert "Please sign in to pay in parts" in sent.text
    assert await rows(shop, Order) == []
