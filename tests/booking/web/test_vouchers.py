"""Members look after vouchers: list, ledger, what they can do, and refunds of and as vouchers."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import fail_refund, get_refund, retry_refund
from src.billing.models import Order, Payment, Refund
from src.tenants.models import AuditEntry, MailWording
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import paid_by_card
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import as_owner, send, send_again
from tests.booking.web.test_guest_vouchers import DORA, buys, pays, the_voucher
from tests.support.builders import a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.coupons import lose_coupons
from tests.support.mail import RememberingMailer
from tests.support.vouchers import CODE, a_voucher, ledger, on_it, sells_vouchers

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/vouchers"


@pytest.fixture
async def olive(shop: Shop) -> httpx.AsyncClient:
    await as_owner(shop.guest.client, shop.services, shop.business)
    return shop.guest.client


async def audited(shop: Shop) -> list[str]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        return [one for one in found if one.startswith(("voucher.", "order."))]


async def test_the_list_shows_a_code_by_its_end_and_finds_by_it(
    shop: Shop, olive: httpx.AsyncClient
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    assert "No voucher yet" in (await olive.get(HOME)).text
    await a_voucher(factory, lotus, recipient_name="Dora")
    await a_voucher(factory, lotus, code="GGGG-HHHH-JJJJ-KKKK", minor=700, state="blocked")
    shown = (await olive.get(HOME)).text
    assert "•••• BCDF" in shown
    assert CODE not in shown
    assert "€50.00" in shown
    for query, found in (
        ("q=bcdf", True),
        ("q=dora", True),
        ("q=kkkk", False),
        ("state=blocked", False),
        ("state=active", True),
        ("state=expired", False),
        ("state=nonsense", True),
        ("q=%25", False),
    ):
        assert ("•••• BCDF" in (await olive.get(f"{HOME}?{query}")).text) is found, query
    exported = await send(olive, HOME, {}, to=f"{HOME}/export")
    assert "•••• BCDF,Active,Bought online" in exported.text
    assert "50.00,50.00,EUR" in exported.text
    assert CODE not in exported.text


@pytest.mark.slow
async def test_a_member_blocks_changes_and_extends_one(
    shop: Shop, olive: httpx.AsyncClient
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    voucher = await a_voucher(factory, lotus)
    here = f"{HOME}/{voucher.id}"
    assert CODE in (await olive.get(here)).text
    for on in ("1", "1", "0"):
        await send(olive, here, {"on": on}, to=f"{here}/blocked")
    await send(
        olive, here, {"way": "take", "amount": "12.50", "reason": "Paid out"}, to=f"{here}/adjust"
    )
    await send(olive, here, {"way": "add", "amount": "1", "reason": "Sorry"}, to=f"{here}/adjust")
    assert await on_it(factory, lotus) == 3850
    assert (await ledger(factory, lotus))[1:] == [("adjust", -1250), ("adjust", 100)]
    shown = (await olive.get(here)).text
    assert "Paid out" in shown
    assert "Olive" in shown
    for typed, field in (
        ({"way": "take", "amount": "38.51", "reason": "x"}, "amount"),
        ({"way": "take", "amount": "0", "reason": "x"}, "amount"),
        ({"way": "add", "amount": "1", "reason": " "}, "reason"),
        ({"way": "add", "amount": "99999999999", "reason": "x"}, "amount"),
        ({"way": "add", "amount": "1000000", "reason": "x"}, "amount"),
        ({"way": "add", "amount": "961.51", "reason": "x"}, "amount"),
    ):
        refused = await send(olive, here, typed, to=f"{here}/adjust")
        assert refused.status_code == 422
        assert f'id="f-{field}-error"' in refused.text, typed
    assert "Not more than €1,000.00 can be on it." in refused.text
    refused = await send(olive, here, {"last_on": "2020-01-01"}, to=f"{here}/extend")
    assert refused.status_code == 422
    assert await audited(shop) == [
        "voucher.blocked",
        "voucher.unblocked",
        "voucher.adjusted",
        "voucher.adjusted",
    ]


async def test_one_that_has_expired_is_good_again_once_it_is_extended(
    shop: Shop, olive: httpx.AsyncClient, clock: FrozenClock
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    voucher = await a_voucher(factory, lotus, expires_at=shop.services.clock.now())
    here = f"{HOME}/{voucher.id}"
    clock.advance(timedelta(days=1))
    assert "Expired" in (await olive.get(here)).text
    await send(olive, here, {"last_on": "2028-12-31"}, to=f"{here}/extend")
    shown = (await olive.get(here)).text
    assert "Active" in shown
    assert "2028" in shown


@pytest.mark.slow
async def test_it_is_sold_by_hand_and_sent_again(
    shop: Shop, olive: httpx.AsyncClient, mailer: RememberingMailer
) -> None:
    typed = {"amount": "30", "name": "Bea", "email": "bea@example.com"}
    answer = await send(olive, f"{HOME}/new", typed)
    again = await send(olive, f"{HOME}/new", {**typed, "token": "same"})
    same = await send(olive, f"{HOME}/new", {**typed, "token": "same"})
    assert again.headers["location"] == same.headers["location"] != answer.headers["location"]
    await shop.work()
    assert [mail.to for mail in mailer.sent] == [["Bea <bea@example.com>"]] * 2
    here = answer.headers["location"]
    for _press in range(2):
        await send(olive, here, {}, to=f"{here}/send")
    await shop.work()
    assert len(mailer.sent) == 4
    async with shop.services.uow_factory(shop.business.id) as uow:
        paid = list(await uow.session.scalars(select(Payment.method)))
    assert paid == ["on_site", "on_site"]


async def test_one_that_is_not_paid_waits_for_its_order_to_be_marked(
    shop: Shop, olive: httpx.AsyncClient
) -> None:
    typed = {"amount": "30", "name": "Bea", "is_paid": []}
    answer = await send(olive, f"{HOME}/new", typed)
    voucher = await the_voucher(shop)
    assert (voucher.state, voucher.balance_minor) == ("pending", 0)
    assert "It is not paid yet" in (await olive.get(answer.headers["location"])).text
    order = f"/app/lotus/orders/{voucher.order_id}"
    assert "Voucher for €30.00" in (await olive.get(order)).text
    await send(olive, order, {}, to=f"{order}/paid")
    voucher = await the_voucher(shop)
    assert (voucher.state, voucher.balance_minor) == ("active", 3000)


async def test_what_guests_can_buy_is_said_in_the_settings(
    shop: Shop, olive: httpx.AsyncClient
) -> None:
    typed = {"is_on": "on", "amounts": "20; 40", "least": "", "most": "", "valid_months": "12"}
    saved = await send(olive, f"{HOME}/settings", typed)
    assert saved.status_code == 303
    shown = (await olive.get("/b/lotus/vouchers")).text
    assert "€40.00" in shown
    assert "Another amount" not in shown
    for wrong, field in (
        ({"amounts": "twenty"}, "amounts"),
        ({"amounts": ""}, "amounts"),
        ({"amounts": "0.10"}, "amounts"),
        ({"least": "10"}, "most"),
        ({"least": "10", "most": "5"}, "most"),
        ({"valid_months": "-1"}, "valid_months"),
        ({"valid_months": "9999"}, "valid_months"),
    ):
        refused = await send(olive, f"{HOME}/settings", {**typed, **wrong})
        assert refused.status_code == 422
        assert f'id="f-{field}-error"' in refused.text, wrong
    assert await audited(shop) == ["voucher.settings_changed"]


async def test_without_the_plan_none_are_sold_and_those_out_stay_good(
    shop: Shop, olive: httpx.AsyncClient
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    await sells_vouchers(factory, lotus)
    await a_voucher(factory, lotus, minor=6000)
    term = await a_series(factory, await a_service(factory, lotus))
    await lose_coupons(factory, lotus)
    assert "No new vouchers can be sold" in (await olive.get(HOME)).text
    assert "cannot be bought here at present" in (await olive.get("/b/lotus/vouchers")).text
    assert (await olive.get(f"{HOME}/new")).status_code == 402
    made = await booked(factory, shop.business, a_wish("series", term.series.id, coupon=CODE))
    assert not made.needs_payment


async def refund_page(shop: Shop, olive: httpx.AsyncClient, order: Any) -> httpx.Response:
    async with shop.services.uow_factory(shop.business.id) as uow:
        payment = await uow.session.scalar(select(Payment.id).where(Payment.order_id == order))
    return await olive.get(f"/app/lotus/orders/{order}/refund?payment={payment}")


async def refunded(shop: Shop, olive: httpx.AsyncClient, order: Any, **typed: Any) -> Any:
    shown = await refund_page(shop, olive, order)
    return await send_again(olive, f"/app/lotus/orders/{order}/refund", shown, typed)


@pytest.mark.slow
async def test_a_card_payment_goes_back_as_a_new_voucher_where_that_is_chosen(
    shop: Shop, olive: httpx.AsyncClient, mailer: RememberingMailer
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    service = await a_service(factory, lotus, price_type="on_site")
    term = await a_series(factory, service, price_type="on_site")
    made = await booked(factory, shop.business, a_wish("series", term.series.id))
    await paid_by_card(shop.services, shop.business, made)
    await shop.work()
    mailer.sent.clear()
    answer = await refunded(
        shop, olive, made.order_id, amount="20", back_as="voucher", token="once"
    )
    assert answer.status_code == 303
    await refunded(shop, olive, made.order_id, amount="20", back_as="voucher", token="once")
    voucher = await the_voucher(shop)
    assert (voucher.source, voucher.state, voucher.balance_minor) == ("refund", "active", 2000)
    assert voucher.customer_id == made.order.customer_id
    await shop.work()
    assert [mail.to for mail in mailer.sent] == [["Carl <carl@example.com>"]], "one mail, not two"
    assert voucher.code in mailer.sent[0].body
    async with factory(lotus) as uow:
        order = await uow.session.get_one(Order, (lotus, made.order_id))
        assert (order.paid_minor, order.refunded_minor) == (6000, 2000)
    refused = await refunded(shop, olive, made.order_id, amount="40.01", back_as="voucher")
    assert refused.status_code == 422
    assert 'id="f-amount-error"' in refused.text
    assert "On a voucher" in (await olive.get(f"/app/lotus/orders/{made.order_id}")).text


@pytest.mark.slow
async def test_what_bought_a_voucher_goes_back_only_with_what_is_on_it(
    shop: Shop, olive: httpx.AsyncClient
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    await sells_vouchers(factory, lotus)
    await pays(shop, await buys(shop, amount="5000", **DORA))
    voucher = await the_voucher(shop)
    term = await a_series(factory, await a_service(factory, lotus), price_minor=2000)
    await booked(factory, shop.business, a_wish("series", term.series.id, coupon=voucher.code))
    refused = await refunded(shop, olive, voucher.order_id, amount="30.01")
    assert refused.status_code == 422
    assert "Only €30.00 is left on the voucher" in refused.text
    shown = await refund_page(shop, olive, voucher.order_id)
    for _press in range(2):
        to = f"/app/lotus/orders/{voucher.order_id}/refund"
        answer = await send_again(olive, to, shown, {"amount": "30"})
        assert answer.status_code == 303, "nothing is left on it by the second, which is no reason"
    assert await on_it(factory, lotus, voucher.code) == 0
    async with factory(lotus) as uow:
        refund = (await uow.session.scalars(select(Refund))).one()
        order = await lock_order(uow, refund.order_id)
        await fail_refund(uow, order, refund, "declined")
    assert await on_it(factory, lotus, voucher.code) == 3000, "it failed: all is as before"
    async with factory(lotus) as uow:
        order = await lock_order(uow, refund.order_id)
        await retry_refund(uow, order, await get_refund(uow, refund.id))
    assert await on_it(factory, lotus, voucher.code) == 0


async def test_a_voucher_payment_goes_back_to_it_by_hand_too(
    shop: Shop, olive: httpx.AsyncClient, mailer: RememberingMailer
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    await a_voucher(factory, lotus, minor=6000)
    term = await a_series(factory, await a_service(factory, lotus))
    made = await booked(factory, shop.business, a_wish("series", term.series.id, coupon=CODE))
    await shop.work()
    mailer.sent.clear()
    assert (await refunded(shop, olive, made.order_id, amount="15")).status_code == 303
    await shop.work()
    assert await on_it(factory, lotus) == 1500
    assert mailer.sent[0].subject == "€15.00 is on your voucher again"
    assert "€15.00 is on the voucher again that you paid with." in mailer.sent[0].body
    page = (await olive.get(f"/app/lotus/orders/{made.order_id}")).text
    assert "€60.00 paid by voucher" in page
    assert "€15.00 went on a voucher" in page


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{amount} is on its way to your card.", "€15.00 is on the voucher again"),
        ("{amount}: {way} Bye.", "that you paid with. Bye."),
    ],
    ids=["words of before there were vouchers", "words that tell the way"],
)
async def test_own_words_say_of_no_card_what_goes_to_a_voucher(
    shop: Shop, olive: httpx.AsyncClient, mailer: RememberingMailer, body: str, said: str
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business.id
    await a_voucher(factory, lotus, minor=6000)
    term = await a_series(factory, await a_service(factory, lotus))
    made = await booked(factory, shop.business, a_wish("series", term.series.id, coupon=CODE))
    async with factory(lotus) as uow:
        own = MailWording(tenant_id=lotus, kind="refunded", locale="en", subject="Back", body=body)
        own.changed_at = uow.clock.now()
        uow.session.add(own)
    await shop.work()
    mailer.sent.clear()
    await refunded(shop, olive, made.order_id, amount="15")
    await shop.work()
    assert said in mailer.sent[0].body
    assert "card" not in mailer.sent[0].body
