"""A guest who cannot come: consequences first, one press, and never a dead end."""

from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from icalendar import Calendar
from sqlalchemy import select, update

from src.billing.commands.by_staff import (
    RefundByHand,
    close_item_by_hand,
    mark_paid_on_site,
    refund_by_hand,
)
from src.billing.models import OpenItem, Payment, Refund
from src.booking.commands.cancel import cancel_session
from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Booking, Seat, Service, Session
from src.tenants.models import Tenant
from tests.booking.web.conftest import Shop, change, subject
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import Term, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(tiers=(Tier(before=48, percent=100), Tier(before=24, percent=50)))

PARTY = {"size": "2", "names.2": "Kid", "quoted_size": "2", "quoted_minor": "12000"}


async def a_paid_course(shop: Shop, terms: LeavingTerms = TERMS, **typed: Any) -> Term:
    """Three weekly dates for EUR 60 a person, paid by card."""
    service = await a_service(shop.services.uow_factory, shop.business.id)
    term = await a_series(shop.services.uow_factory, service, leaving=terms.document())
    sent = await shop.book(subject("series", term.series.id), **typed)
    await shop.pay(sent.headers["location"])
    await shop.guest.open(f"{await own_page(shop)}?paid=1")
    return term


async def seats_of(shop: Shop) -> list[Seat]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = Session.starts_at, Seat.id
        found = select(Seat).join(Session, Session.id == Seat.session_id).order_by(*order)
        return list(await uow.session.scalars(found))


async def refunds(shop: Shop) -> list[int]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return list(await uow.session.scalars(select(Refund.amount_minor).order_by(Refund.id)))


async def taken(shop: Shop) -> list[int]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = select(Session.seats_taken).order_by(Session.starts_at)
        return list(await uow.session.scalars(found))


async def leave_page(shop: Shop, term: Term, number: int = 0) -> httpx.Response:
    session_id = term.sessions[number].id
    return await shop.guest.open(f"{await own_page(shop)}/leave?date={session_id}")


async def press(shop: Shop, page: httpx.Response, **changes: Any) -> httpx.Response:
    """Sends the page's own form; the answer is not followed."""
    (form,) = [form for form in forms_of(page) if "/leave" in form.action]
    fields = {k: v for k, v in {**form.fields, **changes}.items() if v is not None}
    return await shop.guest.client.post(form.action, data=fields)


@pytest.mark.slow
async def test_2_29_one_date_of_a_course_is_left_and_only_its_share_goes_back(
    shop: Shop, mailer: RememberingMailer
) -> None:
    """Row 2-29, 2-23, 2-24: one date out of the course, its own share, its own capacity."""
    term = await a_paid_course(shop)
    await shop.work()
    mailer.sent.clear()
    booking = await shop.guest.open(await own_page(shop))
    assert booking.text.count("Can't make it</a>") == 3
    assert (
        "Until Sat, Mar 6, 2027, 10:00\u202fAM: all that you paid for it comes back" in booking.text
    )
    page = await leave_page(shop, term)
    assert "€20.00 goes back the way you paid" in page.text
    assert "Mon, Mar 8, 2027" in page.text
    assert "Mar 15" not in page.text, "row 2-27: exactly the date that goes, and no other"
    assert await taken(shop) == [1, 1, 1], "looking does nothing"
    sent = await press(shop, page)
    assert sent.status_code == 303
    assert sent.headers["location"] == await own_page(shop)
    assert await taken(shop) == [0, 1, 1]
    assert await refunds(shop) == [2000]
    shown = await shop.guest.open(await own_page(shop))
    assert "It is cancelled. €20.00 is on its way back to you." in shown.text
    assert shown.text.count("Can't make it</a>") == 2
    await shop.work()
    [mail] = [mail for mail in mailer.sent if "cancelled" in mail.subject.lower()]
    calendar = Calendar.from_ical(mail.attachments[0][1])
    assert (calendar["METHOD"], len(calendar.walk("VEVENT"))) == ("CANCEL", 1)
    left = await shop.guest.client.get(f"{await own_page(shop)}/calendar.ics")
    assert len(Calendar.from_ical(left.content).walk("VEVENT")) == 2


