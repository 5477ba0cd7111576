"""Money for unused credits: they leave with the request, and are back when it fails for good."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.billing.commands.by_staff import RefundByHand, close_item_by_hand, refund_by_hand
from src.billing.commands.credit_acts import ChangeNumber, add_credits, change_end
from src.billing.commands.credit_ends import forfeit_ended
from src.billing.commands.credit_refunds import RefundCredits, Refunded, refund_credits
from src.billing.commands.credits import SYSTEM, lock_lot, write_entry
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.refunds import retry_refund
from src.billing.commands.vouchers import refund_as_voucher
from src.billing.domain.credits import EntryKind, LotState, lot_state
from src.billing.jobs.refunds import lock_refund
from src.billing.models import CreditEntry, CreditLot, OpenItem, Order, Payment
from src.billing.open_item_words import open_item_sentence
from src.billing.processor import Dispute
from src.billing.queries.lots import lot_facts
from src.billing.refund_news import take_refunds_of
from src.platform import i18n
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.tenants.context import RequestContext
from tests.billing.support import make_business
from tests.billing.till import Till
from tests.support.lots import lot_of, the_lot

pytestmark = pytest.mark.anyio

PAID = 2000


IN_GERMAN = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "The bank took the payment back after a dispute."
msgstr "Die Bank hat die Zahlung zurückgeholt."
"""


@pytest.fixture
async def lot(till: Till, sold: UUID) -> CreditLot:
    """Ten credits bought with it, of which seven are left."""
    return await a_part_used(till, sold)


async def a_part_used(till: Till, order_id: UUID, **more: Any) -> CreditLot:
    values = {"order_id": order_id, "paid_minor": PAID, "bought": 10, "credits": 7, **more}
    owner = till.business.customer_id
    return await lot_of(
        till.services.uow_factory, till.business.id, owner, currency="GBP", **values
    )


def asked(lot: CreditLot, amount_minor: int = 1400, **more: Any) -> RefundCredits:
    values = {
        "lot_id": lot.id,
        "amount_minor": amount_minor,
        "seen": 7,
        "reason": "She moves away",
        "token": new_id(),
        **more,
    }
    return RefundCredits(**values)


async def give(till: Till, ctx: RequestContext, cmd: RefundCredits) -> Refunded | None:
    async with till.services.uow_factory(till.business.id) as uow:
        return await refund_credits(uow, ctx, cmd)


async def now_is(till: Till, lot: CreditLot) -> tuple[int, int, LotState]:
    found = await the_lot(till.services.uow_factory, till.business.id, lot.id)
    return found.balance, found.refunded_minor, lot_state(lot_facts(found), till.clock.now())


async def refuse(till: Till) -> None:
    error = {"message": "Insufficient funds in your balance."}
    await till.stripe.turn(
        "api_faults", kind="refuse", path_contains="refunds", method="POST", error=error
    )


