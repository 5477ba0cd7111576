import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import PaymentMode
from src.billing.queries.orders import PAGE_SIZE
from src.billing.settlement import settle_page
from src.platform.mail.queue import Mail, queue_mail
from src.tenants.domain.roles import Role
from tests.billing.support import a_line
from tests.billing.web.conftest import Desk
from tests.support.builders import a_business, a_member

pytestmark = pytest.mark.anyio


async def sold(desk: Desk) -> UUID:
    order_id, session_id = await desk.till.order_with_page()
    await desk.till.pay(session_id)
    page_id = await desk.till.page_id(order_id)
    await settle_page(desk.till.services, desk.business.id, page_id)
    return order_id


async def confirmed(desk: Desk, **changes: object) -> UUID:
    """An order that needs no payment page."""
    return await desk.till.order(**{"payment_mode": PaymentMode.ON_SITE, **changes})


async def reference(desk: Desk, order_id: UUID) -> str:
    return (await desk.till.state(order_id)).reference


async def test_an_empty_list_says_what_will_be_there(desk: Desk) -> None:
    await desk.visitor.open("/app/harbour/orders")
    assert "No orders yet" in desk.visitor.text
    await desk.visitor.open("/app/harbour/orders?state=attention")
    assert "All is well" in desk.visitor.text


async def test_the_list_shows_orders_and_the_months_money(desk: Desk) -> None:
    paid = await sold(desk)
    on_site = await confirmed(desk, lines=(a_line(unit_minor=500), a_line(description="Mat")))
    await desk.visitor.open("/app/harbour/orders")
    text = desk.visitor.text
    assert await reference(desk, paid) in text
    assert await reference(desk, on_site) in text
    assert "and 1 more" in text
    assert "£20.00" in text
    assert "£25.00" in text
    assert "To pay on site: £25.00" in text
    assert "for the orders of March" in text


async def test_the_list_is_in_the_order_of_the_times_it_shows(desk: Desk) -> None:
    """A row that was made later may be of an earlier time: imported, or by a clock that lags."""
    desk.till.places.left = 200
    made = [await confirmed(desk) for _ in range(PAGE_SIZE + 1)]
    last = await reference(desk, made[-1])
    async with desk.till.services.uow_factory(desk.business.id) as uow:
        await uow.session.execute(
            text("UPDATE orders SET created_at = created_at - interval '1 day' WHERE id = :id"),
            {"id": made[-1]},
        )
    page = await desk.visitor.open("/app/harbour/orders")
    assert last not in page.text
    page = await desk.visitor.open(link(page.text, "next"))
    assert last in page.text
    page = await desk.visitor.open(link(page.text, "prev"))
    assert last not in page.text
    assert await reference(desk, made[0]) in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("anna", True),
        ("ANNA@", True),
        ("anna berg", True),
        ("berg anna", True),
        ("nobody", False),
        ("%", False),
        ("_", False),
    ],
)
async def test_orders_are_found_by_name_and_mail(desk: Desk, query: str, found: bool) -> None:
    order_id = await confirmed(desk, guest_name="Anna Berg", guest_email="anna@example.com")
    await desk.visitor.open(f"/app/harbour/orders?q={query.replace('%', '%25')}")
    assert (await reference(desk, order_id) in desk.visitor.text) is found


async def test_orders_are_found_by_reference_however_it_is_typed(desk: Desk) -> None:
    order_id, other = await confirmed(desk), await confirmed(desk)
    wanted, unwanted = await reference(desk, order_id), await reference(desk, other)
    for typed in (wanted, wanted.lower(), wanted.replace("-", ""), wanted[:6]):
        await desk.visitor.open(f"/app/harbour/orders?q={typed}")
        assert wanted in desk.visitor.text
        assert unwanted not in desk.visitor.text