async def test_a_date_that_was_left_stays_as_it_was_known_when_others_are_moved(
    shop: Shop,
) -> None:
    term = await a_paid_course(shop)
    await press(shop, await leave_page(shop, term))
    async with shop.services.uow_factory(shop.business.id) as uow:
        session = await uow.session.get_one(Session, (shop.business.id, term.sessions[0].id))
        fields = msgspec.structs.asdict(details_of_session(session))
        for name in ("starts_at", "ends_at"):
            fields[name] += timedelta(days=3)
        cmd = UpdateSession(session_id=session.id, move_guests=True, **fields)
        await update_session(uow, shop.business.ctx, cmd)
    shown = await shop.guest.open(await own_page(shop))
    assert "Monday, March 8, 2027" in shown.text
    assert "March 11" not in shown.text


@pytest.mark.slow
async def test_a_second_press_and_a_second_tab_change_nothing(shop: Shop) -> None:
    term = await a_paid_course(shop)
    page = await leave_page(shop, term)
    assert (await press(shop, page)).status_code == 303
    assert (await press(shop, page)).status_code == 303
    assert await refunds(shop) == [2000]
    assert await taken(shop) == [0, 1, 1]
    again = await leave_page(shop, term)
    assert "You are out of it already" in again.text
    assert "Back to your booking" in again.text


async def test_only_seats_of_the_date_that_is_shown_are_left(shop: Shop) -> None:
    term = await a_paid_course(shop)
    page = await leave_page(shop, term)
    every = [f"{seat.id}:0" for seat in await seats_of(shop)]
    assert (await press(shop, page, seat=every)).status_code == 404
    assert await taken(shop) == [1, 1, 1]
    assert await refunds(shop) == []


async def test_2_22_each_person_of_the_party_leaves_alone(shop: Shop) -> None:
    """Row 2-22: a part of an order, priced by the shares it was bought at."""
    term = await a_paid_course(shop, **PARTY)
    page = await leave_page(shop, term)
    assert "Who cannot come?" in page.text
    assert "Kid" in page.text
    kid = next(seat for seat in await seats_of(shop) if f"{seat.id}:2000" in page.text)
    sent = await press(shop, page, seat=[f"{kid.id}:2000"])
    assert sent.status_code == 303
    assert await taken(shop) == [1, 2, 2]
    assert await refunds(shop) == [2000]
    shown = (await shop.guest.open(await own_page(shop))).text
    assert shown.count("1 of 2 seats") == shown.count("Coming: ") == 1
    assert "Coming: Kid" in shown, "of the date that one of them left"
    nobody = await press(shop, await leave_page(shop, term), seat=None)
    assert nobody.status_code == 422
    assert "Please say who cannot come." in nobody.text
    assert await taken(shop) == [1, 2, 2]


async def test_what_comes_back_is_said_for_those_who_are_ticked(shop: Shop) -> None:
    """What scripts ask for whenever a tick changes."""
    term = await a_paid_course(shop, **PARTY)
    page = await leave_page(shop, term)
    [form] = [form for form in forms_of(page) if "/leave" in form.action]
    seats = form.fields["seat"]
    assert 'hx-trigger="change"' in page.text
    for ticked, words in (
        (seats, "€40.00 goes back the way you paid"),
        (seats[:1], "€20.00 goes back the way you paid"),
        ([], "Tick who cannot come, and it is said here."),
    ):
        asked = {"ticked": "1", "seat": ticked}
        shown = await shop.guest.client.get(str(page.url), params={**page.url.params, **asked})
        back = shown.text.partition('id="back"')[2].partition("</form>")[0]
        assert words in back
        assert "If fewer are ticked" not in back


