from typing import Any

import pytest

from src.sandbox.stripe import Running
from tests.sandbox.stripe.conftest import Shop

pytestmark = pytest.mark.anyio

DECLINED = "4000 0000 0000 0002"
SECURE = "4000 0000 0000 3220"


async def test_the_page_shows_what_is_paid_to_whom(shop: Shop) -> None:
    session = await shop.open_page(customer_email="anna@example.com")
    page = await shop.running.http.get(session.url)
    assert page.status_code == 200
    for told in ("Yoga Loft", "Yoga for beginners", "€50.00", "2 × €25.00", "anna@example.com"):
        assert told in page.text
    assert "4242 4242 4242 4242" in page.text
    assert 'href="http://127.0.0.1/back"' in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text


async def test_the_policy_lets_the_form_end_at_the_business_only(shop: Shop) -> None:
    session = await shop.open_page(success_url="https://book.example/ok")
    page = await shop.running.http.get(session.url)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1 https://book.example;" in policy


async def test_paying_leads_back_with_the_session_s_id(shop: Shop) -> None:
    session = await shop.open_page()
    done = await shop.submit(session.url, name="Anna")
    assert done.status_code == 303
    assert done.headers["location"] == f"http://127.0.0.1/paid?session={session.id}"
    found = await shop.session(session.id)
    assert found.payment_status == "paid"
    assert (found.customer_details.email, found.customer_details.name) == (
        "guest@example.com",
        "Anna",
    )
    again = await shop.submit(session.url)
    assert "This payment is complete" in again.text
    assert (await shop.events()).count("charge.succeeded") == 1


async def test_a_decline_stays_on_the_page_and_another_card_works(shop: Shop) -> None:
    session = await shop.open_page()
    declined = await shop.submit(session.url, number=DECLINED, email="anna@example.com")
    assert declined.status_code == 402
    assert 'role="alert"' in declined.text
    assert "Your card was declined." in declined.text
    assert "anna@example.com" in declined.text
    assert (await shop.session(session.id)).status == "open"
    assert (await shop.submit(session.url)).status_code == 303


async def test_a_test_card_is_chosen_without_paying(shop: Shop) -> None:
    session = await shop.open_page()
    chosen = await shop.submit(session.url, choose="4000000000009995", email="anna@example.com")
    assert chosen.status_code == 200
    assert 'value="4000 0000 0000 9995"' in chosen.text
    assert 'value="anna@example.com"' in chosen.text
    assert (await shop.session(session.id)).payment_intent is None


async def test_a_wrong_form_keeps_what_was_typed(shop: Shop) -> None:
    session = await shop.open_page()
    wrong = await shop.submit(session.url, email="anna", number="1234", name="Ann<a>")
    assert wrong.status_code == 422
    assert "Enter an e-mail address" in wrong.text
    assert "This is no test card" in wrong.text
    assert 'value="Ann&lt;a&gt;"' in wrong.text


async def test_the_address_of_the_business_s_choice_stays(shop: Shop) -> None:
    session = await shop.open_page(customer_email="anna@example.com")
    await shop.submit(session.url, email="eve@example.com")
    assert (await shop.session(session.id)).customer_details.email == "anna@example.com"


async def test_3ds_asks_and_approval_pays(shop: Shop) -> None:
    session = await shop.open_page()
    asked = await shop.submit(session.url, number=SECURE, email="anna@example.com")
    assert asked.headers["location"] == f"{session.url}/authenticate"
    question = await shop.running.http.get(asked.headers["location"])
    assert "Approve the payment" in question.text
    failed = await shop.running.http.post(f"{session.url}/authenticate", data={"decision": "fail"})
    assert failed.status_code == 402
    assert "We are unable to authenticate" in failed.text
    await shop.submit(session.url, number=SECURE, email="anna@example.com")
    done = await shop.running.http.post(f"{session.url}/authenticate", data={"decision": "approve"})
    assert done.status_code == 303
    found = await shop.session(session.id)
    assert (found.payment_status, found.customer_details.email) == ("paid", "anna@example.com")


async def test_the_bank_is_not_asked_without_a_payment(shop: Shop) -> None:
    session = await shop.open_page()
    url = f"{session.url}/authenticate"
    assert (await shop.running.http.get(url)).headers["location"] == session.url
    answered = await shop.running.http.post(url, data={"decision": "approve"})
    assert (await shop.session(session.id)).payment_status == "unpaid"
    assert "This payment is complete" not in answered.text