async def test_the_list_is_filtered_by_state(desk: Desk) -> None:
    waiting, _session = await desk.till.order_with_page()
    done = await confirmed(desk)
    await desk.visitor.open("/app/harbour/orders?state=open")
    assert await reference(desk, waiting) in desk.visitor.text
    assert await reference(desk, done) not in desk.visitor.text
    tab = re.compile(r"Waiting for payment\s*<span[^>]*>\s*1\s*<")
    assert tab.search((await desk.visitor.open("/app/harbour/orders")).text), "how many there are"
    await desk.visitor.open("/app/harbour/orders?state=nonsense")
    assert await reference(desk, done) in desk.visitor.text


async def test_pages_lead_on_and_back(desk: Desk) -> None:
    desk.till.places.left = 200
    orders = [await confirmed(desk) for _ in range(PAGE_SIZE + 1)]
    first, last = await reference(desk, orders[0]), await reference(desk, orders[-1])
    page = await desk.visitor.open("/app/harbour/orders")
    assert last in page.text
    assert first not in page.text
    assert 'rel="prev"' not in page.text
    page = await desk.visitor.open(link(page.text, "next"))
    assert first in page.text
    assert last not in page.text
    assert 'rel="next"' not in page.text
    page = await desk.visitor.open(link(page.text, "prev"))
    assert last in page.text


def link(html: str, rel: str) -> str:
    tag = html[html.index(f'rel="{rel}"') :]
    return tag[tag.index('href="') + 6 :].split('"')[0].replace("&amp;", "&")


async def test_an_order_shows_all_about_its_money(desk: Desk) -> None:
    order_id = await sold(desk)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    text = desk.visitor.text
    for expected in ("Evening Yoga, 6 dates", "£20.00", "Carl Guest", "pi_", "cs_", "Confirmed"):
        assert expected in text


async def test_an_open_order_says_until_when_it_is_held(desk: Desk) -> None:
    order_id, _session = await desk.till.order_with_page()
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert "held until" in desk.visitor.text


async def test_money_taken_on_site_is_marked_once(desk: Desk) -> None:
    order_id = await confirmed(desk)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    await desk.visitor.submit(to="/paid")
    assert "Marked £20.00 as paid." in desk.visitor.text
    order = await desk.till.state(order_id)
    assert order.paid_minor == 2000
    (payment,) = await desk.till.payments(order_id)
    assert payment.method == "on_site"
    assert "/paid" not in desk.visitor.text
    assert "Olive" in desk.visitor.text


@pytest.mark.slow
async def test_a_payment_goes_back_by_hand_once_a_form(desk: Desk) -> None:
    order_id = await sold(desk)
    (payment,) = await desk.till.payments(order_id)
    form = f"/app/harbour/orders/{order_id}/refund?payment={payment.id}"
    await desk.visitor.open(form)
    assert "carl@guests.example gets a mail" in desk.visitor.text
    assert "1 place stays booked. To free it, cancel the booking instead." in desk.visitor.text
    shown = desk.visitor.page
    for _ in range(2):
        desk.visitor.page = shown
        await desk.visitor.submit({"amount": "20.00"}, to="/refund")
    assert "On its way back" in desk.visitor.text
    await desk.till.work()
    assert (
        "On its way back" not in (await desk.visitor.open(f"/app/harbour/orders/{order_id}")).text
    )
    assert desk.visitor.text.count("Refund of £20.00 asked for") == 1
    assert "Asked for a refund" not in desk.visitor.text
    assert "decided by the business" not in desk.visitor.text
    (refund,) = await desk.till.refunds(order_id)
    assert (refund.amount_minor, refund.state, refund.cause) == (2000, "succeeded", "staff")
    desk.till.places.states[order_id] = "free"
    await desk.visitor.open(form)
    assert "Nothing of this payment is left" in desk.visitor.text
    assert "No place of it is still to come" in desk.visitor.text