async def test_the_credits_leave_with_the_request_and_the_money_goes_once(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    cmd = asked(lot)
    assert await give(till, ctx, cmd) == Refunded(1400)
    assert await now_is(till, lot) == (0, 1400, LotState.REFUNDED)
    assert await give(till, ctx, cmd) is None
    with pytest.raises(Conflict):
        await give(till, ctx, asked(lot))
    await till.work()
    [refund] = await till.refunds(sold)
    assert (refund.state, refund.amount_minor, refund.cause) == ("succeeded", 1400, "credits")
    assert [one["amount"] for one in await till.stripe_objects("refund")] == [1400]
    async with till.services.uow_factory(till.business.id) as uow:
        texts = list(await uow.session.scalars(select(MailRow.text)))
    assert len(texts) == 1
    assert "7 credits that you had not used are gone. £14.00 is on its way back" in texts[0]


async def test_a_failed_refund_gives_the_credits_back_and_its_next_try_takes_them_again(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    await give(till, ctx, asked(lot))
    await refuse(till)
    await till.work()
    [refund] = await till.refunds(sold)
    assert refund.state == "failed"
    assert await now_is(till, lot) == (7, 0, LotState.ACTIVE)
    await retry(till, refund.id)
    assert await now_is(till, lot) == (0, 1400, LotState.REFUNDED)
    await refuse(till)
    await till.work()
    assert await now_is(till, lot) == (7, 0, LotState.ACTIVE)
    await retry(till, refund.id)
    await till.work()
    assert (await till.refunds(sold))[0].state == "succeeded"
    assert await now_is(till, lot) == (0, 1400, LotState.REFUNDED)


async def retry(till: Till, refund_id: UUID) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        order, refund = await lock_refund(uow, refund_id)
        await retry_refund(uow, order, refund)


async def test_a_failed_refund_whose_credits_were_refunded_anew_is_not_tried_again(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    await give(till, ctx, asked(lot))
    await refuse(till)
    await till.work()
    [refund] = await till.refunds(sold)
    await give(till, ctx, asked(lot, 500))
    with pytest.raises(Conflict):
        await retry(till, refund.id)
    await till.work()
    assert await now_is(till, lot) == (0, 500, LotState.REFUNDED)
    assert [one["amount"] for one in await till.stripe_objects("refund")] == [500]


@pytest.mark.parametrize("amount_minor", [0, -1, 1401, 2000])
async def test_more_than_they_are_worth_never_goes_back(
    till: Till, ctx: RequestContext, lot: CreditLot, amount_minor: int
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await give(till, ctx, asked(lot, amount_minor))
    assert list(refused.value.fields) == ["amount"]
    assert await now_is(till, lot) == (7, 0, LotState.ACTIVE)


async def test_never_more_than_is_left_of_the_payment(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        await uow.session.execute(update(Payment).values(refunded_minor=1500))
        await uow.session.execute(update(Order).values(refunded_minor=1500))
    with pytest.raises(InvalidInput):
        await give(till, ctx, asked(lot, 501))
    assert await give(till, ctx, asked(lot, 500)) == Refunded(500)


async def test_a_page_that_shows_an_older_balance_is_looked_at_again(
    till: Till, ctx: RequestContext, lot: CreditLot
) -> None:
    with pytest.raises(Conflict) as refused:
        await give(till, ctx, asked(lot, seen=8))
    assert refused.value.code == "credits_changed"


async def test_added_and_given_credits_are_worth_nothing(
    till: Till, ctx: RequestContext, sold: UUID
) -> None:
    owner = till.business.customer_id
    gift = await lot_of(
        till.services.uow_factory, till.business.id, owner, bought=0, paid_minor=0, order_id=sold
    )
    loose = await lot_of(till.services.uow_factory, till.business.id, owner)
    for lot in (gift, loose):
        with pytest.raises(Conflict):
            await give(till, ctx, asked(lot, 100, seen=10))


async def test_what_was_paid_on_site_is_handed_back_by_a_person(
    till: Till, ctx: RequestContext, sold: UUID
) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        await uow.session.execute(update(Payment).values(method="on_site"))
    lot = await a_part_used(till, sold)
    assert await give(till, ctx, asked(lot)) == Refunded(1400, by_hand_minor=1400)
    assert await now_is(till, lot) == (0, 1400, LotState.REFUNDED)
    [item] = await till.open_items(sold)
    assert "Please give back £14.00 of what you took on site." in open_item_sentence(item)
    assert await till.refunds(sold) == []
    async with till.services.uow_factory(till.business.id) as uow:
        assert await close_item_by_hand(uow, ctx, sold, item.id) == 1400
    [refund] = await till.refunds(sold)
    assert (refund.cause, refund.state) == ("credits", "succeeded")


async def test_what_came_by_bank_transfer_is_not_looked_for_in_the_till(
    till: Till, ctx: RequestContext, sold: UUID
) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        await uow.session.execute(update(Payment).values(method="transfer"))
        await uow.session.execute(update(Order).values(payment_mode="transfer"))
    lot = await a_part_used(till, sold)
    assert await give(till, ctx, asked(lot, 200)) == Refunded(200, by_hand_minor=200)
    [item] = await till.open_items(sold)
    said = open_item_sentence(item)
    assert "Please send back £2.00 of what they transferred." in said
    assert "You refunded unused credits" in said
    assert "on site" not in said
    of_place = OpenItem(kind=item.kind, facts={**item.facts, "of_place": True})
    assert "given back for a place of order" in open_item_sentence(of_place)
    assert "of what they transferred" in open_item_sentence(of_place)


async def from_the_orders_page(
    till: Till, ctx: RequestContext, order_id: UUID, amount_minor: int, *, as_voucher: bool = False
) -> None:
    (payment,) = await till.payments(order_id)
    cmd = RefundByHand(
        order_id=order_id, payment_id=payment.id, amount_minor=amount_minor, token=str(new_id())
    )
    give = refund_as_voucher if as_voucher else refund_by_hand
    async with till.services.uow_factory(till.business.id) as uow:
        await give(uow, ctx, cmd)


@pytest.mark.parametrize("as_voucher", [False, True])
async def test_from_the_orders_page_goes_no_more_than_unused_credits_leave_free(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot, as_voucher: bool
) -> None:
    for amount_minor in (601, PAID):
        with pytest.raises(InvalidInput) as refused:
            await from_the_orders_page(till, ctx, sold, amount_minor, as_voucher=as_voucher)
        assert "At most £6.00 can go back here" in refused.value.fields["amount"]
    assert await till.refunds(sold) == []
    await from_the_orders_page(till, ctx, sold, 600, as_voucher=as_voucher)
    with pytest.raises(InvalidInput):
        await from_the_orders_page(till, ctx, sold, 1, as_voucher=as_voucher)
    assert await give(till, ctx, asked(lot)) == Refunded(1400)
    assert await now_is(till, lot) == (0, 1400, LotState.REFUNDED)


async def test_a_failed_refund_of_the_order_is_not_tried_again_for_credits_that_came_back(
    till: Till, ctx: RequestContext, sold: UUID
) -> None:
    lot = await a_part_used(till, sold, credits=1)
    await from_the_orders_page(till, ctx, sold, 1800)
    await refuse(till)
    await till.work()
    [refund] = await till.refunds(sold)
    async with till.services.uow_factory(till.business.id) as uow:
        found = await lock_lot(uow, lot.id)
        await write_entry(uow, found, EntryKind.RESTORE, 1, SYSTEM)
    with pytest.raises(InvalidInput):
        await retry(till, refund.id)
    assert [one.state for one in await till.refunds(sold)] == ["failed"]


@pytest.mark.parametrize(
    ("amount", "left"), [(600, 7), (699, 7), (700, 6), (1300, 3), (1999, 0), (2000, 0)]
)
async def test_a_refund_in_the_dashboard_takes_the_credits_that_nothing_covers_any_more(
    till: Till, sold: UUID, lot: CreditLot, amount: int, left: int
) -> None:
    (payment,) = await till.payments(sold)
    intent = payment.payment_intent_id
    await till.stripe.turn("refund_from_dashboard", payment=intent, amount=amount)
    for _ in range(2):
        await take_refunds_of(till.services, till.business.id, intent)
    assert (await now_is(till, lot))[0] == left


async def in_the_dashboard(till: Till, payment: Payment, **more: int) -> None:
    """Refunded in the processor's dashboard, and we hear of it."""
    intent = payment.payment_intent_id
    await till.stripe.turn("refund_from_dashboard", payment=intent, **more)
    await take_refunds_of(till.services, till.business.id, intent)


async def test_what_is_worth_nothing_by_its_rule_leaves_too_once_nothing_is_kept(
    till: Till, sold: UUID
) -> None:
    """Eight were used of ten at 2.50 singly, so that the rest is worth nothing of the 20.00."""
    rule = {"refund_rule": "claw_back", "single_minor": 250}
    lot = await a_part_used(till, sold, credits=2, **rule)
    (payment,) = await till.payments(sold)
    for amount, left in ((PAID - 1, 2), (1, 0)):
        await in_the_dashboard(till, payment, amount=amount)
        assert (await now_is(till, lot))[0] == left


@pytest.mark.parametrize("unused", [7, 10])
async def test_ours_that_gave_way_to_the_dashboard_leaves_no_credits_behind(
    till: Till, ctx: RequestContext, sold: UUID, unused: int
) -> None:
    lot = await a_part_used(till, sold, credits=unused)
    await give(till, ctx, asked(lot, PAID * unused // 10, seen=unused))
    (payment,) = await till.payments(sold)
    await till.stripe.turn("refund_from_dashboard", payment=payment.payment_intent_id)
    await till.work()
    states = {(one.cause, one.state) for one in await till.refunds(sold)}
    assert states == {("credits", "failed"), ("processor", "succeeded")}
    assert await now_is(till, lot) == (0, PAID, LotState.REFUNDED)


Outcome = Literal["won", "lost"] | None
OUTCOMES: list[tuple[Outcome, int]] = [(None, 9), ("lost", 2), ("lost", 2)]


async def test_a_dispute_that_is_lost_takes_what_is_unused_of_what_was_paid_for(
    till: Till, ctx: RequestContext, sold: UUID
) -> None:
    lot = await a_part_used(till, sold)
    await add(till, ctx, lot, 2)
    (payment,) = await till.payments(sold)
    for outcome, left in OUTCOMES:
        await dispute(till, sold, payment.id, PAID, outcome)
        assert (await now_is(till, lot))[0] == left


async def test_what_leaves_with_money_turns_no_added_credit_into_one_that_was_paid(
    till: Till, ctx: RequestContext, sold: UUID
) -> None:
    """Of ten for 20.00 half is lost, then 4.00 go back; the five that were added stay."""
    lot = await a_part_used(till, sold, credits=10)
    await add(till, ctx, lot, 5)
    (payment,) = await till.payments(sold)
    await dispute(till, sold, payment.id, 1000)
    assert (await now_is(till, lot))[0] == 5 + 5
    await in_the_dashboard(till, payment, amount=400)
    assert (await now_is(till, lot))[0] == 3 + 5


async def add(till: Till, ctx: RequestContext, lot: CreditLot, number: int) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        cmd = ChangeNumber(lot_id=lot.id, number=number, reason="Sorry", token=new_id())
        await add_credits(uow, ctx, cmd)


async def test_a_lost_dispute_of_what_was_paid_twice_leaves_the_credits(
    till: Till, sold: UUID, lot: CreditLot
) -> None:
    """The first payment stands, and bought them."""
    await dispute(till, sold, await paid_twice(till, sold), PAID)
    assert (await now_is(till, lot))[0] == 7


async def paid_twice(till: Till, order_id: UUID) -> UUID:
    """Another payment of what is paid already. Returns its id."""
    payment_id = new_id()
    async with till.services.uow_factory(till.business.id) as uow:
        uow.session.add(
            Payment(
                tenant_id=uow.tenant,
                id=payment_id,
                order_id=order_id,
                account_id=till.account_id,
                payment_intent_id="pi_twice",
                page_id=None,
                amount_minor=PAID,
                fee_minor=0,
                refunded_minor=0,
                currency="GBP",
                is_extra=True,
                method="card",
                received_at=uow.clock.now(),
            )
        )
    return payment_id


async def test_a_lost_dispute_of_a_part_leaves_what_the_rest_has_paid(
    till: Till, sold: UUID, lot: CreditLot
) -> None:
    """The bank keeps 6.00 of 20.00: what is left covers the seven, as with a refund of as much."""
    (payment,) = await till.payments(sold)
    await dispute(till, sold, payment.id, 600)
    assert (await now_is(till, lot))[0] == 7


async def dispute(
    till: Till, order_id: UUID, payment_id: UUID, minor: int, outcome: Outcome = "lost"
) -> None:
    news = Dispute(
        id="dp_1", payment_intent_id="pi", amount_minor=minor, currency="GBP", outcome=outcome
    )
    async with till.services.uow_factory(till.business.id) as uow:
        await take_dispute_news(uow, payment_id, order_id, "R", news)


@pytest.mark.parametrize("by", ["hand", "dashboard"])
async def test_extending_brings_no_credit_back_whose_money_went(
    till: Till, ctx: RequestContext, sold: UUID, by: str
) -> None:
    """All went back once they had ended; then somebody extends them."""
    ends_at = till.clock.now()
    ended = await a_part_used(till, sold, expires_at=ends_at)
    till.clock.advance(timedelta(days=1))
    (payment,) = await till.payments(sold)
    if by == "hand":
        cmd = RefundByHand(order_id=sold, payment_id=payment.id, amount_minor=PAID, token="once")
        async with till.services.uow_factory(till.business.id) as uow:
            await refund_by_hand(uow, ctx, cmd)
    else:
        async with till.services.uow_factory(till.business.id) as uow:
            await forfeit_ended(uow, 10)
        await in_the_dashboard(till, payment)
    async with till.services.uow_factory(till.business.id) as uow:
        await change_end(uow, ctx, ended.id, None, "Was ill", new_id())
    assert (await now_is(till, ended))[0] == 0


async def test_a_refund_that_fails_because_the_bank_took_the_money_brings_no_credits_back(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    """Asked for, then the dispute is lost, and the processor refuses the refund."""
    await give(till, ctx, asked(lot))
    (payment,) = await till.payments(sold)
    await dispute(till, sold, payment.id, PAID)
    await refuse(till)
    await till.work()
    assert {one.state for one in await till.refunds(sold)} == {"failed"}
    assert (await now_is(till, lot))[0] == 0


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "seatline.po").write_text(IN_GERMAN)
    monkeypatch.setattr(i18n, "LOCALES_DIRECTORY", tmp_path)
    i18n._translations.cache_clear()
    i18n.available_locales.cache_clear()
    yield
    i18n._translations.cache_clear()
    i18n.available_locales.cache_clear()


@pytest.mark.usefixtures("german")
async def test_a_lost_dispute_stands_in_the_ledger_in_the_buyers_language(
    till: Till, sold: UUID
) -> None:
    lot = await a_part_used(till, sold)
    (payment,) = await till.payments(sold)
    news = Dispute(
        id="dp_1",
        payment_intent_id=payment.payment_intent_id,
        amount_minor=PAID,
        currency="GBP",
        outcome="lost",
    )
    async with till.services.uow_factory(till.business.id) as uow:
        order = await uow.session.get_one(Order, (uow.tenant, sold))
        order.locale = "de"
        await take_dispute_news(uow, payment.id, sold, "R", news)
    async with till.services.uow_factory(till.business.id) as uow:
        reasons = await uow.session.scalars(
            select(CreditEntry.reason).where(CreditEntry.lot_id == lot.id)
        )
        assert "Die Bank hat die Zahlung zurückgeholt." in reasons.all()


async def test_anothers_credits_are_not_there(
    till: Till, ctx: RequestContext, lot: CreditLot
) -> None:
    factory = till.services.uow_factory
    rival = await make_business(factory, till.clock.now(), "rival")
    with pytest.raises(NotFound):
        async with factory(rival.id) as uow:
            await refund_credits(uow, ctx, asked(lot))
