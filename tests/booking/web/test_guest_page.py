"""The page of one booking, in every state that it can be in."""

import re
from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import Engine, event, select, update
from sqlalchemy.util import await_only

from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import request_refunds
from src.billing.domain.kinds import OrderState, RefundCause
from src.billing.models import Order, Payment, PaymentPage
from src.billing.settlement import settle_page
from src.booking.commands.cancel import cancel_session
from src.booking.commands.readdress import correct_customer
from src.booking.guest_links import booking_path
from src.booking.models import Seat, Service, Session
from src.booking.queries.guest_bookings import get_guest_booking
from src.tenants.commands.customer_care import CustomerDetails
from src.tenants.models import Tenant
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.web.conftest import Shop, change, subject
from tests.booking.web.test_readdress import link_in
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


async def own_page(shop: Shop) -> str:
    """The address of the newest booking's page."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await uow.session.scalar(select(Order).order_by(Order.id.desc()).limit(1))
    assert order is not None
    return booking_path(shop.services.settings, "lotus", order)


async def a_held_term(shop: Shop, **term: Any) -> str:
    """A guest's hold on a paid series of three; returns the payment page."""
    service = await a_service(shop.services.uow_factory, shop.business.id)
    made = await a_series(shop.services.uow_factory, service, **term)
    sent = await shop.book(subject("series", made.series.id))
    return str(sent.headers["location"])


async def test_held_it_counts_down_and_leads_back_to_the_same_payment_page(shop: Shop) -> None:
    payment = await a_held_term(shop)
    page = await shop.guest.open(await own_page(shop))
    assert "Your place is held" in page.text
    assert "data-countdown" in page.text
    assert page.headers["cache-control"] == "private, no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    (form,) = [form for form in forms_of(page) if form.action.endswith("/pay")]
    again = await shop.guest.client.post(form.action, data=form.fields)
    assert again.headers["location"] == payment


async def test_given_up_the_seats_are_free_at_once(shop: Shop) -> None:
    await a_held_term(shop)
    await shop.guest.open(await own_page(shop))
    page = await shop.guest.submit(to="/give-up")
    assert "You gave the place up" in page.text
    assert page.text.count("Released") == 3, "each of its dates"
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert set(await uow.session.scalars(select(Session.seats_taken))) == {0}


async def test_giving_up_while_the_processor_is_silent_stays_on_the_own_page(shop: Shop) -> None:
    await a_held_term(shop)
    await shop.guest.open(await own_page(shop))
    await shop.stripe.turn("api_faults", kind="error_500_before", times=20)
    page = await shop.guest.submit(to="/give-up")
    assert page.status_code == 200
    assert "The payment service does not answer." in page.text
    assert "/give-up" in page.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert set(await uow.session.scalars(select(Session.seats_taken))) == {1}


async def test_giving_up_what_was_paid_meanwhile_confirms_it(shop: Shop) -> None:
    payment = await a_held_term(shop)
    await shop.guest.open(await own_page(shop))
    await shop.pay(payment)
    page = await shop.guest.submit(to="/give-up")
    assert "It has been paid meanwhile, so nothing was given up. You are booked." in page.text


async def test_back_from_paying_it_asks_when_nobody_has_told_us(shop: Shop) -> None:
    payment = await a_held_term(shop)
    await shop.pay(payment)
    page = await shop.guest.open(f"{await own_page(shop)}?paid=1")
    assert "You are booked" in page.text
    assert "€60.00" in page.text
    assert page.text.count("<time") == 3


async def test_a_payment_that_commits_while_the_booking_is_read_did_not_come_too_late(
    shop: Shop,
) -> None:
    await shop.pay(await a_held_term(shop))
    async with shop.services.uow_factory(shop.business.id) as uow:
        page_id = await uow.session.scalar(select(PaymentPage.id))
        order_id = await uow.session.scalar(select(Order.id))
    assert order_id is not None
    read: list[str] = []

    def settle_between(*execution: Any) -> None:
        """Before the second statement that reads the order or its payments."""
        statement = execution[2]
        if "FROM orders" in statement or "FROM payments" in statement:
            read.append(statement)
            if len(read) == 2:
                await_only(settle_page(shop.services, shop.business.id, page_id))

    event.listen(Engine, "before_cursor_execute", settle_between)
    try:
        async with shop.services.uow_factory(shop.business.id) as uow:
            tenant = await tenant_snapshot(uow, shop.business.id, uow.clock.now())
            view = await get_guest_booking(
                uow, tenant, shop.services.settings, order_id, has_paid=True
            )
    finally:
        event.remove(Engine, "before_cursor_execute", settle_between)
    assert len(read) > 2
    assert view.stage == "confirmed"