@pytest.mark.parametrize("typed", ["20.01", "0", "", "many", "-5", "1.234"])
async def test_an_amount_that_cannot_go_back_is_refused_at_its_field(
    desk: Desk, typed: str
) -> None:
    order_id = await sold(desk)
    (payment,) = await desk.till.payments(order_id)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}/refund?payment={payment.id}")
    await desk.visitor.submit({"amount": typed}, to="/refund", status=422)
    assert 'id="f-amount-error"' in desk.visitor.text
    assert await desk.till.refunds(order_id) == []


async def balance_is_too_low(desk: Desk) -> None:
    """For the next refund that is asked for."""
    await desk.till.stripe.turn(
        "api_faults",
        kind="refuse",
        path_contains="refunds",
        method="POST",
        error={"code": "balance_insufficient", "message": "Insufficient funds in the balance."},
    )


@pytest.mark.slow
async def test_a_failed_refund_is_seen_and_tried_again(desk: Desk) -> None:
    order_id = await sold(desk)
    (payment,) = await desk.till.payments(order_id)
    await balance_is_too_low(desk)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}/refund?payment={payment.id}")
    await desk.visitor.submit({"amount": "5"}, to="/refund")
    await desk.till.work()
    await desk.visitor.open("/app/harbour/orders?state=attention")
    assert await reference(desk, order_id) in desk.visitor.text
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert "Your balance at Stripe was too low." in desk.visitor.text
    assert "Insufficient funds" not in desk.visitor.text
    went_wrong = "The refund of £5.00 did not go through"
    assert desk.visitor.text.count(went_wrong) == 1
    await balance_is_too_low(desk)
    await desk.visitor.submit(to="/retry")
    await desk.till.work()
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert desk.visitor.text.count(went_wrong) == 2, "the history keeps each try"
    await desk.visitor.submit(to="/retry")
    await desk.till.work()
    (refund,) = await desk.till.refunds(order_id)
    assert (refund.state, refund.attempt) == ("succeeded", 3)
    assert await desk.till.open_items(order_id) == []
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert desk.visitor.text.count(went_wrong) == 2
    assert "£5.00 went back" in desk.visitor.text


@pytest.mark.slow
async def test_an_order_with_two_failed_refunds_is_one_that_needs_attention(desk: Desk) -> None:
    order_id = await sold(desk)
    (payment,) = await desk.till.payments(order_id)
    form = f"/app/harbour/orders/{order_id}/refund?payment={payment.id}"
    for amount in ("5", "6"):
        await balance_is_too_low(desk)
        await desk.visitor.open(form)
        boxes: dict[str, object] = {"instead": []} if amount == "6" else {}
        await desk.visitor.submit({"amount": amount, **boxes}, to="/refund")
        await desk.till.work()
    assert len(await desk.till.open_items(order_id)) == 2
    await desk.visitor.open("/app/harbour/orders?state=attention")
    [tab] = re.findall(r"Needs attention\s*<span[^>]*>(\d+)<", desk.visitor.text)
    assert tab == "1"
    assert desk.visitor.text.count("Refund failed") == 1


@pytest.mark.slow
async def test_what_goes_back_instead_of_a_failed_refund_ends_its_tries(desk: Desk) -> None:
    order_id = await sold(desk)
    (payment,) = await desk.till.payments(order_id)
    await balance_is_too_low(desk)
    form = f"/app/harbour/orders/{order_id}/refund?payment={payment.id}"
    await desk.visitor.open(form)
    assert "that failed" not in desk.visitor.text
    await desk.visitor.submit({"amount": "5"}, to="/refund")
    await desk.till.work()
    await desk.visitor.open(form)
    assert "It goes back instead of the refund of £5.00 that failed" in desk.visitor.text
    await desk.visitor.submit({"amount": "4"}, to="/refund", status=422)
    assert "It is less than the £5.00 that failed." in desk.visitor.text
    assert 'id="f-amount-error"' in desk.visitor.text
    await desk.visitor.submit({"amount": "5"}, to="/refund")
    await desk.till.work()
    assert await desk.till.open_items(order_id) == []
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert "Settled otherwise" in desk.visitor.text
    assert "/retry" not in desk.visitor.text


