"""The date that completes a purchase is paid for when that is cancelled, or its place is gone."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.billing.checkout import ensure_payment_page
from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import OrderState
from src.booking.commands.book import Booked
from src.booking.commands.leave_requests import ask_to_leave
from src.booking.models import Cancellation, Session
from src.booking.queries.party import list_people_cancelled
from src.platform.web.formats import date_range
from tests.booking.jobs.test_cancel_paid_meanwhile import (
    UNDO,
    pays,
    refunds,
    the_purchase_is_cancelled,
)
from tests.booking.web.conftest import ROOT, Shop, shop
from tests.booking.web.pages import as_owner
from tests.support.clock import FrozenClock
from tests.support.gaps import Course, a_course
from tests.support.mail import RememberingMailer
from tests.support.work import work_through

__all__ = ["shop"]
pytestmark = pytest.mark.anyio


async def at_the_payment_page(shop: Shop, made: Booked) -> Booked:
    back = f"{ROOT}/"
    await ensure_payment_page(
        shop.services, shop.business.id, made.order_id, success_url=back, cancel_url=back
    )
    return made


async def a_course_paid_by_card(shop: Shop) -> tuple[Course, Booked]:
    """Ann has paid for two dates and is at the payment page for the third."""
    course = await a_course(shop.services, shop.business, price_type="online")
    await at_the_payment_page(shop, course.bought)
    await pays(shop, course.bought.order_id)
    await course.work()
    entry_id = await course.wait()
    await course.free()
    made = await at_the_payment_page(shop, await course.take(entry_id))
    assert made.needs_payment
    assert made.total_minor == 2000
    return course, made


@pytest.mark.slow
async def test_what_is_paid_within_the_undo_window_goes_back(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    course, made = await a_course_paid_by_card(shop)
    await the_purchase_is_cancelled(shop, course.bought)
    clock.advance(timedelta(seconds=UNDO / 2))
    await pays(shop, made.order_id)
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    assert await refunds(shop) == [("not_delivered", 2000, "succeeded")]
    assert [seat.state for seat in await course.seats(made)] == ["cancelled"]
    assert await course.check() == [0, 0, 0]
    assert "€20.00 is on its way back to you" in mailer.sent[-1].body


@pytest.mark.slow
async def test_the_dates_of_both_are_told_in_the_order_of_time(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    course, made = await a_course_paid_by_card(shop)
    await pays(shop, made.order_id)
    await shop.work()
    await the_purchase_is_cancelled(shop, course.bought)
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    async with shop.services.uow_factory(shop.business.id) as uow:
        cancelled = (await uow.session.scalars(select(Cancellation.id))).one()
        people, more = await list_people_cancelled(uow, cancelled, 3)
    assert (len(people), more) == (1, 0), "one person, in two bookings"
    told = [line for line in mailer.sent[-1].body.splitlines() if line.startswith("- ")]
    zone = shop.business.tenant.zone
    dates = [date_range(one.starts_at, one.ends_at, zone) for one in course.term.sessions]
    assert told == [f"- {date}" for date in dates]


async def test_who_asked_to_leave_on_the_page_of_what_completes_it_reads_that_it_is_the_answer(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    course, made = await a_course_paid_by_card(shop)
    await pays(shop, made.order_id)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await ask_to_leave(uow, made.order_id, "We move away.")
    clock.advance(timedelta(seconds=1))
    await the_purchase_is_cancelled(shop, course.bought)
    mailer.sent.clear()
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    (mail,) = [mail for mail in mailer.sent if mail.subject.startswith("Cancelled")]
    assert "You asked to leave, and Lotus has agreed." in mail.body


@pytest.mark.slow
async def test_cancelling_what_completes_it_alone_is_no_answer_to_who_asks_to_leave_the_course(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    course, made = await a_course_paid_by_card(shop)
    await pays(shop, made.order_id)
    async with shop.services.uow_factory(shop.business.id) as uow:
        request_id = await ask_to_leave(uow, made.order_id, "We move away.")
    clock.advance(timedelta(seconds=1))
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    page = (await client.get(f"/app/lotus/leave-requests/{request_id}")).text
    assert f"/bookings/{course.bought.booking_id}/cancel" in page
    assert str(made.booking_id) not in page
    assert "€60.00" in page
    first = (await client.get(f"/app/lotus/bookings/{course.bought.booking_id}/cancel")).text
    alone = (await client.get(f"/app/lotus/bookings/{made.booking_id}/cancel")).text
    assert ["We move away." in each for each in (first, alone)] == [True, False]
    mailer.sent.clear()
    await the_purchase_is_cancelled(shop, made)
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    (mail,) = [mail for mail in mailer.sent if mail.subject.startswith("Cancelled")]
    assert "has agreed" not in mail.body
    assert "Ann asks to leave" in (await client.get("/app/lotus/today")).text
    await the_purchase_is_cancelled(shop, course.bought)
    assert "asks to leave" not in (await client.get("/app/lotus/today")).text


@pytest.mark.slow
async def test_a_hold_that_is_not_paid_ends_with_the_purchase(
    shop: Shop, clock: FrozenClock
) -> None:
    course, made = await a_course_paid_by_card(shop)
    await the_purchase_is_cancelled(shop, course.bought)
    await work_through(shop.services, clock, shop.business.id, timedelta(minutes=2))
    assert [seat.state for seat in await course.seats(made)] in (["expired"], ["cancelled"])
    assert await course.check() == [0, 0, 0]
    assert await refunds(shop) == []


async def test_what_is_paid_while_it_is_freed_is_not_delivered(
    shop: Shop, clock: FrozenClock
) -> None:
    course, made = await a_course_paid_by_card(shop)
    cancellation_id = await the_purchase_is_cancelled(shop, course.bought)
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.get_one(Cancellation, (shop.business.id, cancellation_id))
        found.state = "running"
    await pays(shop, made.order_id)
    assert [seat.state for seat in await course.seats(made)] == ["cancelled"]
    await course.work()
    assert await refunds(shop) == [("not_delivered", 2000, "succeeded")]


async def its_hold_has_ended(shop: Shop, made: Booked) -> None:
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, made.order_id)
        await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", uow.clock.now())


@pytest.mark.parametrize("which", ["the course", "what completes it"])
async def test_what_is_paid_late_for_what_was_cancelled_goes_back(
    shop: Shop, clock: FrozenClock, which: str
) -> None:
    course, made = await a_course_paid_by_card(shop)
    cancellation_id = await the_purchase_is_cancelled(
        shop, course.bought if which == "the course" else made
    )
    await its_hold_has_ended(shop, made)
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.get_one(Cancellation, (shop.business.id, cancellation_id))
        found.state = "done"
    await pays(shop, made.order_id)
    await course.work()
    assert [seat.state for seat in await course.seats(made)] == ["expired"]
    assert await refunds(shop) == [("too_late", 2000, "succeeded")]


async def test_what_is_paid_late_for_somebody_who_is_there_by_now_goes_back(shop: Shop) -> None:
    course, made = await a_course_paid_by_card(shop)
    await its_hold_has_ended(shop, made)
    again = await course.take(await course.wait())
    assert again.order_id != made.order_id
    async with shop.services.uow_factory(shop.business.id) as uow:
        session = await uow.session.get_one(Session, (shop.business.id, course.missing))
        session.capacity += 1
    await pays(shop, made.order_id)
    await course.work()
    assert [seat.state for seat in await course.seats(made)] == ["expired"]
    assert [seat.state for seat in await course.seats(again)] == ["held"]
    assert await refunds(shop) == [("too_late", 2000, "succeeded")]
    assert await course.check() == [1, 1, 1]