async def test_whoever_of_a_party_leaves_reads_what_they_alone_would_bring(shop: Shop) -> None:
    """Part of it went back before, so that both together bring less than one and one."""
    term = await a_paid_course(shop, **PARTY)
    async with shop.services.uow_factory(shop.business.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        cmd = RefundByHand(
            order_id=payment.order_id, payment_id=payment.id, amount_minor=9_500, token="t"
        )
        await refund_by_hand(uow, shop.business.ctx, cmd)
    page = await leave_page(shop, term)
    assert page.text.count("€20.00 back") == 2
    assert "€25.00 goes back the way you paid" in page.text
    assert "only the amounts beside their names" not in page.text
    [form] = [form for form in forms_of(page) if "/leave" in form.action]
    second = form.fields["seat"][1]
    assert (await press(shop, page, seat=[second])).status_code == 303
    assert await refunds(shop) == [9_500, 2_000]


async def test_the_amount_beside_whoever_of_a_party_is_ticked_is_what_was_promised(
    shop: Shop,
) -> None:
    term = await a_paid_course(shop, **PARTY)
    page = await leave_page(shop, term)
    [form] = [form for form in forms_of(page) if "/leave" in form.action]
    async with shop.services.uow_factory(shop.business.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        cmd = RefundByHand(
            order_id=payment.order_id, payment_id=payment.id, amount_minor=10_500, token="t"
        )
        await refund_by_hand(uow, shop.business.ctx, cmd)
    for chosen in (form.fields["seat"][:1], form.fields["seat"][1:], form.fields["seat"]):
        refused = await press(shop, page, seat=chosen)
        assert refused.status_code == 409
        assert "Less comes back by now." in refused.text
    assert await taken(shop) == [2, 2, 2]


async def test_what_was_paid_on_site_comes_back_by_hand_and_everybody_is_told(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="on_site")
    async with factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(leaving=TERMS.document()))
    session = await a_session(factory, service)
    await shop.book(subject("session", session.id), **{**PARTY, "quoted_minor": "3000"})
    async with factory(shop.business.id) as uow:
        order_id = (await uow.session.scalars(select(Booking.order_id))).one()
        await mark_paid_on_site(uow, shop.business.ctx, order_id)
    leave = f"{await own_page(shop)}/leave?date={session.id}"
    page = await shop.guest.open(leave)
    assert "You paid on site, so the business itself gives back €30.00." in page.text
    assert page.text.count("€15.00 back") == 2, "who ticks one reads what that one brings"
    assert "only the amounts beside their names go back" in page.text
    assert "Cancel free of charge until" not in page.text
    assert "all that you paid for it comes back" in page.text
    assert "No money comes back." not in page.text
    assert "€0.00 back" not in page.text
    kid = next(form for form in forms_of(page) if "/leave" in form.action).fields["seat"][1:]
    await press(shop, page, seat=kid)
    shown = await shop.guest.open(await own_page(shop))
    assert "It is cancelled. The business gives you €15.00 back." in shown.text
    assert "The business gives back" in shown.text
    await shop.work()
    by_hand = "The business gives you €15.00 back that you paid on site."
    assert any(by_hand in mail.body for mail in mailer.sent)
    async with factory(shop.business.id) as uow:
        item = (await uow.session.scalars(select(OpenItem))).one()
        assert (item.kind, item.facts["amount_minor"]) == ("hand_back", 1500)
        await close_item_by_hand(uow, shop.business.ctx, order_id, item.id)
        payment = (await uow.session.scalars(select(Payment))).one()
        assert (payment.amount_minor, payment.refunded_minor) == (3000, 1500)
    assert "The business gives back" not in (await shop.guest.open(await own_page(shop))).text
    assert any("Please give back €15.00" in mail.body for mail in mailer.sent), "owners are told"
    clock.advance(timedelta(days=6, hours=1))
    late = await shop.guest.open(leave)
    assert "You paid on site, so" not in late.text
    assert "It is late: the place is freed, but nothing comes back." in late.text
    assert "No money comes back." not in late.text, "once is enough"


async def test_late_it_is_said_plainly_and_frees_the_place(shop: Shop, clock: FrozenClock) -> None:
    term = await a_paid_course(shop)
    clock.advance(timedelta(days=6, hours=12))
    page = await leave_page(shop, term)
    assert "It is late: the place is freed, but nothing comes back." in page.text
    assert (await press(shop, page)).status_code == 303
    for words in ("€0.00 back", "no money comes back"):
        assert words not in page.text, "once is enough"
    assert await taken(shop) == [0, 1, 1]
    assert await refunds(shop) == []
    assert (await seats_of(shop))[0].state == "late_cancelled"


async def test_what_was_exchanged_late_is_not_called_late(shop: Shop) -> None:
    term = await a_paid_course(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Seat).values(most_percent=0))
    page = await leave_page(shop, term)
    assert "It is late" not in page.text
    told = "It was late when you exchanged your old date for this one, so its terms stay:"
    assert f"{told} the place is freed, but nothing comes back." in page.text