@pytest.mark.slow
async def test_a_failed_refund_of_more_than_is_left_leads_to_what_is_left(desk: Desk) -> None:
    """Beside it so much went back that another try could only be refused."""
    order_id = await sold(desk)
    (payment,) = await desk.till.payments(order_id)
    form = f"/app/harbour/orders/{order_id}/refund?payment={payment.id}"
    await balance_is_too_low(desk)
    await desk.visitor.open(form)
    await desk.visitor.submit({"amount": "5"}, to="/refund")
    await desk.till.work()
    most = payment.amount_minor - 400
    await desk.visitor.open(form)
    await desk.visitor.submit({"amount": f"{most / 100:.2f}", "instead": []}, to="/refund")
    await desk.till.work()
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert "At most £4.00 is left to go back" in desk.visitor.text
    assert "/retry" not in desk.visitor.text
    await desk.visitor.open(form)
    await desk.visitor.submit({"amount": "4", "instead": []}, to="/refund")
    await desk.till.work()
    assert await desk.till.open_items(order_id) == []


async def test_a_wrong_sum_can_be_given_back_from_its_item(desk: Desk) -> None:
    order_id, session_id = await desk.till.order_with_page()
    async with desk.till.services.uow_factory(desk.business.id) as uow:
        (await lock_order(uow, order_id)).total_minor = 2500
    await desk.till.pay(session_id)
    await settle_page(desk.till.services, desk.business.id, await desk.till.page_id(order_id))
    page = await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert "Give it back" in page.text
    (payment,) = await desk.till.payments(order_id)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}/refund?payment={payment.id}")
    await desk.visitor.submit(to="/refund")
    assert await desk.till.open_items(order_id) == []


async def test_an_item_dealt_with_elsewhere_is_closed(desk: Desk) -> None:
    order_id, _session = await desk.till.order_with_page()
    await desk.till.stripe.turn("deauthorize", account=desk.till.account_id)
    desk.till.clock.advance(timedelta(minutes=33))
    await settle_page(desk.till.services, desk.business.id, await desk.till.page_id(order_id))
    [item] = await desk.till.open_items(order_id)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}/items/{item.id}/close")
    await desk.visitor.submit(to="/close")
    assert await desk.till.open_items(order_id) == []


async def test_instructors_see_no_money(desk: Desk) -> None:
    ivan = await a_member(desk.till.services.uow_factory, desk.business, "Ivan", Role.INSTRUCTOR)
    await desk.enter(ivan.user_id)
    await desk.visitor.open("/app/harbour/orders", status=403)


async def test_another_businesss_order_is_not_there(desk: Desk) -> None:
    order_id = await sold(desk)
    (payment,) = await desk.till.payments(order_id)
    other = await a_business(desk.till.services.uow_factory, "quay", owner="Eve")
    await desk.enter(other.owner.id)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}", status=404)
    await desk.visitor.open(f"/app/quay/orders/{order_id}", status=404)
    await desk.visitor.open(f"/app/quay/orders/{order_id}/refund?payment={payment.id}", status=404)


@pytest.mark.parametrize(("state", "is_told"), [("refused", True), ("in doubt", True), ("", False)])
async def test_a_mail_that_did_not_arrive_is_told_on_the_order(
    desk: Desk, state: str, is_told: bool
) -> None:
    order_id = await sold(desk)
    order = await desk.till.state(order_id)
    async with desk.till.services.uow_factory(desk.business.id) as uow:
        mail = Mail(
            kind="confirmed",
            to_address=order.guest_email,
            subject="Hi",
            text="Hello",
            html="<p>Hello</p>",
            dedupe_key="confirmed",
        )
        await queue_mail(uow, mail, host="seatline.example")
        answer = {"answer": state or None}
        await uow.session.execute(text("UPDATE mails SET refused = :answer"), answer)
    await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert ("did not arrive" in desk.visitor.text) is is_told
