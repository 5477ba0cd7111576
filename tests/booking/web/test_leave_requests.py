"""A guest asks to leave a whole course; staff see it, and accept or decline with words."""

import re
from contextlib import suppress
from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.commands.by_staff import mark_paid_on_site
from src.booking.commands.cancel import cancel_purchase, undo_cancellation
from src.booking.commands.leave_requests import ask_to_leave
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import LeaveRequest, Session
from src.platform.errors import Conflict
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Customer
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import as_owner, send, send_again
from tests.booking.web.test_guest_leaving import a_paid_course, refunds, taken
from tests.booking.web.test_guest_page import own_page
from tests.booking.web.test_held_places import words_of
from tests.support.builders import a_business, a_member
from tests.support.clock import FrozenClock
from tests.support.gaps import a_course
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of
from tests.support.work import work_through
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def asked(shop: Shop, reason: str = "We move away.") -> LeaveRequest:
    own = await own_page(shop)
    page = await shop.guest.open(f"{own}/leave")
    assert "The business decides about leaving a whole course." in page.text
    (form,) = [form for form in forms_of(page) if form.action.endswith("/ask-to-leave")]
    for _press in range(2):
        sent = await shop.guest.client.post(form.action, data={**form.fields, "reason": reason})
        assert sent.status_code == 303, sent.text
    again = await shop.guest.open(f"{own}/leave")
    assert "The business answers by mail." in again.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        return (await uow.session.scalars(select(LeaveRequest))).one()


@pytest.mark.slow
async def test_staff_accept_by_cancelling_the_purchase(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    term = await a_paid_course(shop)
    assert "You asked on" not in (await shop.guest.open(await own_page(shop))).text
    request = await asked(shop)
    assert await taken(shop) == [1, 1, 1], "asking frees nothing"
    own = await shop.guest.open(await own_page(shop))
    assert "to leave the whole course. The business answers by mail;" in own.text
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    today = await client.get("/app/lotus/today")
    assert "Carl Guest asks to leave Yoga · Spring term." in today.text
    buyers = await client.get(f"/app/lotus/series/{term.series.id}/buyers")
    assert f"/leave-requests/{request.id}" in buyers.text
    page = await client.get(f"/app/lotus/leave-requests/{request.id}")
    assert "We move away." in page.text
    for words in ("Dates to come", "Received", "€60.00", "Back by their terms now", "#guest-may"):
        assert words in page.text, words
    cancel = f"/app/lotus/bookings/{request.booking_id}/cancel"
    assert cancel in page.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == term.sessions[2].id).values(title="Class 3")
        )
    before = (await client.get(cancel)).text
    assert "“We move away.”" in before
    assert "Class 3</span>" in before
    sent = await send(client, cancel, {"reason": "As you asked.", "money": "nothing"})
    assert sent.status_code == 303
    shown = await client.get(f"/app/lotus/leave-requests/{request.id}")
    assert "The purchase is being cancelled." in shown.text, "it can still be undone"
    assert "asks to leave" not in (await client.get("/app/lotus/today")).text
    mailer.sent.clear()
    await work_through(shop.services, clock, shop.business.id, timedelta(minutes=1))
    [mail] = [mail for mail in mailer.sent if mail.subject.startswith("Cancelled")]
    assert "You asked to leave, and Lotus has agreed." in mail.body
    assert "As you asked." in mail.body


@pytest.mark.slow
async def test_the_money_is_that_of_the_whole_purchase(
    client: AsyncClient, services: Services
) -> None:
    """What completes the course has an order of its own."""
    lotus = await a_business(services.uow_factory)
    terms = LeavingTerms(tiers=(Tier(before=24, percent=100),), whole_course=False)
    course = await a_course(services, lotus, leaving=terms.document())
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    await as_owner(client, services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, course.bought.order_id)
        request_id = await ask_to_leave(uow, course.bought.order_id, "")

    async def said() -> str:
        page = (await client.get(f"/app/lotus/leave-requests/{request_id}")).text
        words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        return words[words.index("Received") : words.index("What the guest may do")]

    unpaid = "Received €40.00 To pay on site €20.00 Of that, falls away if you accept €20.00"
    assert await said() == f"{unpaid} Back by their terms now €40.00 "
    async with services.uow_factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, made.order_id)
    assert await said() == "Received €60.00 Back by their terms now €60.00 "