async def test_a_slow_method_can_be_chosen(shop: Shop) -> None:
    session = await shop.open_page(allowed_payment_method_types=["card", "sepa_debit"])
    assert "SEPA Direct Debit" in (await shop.running.http.get(session.url)).text
    done = await shop.submit(session.url, method="sepa_debit")
    assert done.status_code == 303
    assert "Your payment is on its way" in (await shop.running.http.get(session.url)).text


async def test_an_expired_page_says_so(shop: Shop) -> None:
    session = await shop.open_page()
    await shop.running.turn("clock", advance_seconds=25 * 3600)
    page = await shop.running.http.get(session.url)
    assert "This payment page has expired" in page.text
    assert 'href="http://127.0.0.1/back"' in page.text
    paid = await shop.submit(session.url)
    assert "This payment page has expired" in paid.text
    assert (await shop.session(session.id)).payment_status == "unpaid"


@pytest.mark.parametrize("path", ["/c/pay/cs_none", "/c/pay/cs_none/authenticate"])
async def test_a_page_that_never_was_is_a_404(running: Running, path: str) -> None:
    for answer in (await running.http.get(path), await running.http.post(path)):
        assert answer.status_code == 404
        assert "There is no such page" in answer.text


async def test_the_style_is_a_file_of_its_own(running: Running) -> None:
    css = await running.http.get("/assets/page.css")
    assert css.headers["content-type"].startswith("text/css")


async def test_the_overview_lists_payments_and_acts_on_them(shop: Shop) -> None:
    assert "Nothing yet" in (await shop.running.http.get("/")).text
    session = await shop.paid_page()
    slow = await shop.open_page(allowed_payment_method_types=["sepa_debit"])
    await shop.running.turn("pay", session=slow.id, method="sepa_debit")
    page = await shop.running.http.get("/")
    assert "Yoga for beginners" in page.text
    assert "waiting for the bank" in page.text
    for act, of in (("refund", session), ("arrive", slow), ("dispute", slow)):
        done = await shop.running.http.post(f"/acts/{act}", data={"session": of.id})
        assert done.status_code == 303, done.text
    page = await shop.running.http.get("/")
    assert "refunded" in page.text
    assert "disputed" in page.text
    refused = await shop.running.http.post("/acts/refund", data={"session": session.id})
    assert refused.status_code == 422
    assert "has already been refunded" in refused.text
    missing = await shop.running.http.post("/acts/refund", data={"session": "cs_none"})
    assert missing.status_code == 404


async def test_the_overview_tells_of_each_refund_what_became_of_it(shop: Shop) -> None:
    session = await shop.paid_page()
    for amount, status in ((300, "failed"), (400, "pending"), (500, "succeeded")):
        await shop.running.turn("refund_status", status=status, times=1)
        wish: Any = {"payment_intent": session.payment_intent.id, "amount": amount}
        await shop.client.v1.refunds.create_async(wish, shop.on)
    text = (await shop.running.http.get("/")).text
    told = ["Refund of €3.00: failed", "€4.00: on its way", "€5.00: gone back"]
    assert sorted(told, key=text.index) == told


async def test_the_overview_decides_a_dispute_once(shop: Shop) -> None:
    won, lost = await shop.paid_page(), await shop.paid_page()
    for session, act, state in ((won, "win", "won"), (lost, "lose", "lost")):
        data = {"session": session.id}
        too_soon = await shop.running.http.post(f"/acts/{act}", data=data)
        assert too_soon.status_code == 422
        await shop.running.http.post("/acts/dispute", data=data)
        assert f"/acts/{act}" in (await shop.running.http.get("/")).text
        done = await shop.running.http.post(f"/acts/{act}", data=data)
        assert done.status_code == 303
        page = await shop.running.http.get("/")
        assert f"dispute {state}" in page.text
        assert f"/acts/{act}" not in page.text
    assert (await shop.events()).count("charge.dispute.closed") == 2


async def test_the_page_offers_the_cards_that_go_wrong_later(shop: Shop) -> None:
    session = await shop.open_page()
    page = await shop.running.http.get(session.url)
    for last4 in ("7726", "5126", "0259"):
        assert f"•••• {last4}" in page.text


async def test_a_wallet_can_be_chosen_and_pays_at_once(shop: Shop) -> None:
    session = await shop.open_page(allowed_payment_method_types=["card", "paypal", "ideal", "blik"])
    assert session.payment_method_types == ["card", "paypal", "ideal"]
    shown = await shop.running.http.get(session.url)
    assert "PayPal" in shown.text
    assert "decided days later" not in shown.text
    done = await shop.submit(session.url, method="ideal")
    assert done.status_code == 303