@pytest.mark.slow
async def test_back_from_paying_after_the_address_was_corrected_one_is_thanked_and_shown_nothing(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    """The payment page leads back to the link that was current when it was made."""
    service = await a_service(shop.services.uow_factory, shop.business.id)
    session = await a_session(shop.services.uow_factory, service)
    anna = await a_customer(shop.services.uow_factory, shop.business)
    asked = for_anna("session", session.id, anna, pays="link")
    made = await by_staff(shop.services.uow_factory, shop.business, asked)
    await shop.work()
    former = link_in(mailer.sent[-1].body)
    page = await shop.guest.open(former)
    (form,) = [form for form in forms_of(page) if form.action.endswith("/pay")]
    await shop.guest.client.post(form.action, data=form.fields)
    details = CustomerDetails(name="Anna", email="anna@example.org")
    async with shop.services.uow_factory(shop.business.id) as uow:
        await correct_customer(uow, shop.business.ctx, anna, details, readdress=True)
    await shop.work()
    page = await shop.guest.open(link_in(mailer.sent[-1].body))
    (form,) = [form for form in forms_of(page) if form.action.endswith("/pay")]
    payment = await shop.guest.client.post(form.action, data=form.fields)
    await shop.pay(payment.headers["location"])
    async with shop.services.uow_factory(shop.business.id) as uow:
        [body] = await uow.session.scalars(select(PaymentPage.body))
    assert body["success_url"].endswith(f"{former}?paid=1")
    await change(shop, Tenant, status="suspended")
    page = await shop.guest.open(f"{former}?paid=1")
    assert "has been corrected meanwhile" in page.text
    assert made.order.reference not in page.text
    assert "/bookings/" not in page.text
    await shop.work()
    assert mailer.sent[-1].to == ["Anna <anna@example.org>"]
    page = await shop.guest.open(link_in(mailer.sent[-1].body))
    assert "You are booked" in page.text
    await shop.guest.open(former, status=410)
    clock.advance(timedelta(hours=2))
    await shop.guest.open(f"{former}?paid=1", status=410)


async def test_a_former_link_uses_up_no_checks_of_the_right_one(shop: Shop) -> None:
    payment = await a_held_term(shop)
    former = f"{await own_page(shop)}?paid=1"
    await change(shop, Order, link_version=1)
    for _turn in range(12):
        assert "once it is paid" in (await shop.guest.open(former)).text
    await shop.pay(payment)
    page = await shop.guest.open(f"{await own_page(shop)}?paid=1")
    assert "You are booked" in page.text


async def test_back_too_early_it_waits_and_renews_itself(shop: Shop) -> None:
    await a_held_term(shop)
    path = f"{await own_page(shop)}?paid=1"
    page = await shop.guest.open(path)
    assert "We are waiting for your payment" in page.text
    assert "every 3s" in page.text
    part = await shop.guest.client.get(path, headers={"hx-request": "true"})
    assert "<html" not in part.text
    assert "hx-refresh" not in part.headers


async def test_once_paid_the_waiting_page_is_told_to_load_anew(shop: Shop) -> None:
    payment = await a_held_term(shop)
    path = f"{await own_page(shop)}?paid=1"
    await shop.pay(payment)
    part = await shop.guest.client.get(path, headers={"hx-request": "true"})
    assert part.headers["hx-refresh"] == "true"


async def test_a_processor_that_is_away_does_not_break_the_page(shop: Shop) -> None:
    await a_held_term(shop)
    await shop.stripe.turn("api_faults", kind="error_500_before", times=20)
    page = await shop.guest.open(f"{await own_page(shop)}?paid=1")
    assert "We are waiting for your payment" in page.text


async def test_when_the_time_to_pay_is_over_it_says_so(shop: Shop, clock: FrozenClock) -> None:
    await a_held_term(shop)
    clock.advance(timedelta(minutes=32))
    page = await shop.guest.open(await own_page(shop))
    assert "The time to pay is over" in page.text
    assert "/pay" not in page.text


async def paid_in_vain(shop: Shop, state: OrderState, why: str, **payment: Any) -> str:
    """The guest pays, and by the time we hear of it the order has ended; returns the own page."""
    await shop.pay(await a_held_term(shop, capacity=1))
    async with shop.services.uow_factory(shop.business.id) as uow:
        order_id = await uow.session.scalar(select(Order.id))
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, state, why, uow.clock.now())
    await change(shop, Session, seats_taken=1)
    if payment:
        await change(shop, Order, **payment)
    await settle(shop)
    return await own_page(shop)