@pytest.mark.slow
async def test_asking_is_told_once_to_the_guest_and_to_those_who_decide(
    shop: Shop, mailer: RememberingMailer
) -> None:
    await a_paid_course(shop)
    factory = shop.services.uow_factory
    await a_member(factory, shop.business, "Mo", Role.MANAGER)
    await a_member(factory, shop.business, "Ivan", Role.INSTRUCTOR)
    await shop.work()
    mailer.sent.clear()
    request = await asked(shop)
    await shop.work()
    told = {mail.to[0]: mail for mail in mailer.sent}
    assert len(mailer.sent) == len(told) == 3
    guest = next(mail for to, mail in told.items() if "carl@example.com" in to)
    assert guest.subject == "Your request to leave: Yoga · Spring term"
    assert "You wrote: We move away." in guest.body
    assert "Until then you keep your place on all dates." in guest.body
    staff = [mail for mail in told.values() if mail is not guest]
    assert {mail.subject for mail in staff} == {"Carl Guest asks to leave Yoga · Spring term"}
    for mail in staff:
        assert f"/app/lotus/leave-requests/{request.id}" in mail.body
    assert any(to.startswith("Mo ") for to in told)


async def test_taking_the_cancelling_back_has_the_guest_ask_again(shop: Shop) -> None:
    await a_paid_course(shop)
    request = await asked(shop)
    client = shop.guest.client
    async with shop.services.uow_factory(shop.business.id) as uow:
        cancellation_id = await cancel_purchase(
            uow, shop.business.ctx, request.booking_id, reason="", undo_seconds=30
        )
    own = await own_page(shop)
    assert "The business answers by mail." not in (await shop.guest.open(f"{own}/leave")).text
    for _twice in range(2):
        with suppress(Conflict):
            async with shop.services.uow_factory(shop.business.id) as uow:
                await undo_cancellation(uow, shop.business.ctx, cancellation_id)
    assert "The business answers by mail." in (await shop.guest.open(f"{own}/leave")).text
    await sign_in(client, shop.services, shop.business.owner.id)
    assert "Carl Guest asks to leave" in (await client.get("/app/lotus/today")).text


@pytest.mark.parametrize("answer", ["Please stay.", " "])
async def test_who_declines_what_a_colleague_has_accepted_reads_that_nothing_was_done(
    shop: Shop, answer: str
) -> None:
    await a_paid_course(shop)
    request = await asked(shop)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    open_page = await client.get(f"/app/lotus/leave-requests/{request.id}")
    async with shop.services.uow_factory(shop.business.id) as uow:
        await cancel_purchase(
            uow, shop.business.ctx, request.booking_id, reason="", undo_seconds=30
        )
    path = f"/app/lotus/leave-requests/{request.id}"
    answered = await send_again(client, path, open_page, {"answer": answer})
    page = await client.get(answered.headers["location"])
    assert "This had been decided already, so nothing was done." in page.text
    assert "The purchase is being cancelled." in page.text


@pytest.mark.slow
async def test_declined_the_guest_reads_why_keeps_the_course_and_may_ask_again(
    shop: Shop, mailer: RememberingMailer
) -> None:
    await a_paid_course(shop)
    request = await asked(shop)
    await shop.work()
    mailer.sent.clear()
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    path = f"/app/lotus/leave-requests/{request.id}"
    silent = await send(client, path, {"answer": " "})
    assert silent.status_code == 422
    assert "Please tell the guest why." in silent.text
    too_long = await send(client, path, {"answer": "x" * 501})
    assert too_long.status_code == 422
    open_page = await client.get(path)
    sent = await send(client, path, {"answer": "The term has begun."})
    assert sent.status_code == 303
    (form,) = [form for form in forms_of(open_page) if "answer" in form.fields]
    twice = await client.post(path, data={**form.fields, "answer": "No."})
    assert twice.status_code == 303
    assert "nothing was done" in (await client.get(path)).text
    await shop.work()
    [mail] = mailer.sent
    assert mail.subject == "Your course stays booked: Yoga · Spring term"
    assert "The term has begun." in mail.body
    assert await taken(shop) == [1, 1, 1]
    assert await refunds(shop) == []
    booking = words_of(await shop.guest.open(await own_page(shop)))
    assert "the business has declined it The term has begun." in booking
    own = await shop.guest.open(f"{await own_page(shop)}/leave")
    assert "The business has declined it" in own.text
    assert "The term has begun." in own.text
    assert [form for form in forms_of(own) if form.action.endswith("/ask-to-leave")]
    async with shop.services.uow_factory(shop.business.id) as uow:
        customer_id = await uow.session.scalar(select(Customer.id))
    told = words_of(await client.get(f"/app/lotus/customers/{customer_id}"))
    line = told[told.index("Asked to leave a course; declined: The term has begun.") :]
    assert line.index(f" · {shop.business.owner.name} ") < line.index("Asks to leave a course")
    assert told.count("The term has begun.") == 1, "it is told once"


async def test_a_reason_too_long_is_refused_and_kept(shop: Shop) -> None:
    await a_paid_course(shop)
    page = await shop.guest.open(f"{await own_page(shop)}/leave")
    (form,) = [form for form in forms_of(page) if form.action.endswith("/ask-to-leave")]
    words = "x" * 501
    sent = await shop.guest.client.post(form.action, data={**form.fields, "reason": words})
    assert sent.status_code == 422
    assert words in sent.text