async def test_a_deadline_that_passes_while_the_page_is_open_asks_again(
    shop: Shop, clock: FrozenClock
) -> None:
    term = await a_paid_course(shop)
    page = await leave_page(shop, term)
    clock.advance(timedelta(days=5, seconds=1))
    refused = await press(shop, page)
    assert refused.status_code == 409
    assert "Less comes back by now." in refused.text
    assert "€10.00 goes back the way you paid" in refused.text
    assert await taken(shop) == [1, 1, 1]
    assert (await press(shop, refused)).status_code == 303
    assert await refunds(shop) == [1000]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("terms", "This date cannot be cancelled here. Please contact the business."),
        ("started", "This date has already started."),
        ("cancelling", "This is not possible just now. Please try again in a minute."),
    ],
)
async def test_a_refusal_says_why_and_whom_to_ask(
    shop: Shop, clock: FrozenClock, why: str, said: str
) -> None:
    term = await a_paid_course(shop)
    await change(shop, Tenant, contact_email="hello@lotus.example")
    page = await leave_page(shop, term)
    if why == "terms":
        await change(shop, Booking, leaving={"may_cancel": False})
    elif why == "started":
        clock.advance(timedelta(days=7, seconds=1))
    else:
        await change(shop, Session, state="cancelling")
    refused = await press(shop, page)
    assert refused.status_code == 409
    assert said in refused.text
    assert "hello@lotus.example" in refused.text
    assert "Back to your booking" in refused.text
    assert await refunds(shop) == []


@pytest.mark.slow
async def test_a_whole_course_is_left_at_once_where_the_terms_allow_it(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    terms = LeavingTerms(tiers=TERMS.tiers, whole_course=True)
    await a_paid_course(shop, terms)
    await shop.work()
    mailer.sent.clear()
    clock.advance(timedelta(days=6))  # The first date is a day away: half of it comes back.
    page = await shop.guest.open(f"{await own_page(shop)}/leave")
    assert "€50.00 goes back the way you paid" in page.text
    assert (await press(shop, page)).status_code == 303
    assert await taken(shop) == [0, 0, 0]
    assert await refunds(shop) == [5000]
    assert (await press(shop, page)).status_code == 303
    assert await refunds(shop) == [5000]
    await shop.work()
    assert len([mail for mail in mailer.sent if "Cancelled" in mail.subject]) == 1


@pytest.mark.slow
async def test_other_dates_are_spoken_of_where_there_are_any(shop: Shop) -> None:
    term = await a_paid_course(shop)
    assert "All your other dates stay." in (await leave_page(shop, term)).text
    service = await a_service(
        shop.services.uow_factory, shop.business.id, slug="once", price_type="free"
    )
    session = await a_session(shop.services.uow_factory, service)
    await shop.book(subject("session", session.id, "once"))
    alone = await shop.guest.open(f"{await own_page(shop)}/leave?date={session.id}")
    assert "All your other dates stay." not in alone.text
    assert "takes it out of your calendar." in alone.text


async def test_leaving_a_course_says_whose_places_go(shop: Shop) -> None:
    nameless = {key: value for key, value in PARTY.items() if key != "names.2"}
    await a_paid_course(shop, LeavingTerms(tiers=TERMS.tiers, whole_course=True), **nameless)
    page = await shop.guest.open(f"{await own_page(shop)}/leave")
    assert page.text.count("Person 2") == 3


async def test_where_the_terms_do_not_a_course_is_not_left_by_itself(shop: Shop) -> None:
    await a_paid_course(shop)
    own = await own_page(shop)
    assert "I want to leave the whole course" in (await shop.guest.open(own)).text
    page = await shop.guest.open(f"{own}/leave")
    (form,) = [form for form in forms_of(page) if form.action.endswith("/ask-to-leave")]
    sent = await shop.guest.client.post(f"{own}/leave", data=form.fields)
    assert sent.status_code == 409
    assert "Please ask for it." in sent.text
    assert await taken(shop) == [1, 1, 1]


async def test_what_is_paid_on_site_stays_due_when_left_late(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="on_site")
    async with factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(leaving=TERMS.document()))
    session = await a_session(factory, service)
    await shop.book(subject("session", session.id))
    page = await shop.guest.open(await own_page(shop))
    assert "Free of charge until Sun, Mar 7, 2027, 10:00" in page.text
    clock.advance(timedelta(days=6, hours=1))
    page = await shop.guest.open(f"{await own_page(shop)}/leave?date={session.id}")
    assert "€15.00 stays due." in page.text
    assert "until Sun, Mar 7" not in page.text, "that is over"
    assert (await press(shop, page)).status_code == 303
    assert await taken(shop) == [0]
    after = await shop.guest.open(await own_page(shop))
    assert "It is cancelled. €15.00 stays due." in after.text
    assert "Stays due" in after.text
    assert "To pay on site" not in after.text
    await shop.work()
    assert "It was cancelled late, so €15.00 stays due." in str(mailer.sent[-1].body)