async def settle(shop: Shop) -> None:
    """As the processor's word about the only payment page does."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        page_id = await uow.session.scalar(select(PaymentPage.id))
    assert page_id is not None
    await settle_page(shop.services, shop.business.id, page_id)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "why", "words"),
    [
        (OrderState.EXPIRED, "not_paid", "The places were gone by then."),
        (OrderState.CANCELLED, "given_up", "You had given the places up before it came."),
        (OrderState.CANCELLED, "cancelled", "What you booked had been cancelled before it came."),
    ],
)
async def test_a_payment_that_came_too_late_says_why_and_that_it_goes_back(
    shop: Shop, state: OrderState, why: str, words: str
) -> None:
    path = await paid_in_vain(shop, state, why)
    page = await shop.guest.open(path)
    assert "Your payment came too late" in page.text
    assert words in page.text
    assert "We are sending your money back in full." in page.text
    await change(shop, Payment, refunded_minor=0)
    page = await shop.guest.open(f"{path}?paid=1")
    assert "Your money has not gone back yet" in page.text
    assert f'hx-get="{path}"' in page.text, "it looks again"
    part = await shop.guest.client.get(path, headers={"hx-request": "true"})
    assert "hx-get" not in part.text, "once"
    assert "hx-refresh" not in part.headers
    await change(shop, Payment, refunded_minor=Payment.amount_minor)
    await shop.work()
    page = await shop.guest.open(path)
    assert "We have sent your money back in full." in page.text
    assert "Paid back" in page.text


async def test_money_that_is_back_and_money_on_its_way_are_told_apart(shop: Shop) -> None:
    await shop.pay(await a_held_term(shop))
    path = await own_page(shop)
    await shop.guest.open(f"{path}?paid=1")
    for amount_minor, key in ((1000, "first"), (700, "second")):
        async with shop.services.uow_factory(shop.business.id) as uow:
            found = await uow.session.scalar(select(Order.id))
            assert found is not None
            order = await lock_order(uow, found)
            await request_refunds(uow, order, amount_minor, cause=RefundCause.STAFF, cause_key=key)
        if key == "first":
            await shop.work()
    text = " ".join((await shop.guest.open(path)).text.split())
    assert re.search(r"On its way back to you</dt>\s*<dd[^>]*>\s*€7\.00", text)
    assert re.search(r"Paid back</dt>\s*<dd[^>]*>\s*€10\.00", text)


async def test_a_late_payment_that_could_not_go_back_is_not_said_to_have(shop: Shop) -> None:
    path = await paid_in_vain(shop, OrderState.EXPIRED, "not_paid")
    await shop.stripe.turn(
        "api_faults", kind="refuse", path_contains="refunds", error={"message": "No money."}
    )
    await shop.work()
    page = await shop.guest.open(path)
    assert "Your money has not gone back yet" in page.text
    assert "in full" not in page.text


@pytest.mark.parametrize("other", [{"total_minor": 7000}, {"currency": "USD"}])
async def test_a_payment_that_did_not_fit_is_not_said_to_have_gone_back(
    shop: Shop, other: dict[str, Any]
) -> None:
    path = await paid_in_vain(shop, OrderState.EXPIRED, "not_paid", **other)
    page = await shop.guest.open(path)
    assert "Your payment did not fit" in page.text
    assert "Your money has not gone back yet" in page.text
    assert "in full" not in page.text


async def test_cancelled_dates_are_struck_out_and_the_rest_stands(shop: Shop) -> None:
    payment = await a_held_term(shop)
    await shop.pay(payment)
    path = await own_page(shop)
    await shop.guest.open(f"{path}?paid=1")
    async with shop.services.uow_factory(shop.business.id) as uow:
        first = await uow.session.scalar(select(Seat.id).order_by(Seat.id).limit(1))
        await uow.session.execute(update(Seat).where(Seat.id == first).values(state="cancelled"))
    page = await shop.guest.open(path)
    assert "You are booked" in page.text
    assert page.text.count("line-through") == 1
    await change(shop, Seat, state="cancelled")
    assert "This booking is cancelled" in (await shop.guest.open(path)).text


async def test_in_the_undo_window_no_guest_reads_of_a_cancellation(shop: Shop) -> None:
    await shop.pay(await a_held_term(shop, join_policy="any_time"))
    path = await own_page(shop)
    await shop.guest.open(f"{path}?paid=1")
    async with shop.services.uow_factory(shop.business.id) as uow:
        second = (await uow.session.scalars(select(Session).order_by(Session.starts_at))).all()[1]
    async with shop.services.uow_factory(shop.business.id) as uow:
        await cancel_session(uow, shop.business.ctx, second.id, reason="", undo_seconds=10)
    own = await shop.guest.open(path)
    assert "Cancelled" not in own.text
    assert "line-through" not in own.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        slug = await uow.session.scalar(select(Service.slug))
    shown = await shop.guest.open(f"/b/lotus/{slug}?how=series")
    assert "Cancelled" not in shown.text
    assert shown.text.count("Not bookable at present") == 1


async def test_the_meeting_link_is_for_those_who_are_booked(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, mode="online")
    session = await a_session(
        factory, service, mode="online", meeting_url="https://meet.example/room"
    )
    hub = await shop.guest.open("/b/lotus")
    sent = await shop.book(subject("session", session.id))
    held = await shop.guest.open(await own_page(shop))
    for page in (hub, held, await shop.guest.open(subject("session", session.id))):
        assert "meet.example" not in page.text
    await shop.pay(sent.headers["location"])
    booked = await shop.guest.open(f"{await own_page(shop)}?paid=1")
    assert "https://meet.example/room" in booked.text


async def test_the_calendar_file_has_every_date(shop: Shop) -> None:
    payment = await a_held_term(shop)
    path = await own_page(shop)
    await shop.guest.open(f"{path}/calendar.ics", 404)
    await shop.pay(payment)
    await shop.guest.open(f"{path}?paid=1")
    answer = await shop.guest.open(f"{path}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    calendar = Calendar.from_ical(answer.content)
    assert len(calendar.walk("VEVENT")) == 3


async def test_a_link_opens_its_own_booking_at_its_own_business_only(shop: Shop) -> None:
    await a_held_term(shop)
    path = await own_page(shop)
    await a_business(shop.services.uow_factory, "eve", owner="Eve")
    await shop.guest.open(path.replace("/lotus/", "/eve/"), 404)
    await shop.guest.open(path[:-2] + ("AA" if not path.endswith("AA") else "BB"), 404)
    await shop.guest.open("/b/lotus/bookings/nonsense", 404)


async def test_a_paused_business_still_shows_its_bookings(shop: Shop) -> None:
    payment = await a_held_term(shop)
    await shop.pay(payment)
    await change(shop, Tenant, status="paused")
    page = await shop.guest.open(f"{await own_page(shop)}?paid=1")
    assert "You are booked" in page.text


async def test_while_the_business_is_suspended_its_guests_see_what_they_have(shop: Shop) -> None:
    await a_held_term(shop)
    await shop.guest.open(await own_page(shop))
    (pay,) = [form for form in forms_of(shop.guest.page) if form.action.endswith("/pay")]
    await change(shop, Tenant, status="suspended", contact_email="hello@lotus.example")
    shown = await shop.guest.open(await own_page(shop))
    assert "Your place is held" in shown.text
    refused = await shop.guest.client.post(pay.action, data=pay.fields)
    assert refused.status_code == 403
    assert "Questions? Write to hello@lotus.example." in refused.text
    assert "You gave the place up" in (await shop.guest.submit(to="/give-up")).text
    await change(shop, Tenant, status="closed")
    await shop.guest.open(await own_page(shop), status=410)