async def test_online_dates_are_ready_for_the_readers_own_clock_wherever_they_are_decided_about(
    shop: Shop,
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(
        factory,
        shop.business.id,
        price_type="free",
        mode="online",
        leaving=LeavingTerms(moves_before=24).document(),
    )
    first = await a_session(factory, service, mode="online", capacity=1)
    await a_session(factory, service, mode="online", in_days=9)
    await shop.book(subject("session", first.id))
    own = await own_page(shop)
    assert f"{own}/move?date={first.id}" in (await shop.guest.open(own)).text
    wait = f"/b/lotus/yoga/waitlist?session={first.id}"
    paths = {f"{own}/leave?date={first.id}": 1, f"{own}/move?date={first.id}": 2, wait: 1}
    for path, dates in paths.items():
        page = (await shop.guest.open(path)).text
        assert (page.count("data-from="), page.count("yourtime")) == (dates, 1), path


async def test_a_suspended_business_lets_its_guests_see_and_leave(shop: Shop) -> None:
    term = await a_paid_course(shop)
    await change(shop, Tenant, status="suspended")
    assert (await shop.guest.client.get("/b/lotus")).status_code == 403
    page = await leave_page(shop, term)
    assert (await press(shop, page)).status_code == 303
    assert await refunds(shop) == [2000]


async def test_seats_of_another_order_are_not_there(shop: Shop) -> None:
    term = await a_paid_course(shop)
    mine = await leave_page(shop, term)
    service = await a_service(shop.services.uow_factory, shop.business.id, slug="other")
    session = await a_session(shop.services.uow_factory, service)
    other = subject("session", session.id, "other")
    sent = await shop.book(other, email="dora@example.com")
    await shop.pay(sent.headers["location"])
    theirs = next(seat for seat in await seats_of(shop) if seat.session_id == session.id)
    refused = await press(shop, mine, seat=[f"{theirs.id}:0"])
    assert refused.status_code == 404
    assert await refunds(shop) == []


async def test_who_opens_the_way_out_again_reads_calmly_that_they_are_out_of_it(
    shop: Shop,
) -> None:
    term = await a_paid_course(shop)
    await press(shop, await leave_page(shop, term))
    again = await leave_page(shop, term)
    assert again.status_code == 200
    assert "You are out of it already: the place is free for others." in again.text
    assert "€20.00 went back the way you paid" in again.text
    assert "Cancel this date" not in again.text


@pytest.mark.slow
async def test_a_date_that_was_called_off_says_so_to_who_cannot_come(shop: Shop) -> None:
    term = await a_paid_course(shop)
    first = term.sessions[0].id
    async with shop.services.uow_factory(shop.business.id) as uow:
        await cancel_session(uow, shop.business.ctx, first, reason="Flooded.", undo_seconds=0)
    await shop.work()
    page = await leave_page(shop, term)
    assert "This date has been called off, so there is nothing to cancel." in page.text
