"""Waiting for a place, from the guest's side: joining, the own page, taking the offer."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import lock_order
from src.billing.commands.settle import Ending
from src.billing.settlement import GIVEN_UP
from src.booking.commands.leave import leave_dates
from src.booking.commands.waking import wake_waitlists
from src.booking.jobs.waitlist import serve_due
from src.booking.models import Seat, Series, Service, Session
from tests.booking.web.conftest import Shop, subject
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.lots import a_customer
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.visitor import forms_of
from tests.support.waiting import check_places, entries, offers

pytestmark = pytest.mark.anyio


async def a_full_date(shop: Shop, **more: Any) -> Session:
    service = await a_service(
        shop.services.uow_factory, shop.business.id, **{"price_type": "free", **more}
    )
    session = await a_session(shop.services.uow_factory, service, capacity=1)
    await shop.book(subject("session", session.id), email="dora@example.com", name="Dora")
    await shop.work()
    return session


def list_of(session: Session) -> str:
    return f"/b/lotus/yoga/waitlist?session={session.id}"


async def join(shop: Shop, path: str, **typed: str) -> httpx.Response:
    await shop.guest.open(path)
    page = shop.guest.page
    assert page is not None
    [form] = [one for one in forms_of(page) if "email" in one.fields]
    filled = form.filled({"name": "Ann", "email": "ann@example.com", **typed})
    return await shop.guest.client.post(path, data=filled)


async def free(shop: Shop) -> None:
    """Dora cannot come."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        [seat] = await uow.session.scalars(select(Seat).where(Seat.state == "confirmed"))
        await leave_dates(uow, shop.business.tenant, seat.order_id, [seat.id])
    await shop.work()


async def own_page(shop: Shop, mailer: RememberingMailer) -> str:
    """The path that the latest mail leads to."""
    return f"/b/{str(mailer.sent[-1].body).split('/b/', 1)[1].split(maxsplit=1)[0]}"


async def press(shop: Shop, path: str, what: str) -> httpx.Response:
    await shop.guest.open(path)
    page = shop.guest.page
    assert page is not None
    [form] = [one for one in forms_of(page) if one.action.endswith(f"/{what}")]
    return await shop.guest.client.post(form.action, data=form.filled({}), follow_redirects=True)


async def test_every_page_of_a_full_date_leads_to_its_list(shop: Shop) -> None:
    session = await a_full_date(shop)
    for path in ("/b/lotus", "/b/lotus/yoga?how=single", subject("session", session.id)):
        page = await shop.guest.open(path)
        assert list_of(session) in page.text, path
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(waitlist={"is_on": False}))
    page = await shop.guest.open(subject("session", session.id))
    assert "waitlist" not in page.text
    off = await shop.guest.open(list_of(session))
    assert "There is no waiting list for this." in off.text


async def test_what_was_typed_into_the_form_goes_along_to_the_list(shop: Shop) -> None:
    """The place goes while the guest fills the form in."""
    service = await a_service(shop.services.uow_factory, shop.business.id, price_type="free")
    session = await a_session(shop.services.uow_factory, service, capacity=1)
    await shop.guest.open(subject("session", session.id))
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(capacity=1, seats_taken=1))
    refused = await shop.send(name="Ann", email="ann@example.com")
    assert refused.status_code == 409
    assert 'href="/b/lotus/yoga"' in refused.text, "what else there is: the service's next dates"
    [form] = [one for one in forms_of(refused) if one.action == list_of(session)]
    shown = await shop.guest.client.post(form.action, data=form.filled({"step": "fill"}))
    assert shown.status_code == 200
    [form] = [one for one in forms_of(shown) if "email" in one.fields]
    assert (form.fields["name"], form.fields["email"]) == (["Ann"], ["ann@example.com"])
    assert await entries(shop.services.uow_factory, shop.business) == {}, "nobody waits yet"
    joined = await shop.guest.client.post(list_of(session), data=form.filled({}))
    assert "Look into your mailbox" in joined.text


async def test_a_full_series_leads_to_its_list(shop: Shop) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id)
    term = await a_series(shop.services.uow_factory, service)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(capacity=1, seats_taken=1))
    path = f"/b/lotus/yoga/waitlist?series={term.series.id}"
    assert path in (await shop.guest.open("/b/lotus/yoga?how=series")).text
    assert "Look into your mailbox" in (await join(shop, path)).text


async def test_a_running_course_can_be_waited_for_however_near_its_next_date_is(
    shop: Shop,
) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id)
    dates = {"first_in_days": 1 / 24 - 14, "sessions": 4}
    term = await a_series(shop.services.uow_factory, service, join_policy="any_time", **dates)
    async with shop.services.uow_factory(shop.business.id) as uow:
        last = Session.id == term.sessions[-1].id
        await uow.session.execute(update(Session).values(capacity=1, seats_taken=1).where(last))
    path = f"/b/lotus/yoga/waitlist?series={term.series.id}"
    for page in ("/b/lotus/yoga?how=series", subject("series", term.series.id)):
        assert path in (await shop.guest.open(page)).text, page
    assert "Look into your mailbox" in (await join(shop, path)).text
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Series).values(join_policy="before_start"))
    assert path not in (await shop.guest.open(subject("series", term.series.id))).text


async def test_a_name_that_nobody_can_see_is_no_name(shop: Shop) -> None:
    session = await a_full_date(shop)
    refused = await join(shop, list_of(session), name="\u200b \u2060")
    assert refused.status_code == 422
    assert 'id="f-name-error"' in refused.text
    assert 'value="ann@example.com"' in refused.text


async def test_joining_answers_a_known_address_like_an_unknown_one(
    shop: Shop, mailer: RememberingMailer
) -> None:
    """Row 2-42: a form told whether an address was known."""
    session = await a_full_date(shop)
    first = await join(shop, list_of(session))
    second = await join(shop, list_of(session))
    assert first.status_code == second.status_code == 200
    assert "ann@example.com" in first.text
    assert first.text == second.text
    await shop.work()
    page = await shop.guest.open(await own_page(shop, mailer))
    assert "You are at position 1 of 1." in page.text


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ({"price_type": "on_site", "price_minor": 1500}, "Price: €30.00"),
        ({"price_type": "free"}, "Price: free"),
    ],
)
async def test_joining_says_how_long_and_an_offer_what_it_costs(
    shop: Shop, mailer: RememberingMailer, price: dict[str, Any], said: str
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(
        factory, shop.business.id, **price, waitlist={"offer_minutes": 20, "quiet_from": 8}
    )
    session = await a_session(factory, service, capacity=2)
    async with factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=2))
    form = await shop.guest.open(list_of(session))
    assert "a link and 20 minutes to take it" in form.text
    await join(shop, list_of(session), size="2")
    async with factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=0))
        await wake_waitlists(uow, [session.id])
    await shop.work()
    assert said in str(mailer.sent[-1].body)
    page = await shop.guest.open(await own_page(shop, mailer))
    assert said in page.text
    assert "Nothing is booked or charged until you book." in page.text


async def test_a_party_that_never_fits_is_told_so_at_its_size(shop: Shop) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id, price_type="free")
    session = await a_session(shop.services.uow_factory, service, capacity=3)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=3))
    assert "/waitlist?session=" in (await shop.guest.open(subject("session", session.id))).text
    form = await shop.guest.open(list_of(session))
    assert '<option value="3"' in form.text
    assert '<option value="4"' not in form.text
    sent = await join(shop, list_of(session), size="10")
    assert sent.status_code == 409
    at_field = sent.text.split('id="f-size-error"', 1)[1].split("</p>", 1)[0]
    said = "There are not that many places in all: please wait for fewer."
    assert said in at_field
    assert sent.text.count(said) == 1, "once, at the field"
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=1, capacity=1))
    unasked = await join(shop, list_of(session), size="2")
    assert 'id="f-size-error"' not in unasked.text
    assert unasked.text.count(said) == 1, "above the form, which asks for no size"
    assert await entries(shop.services.uow_factory, shop.business) == {}


@pytest.mark.parametrize(("size", "may_wait"), [("3", True), ("4", False)])
async def test_waiting_is_offered_to_parties_that_could_fit(
    shop: Shop, size: str, may_wait: bool
) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id, price_type="free")
    session = await a_session(shop.services.uow_factory, service, capacity=3, seats_taken=2)
    await shop.guest.open(subject("session", session.id))
    shown = await shop.send(size=size, step="update")
    assert ("Wait until there are places for all of you" in shown.text) is may_wait


@pytest.mark.parametrize(
    ("gap_policy", "size", "may_wait"),
    [("block", "2", True), ("block", "3", False), ("sell_with_gaps", "3", True)],
)
async def test_waiting_for_a_series_is_offered_to_parties_that_fit_into_its_dates(
    shop: Shop, gap_policy: str, size: str, may_wait: bool
) -> None:
    """All of its dates, or with gaps the largest one; and the list takes whom it is offered to."""
    service = await a_service(shop.services.uow_factory, shop.business.id, price_type="free")
    term = await a_series(
        shop.services.uow_factory, service, price_type="free", price_minor=0, gap_policy=gap_policy
    )
    for run, capacity in zip(term.sessions, (2, 4, 4), strict=True):
        async with shop.services.uow_factory(shop.business.id) as uow:
            values = {"capacity": capacity, "seats_taken": capacity - 1}
            await uow.session.execute(update(Session).where(Session.id == run.id).values(values))
    await shop.guest.open(subject("series", term.series.id))
    shown = await shop.send(size=size, step="update")
    assert ("Wait until there are places for all of you" in shown.text) is may_wait
    joining = await join(shop, f"/b/lotus/yoga/waitlist?series={term.series.id}", size=size)
    assert (joining.status_code != 409) is may_wait


@pytest.mark.slow
async def test_from_the_mail_to_a_place(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    session = await a_full_date(shop)
    await join(shop, list_of(session))
    await shop.work()
    path = await own_page(shop, mailer)
    await free(shop)
    assert await own_page(shop, mailer) == path
    page = await shop.guest.open(path)
    assert "It is held for you until" in page.text
    assert "Sold out" in (await shop.guest.open("/b/lotus")).text
    accept = next(part for part in page.text.split('"') if "&amp;place=" in part)
    other_tab = await shop.guest.open(accept.replace("&amp;", "&"))
    form = await shop.guest.open(accept.replace("&amp;", "&"))
    assert 'value="Ann"' in form.text
    assert "1 place is held for you until" in form.text
    sent = await shop.send(name="Ann", email="ann@example.com")
    assert sent.status_code == 303, sent.text
    assert await entries(shop.services.uow_factory, shop.business) == {"Ann": "accepted"}
    assert await check_places(shop.services.uow_factory, shop.business) == [1]
    again = await shop.send(name="Ann", email="ann@example.com")
    assert again.headers["location"] == sent.headers["location"], "one form books once"
    after = await shop.guest.open(path)
    assert "You have taken the place." in after.text
    assert sent.headers["location"] in after.text
    late = await shop.guest.open(accept.replace("&amp;", "&"))
    assert "You have taken the place." in late.text, "it is no news that it is sold out"
    shop.guest.page = other_tab
    for more in ({}, {"step": "update"}):
        twice = await shop.send(name="Ann", email="ann@example.com", **more)
        assert twice.headers["location"] == path, "the other tab's form knows of the booking"
    assert await check_places(shop.services.uow_factory, shop.business) == [1]
    await free(shop)
    over = await shop.guest.open(path)
    assert "Your booking of the place has ended." in over.text
    assert "You have taken the place." not in over.text


@pytest.mark.slow
async def test_an_offer_that_is_over_says_so_kindly_and_one_may_wait_again(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    session = await a_full_date(shop)
    await join(shop, list_of(session))
    await join(shop, list_of(session), name="Bob", email="bob@example.com")
    await shop.work()
    await free(shop)
    path = await own_page(shop, mailer)
    accept = next(p for p in (await shop.guest.open(path)).text.split('"') if "&amp;place=" in p)
    clock.advance(timedelta(hours=4, seconds=1))
    assert "The time to take the place is over" in (await shop.guest.open(path)).text
    await serve_due(shop.services)
    await shop.work()
    gone = await shop.guest.open(accept.replace("&amp;", "&"))
    assert "This date is sold out." in gone.text
    again = await press(shop, path, "again")
    assert "You are at position 2 of 2." in again.text
    states = await entries(shop.services.uow_factory, shop.business)
    assert states == {"Ann": "waiting", "Bob": "offered"}


@pytest.mark.slow
async def test_declining_gives_it_to_the_next(shop: Shop, mailer: RememberingMailer) -> None:
    session = await a_full_date(shop)
    await join(shop, list_of(session))
    await shop.work()
    path = await own_page(shop, mailer)
    await join(shop, list_of(session), name="Bob", email="bob@example.com")
    await free(shop)
    left = await press(shop, path, "leave")
    assert "You are not on the list any more." in left.text
    assert "There is room" not in left.text, "it is for Bob, although his offer is to be made"
    assert "You can wait again, at the end of the list." in " ".join(left.text.split())
    again = await press(shop, path, "again")
    assert "You are at position 2 of 2." in again.text, "behind Bob, not told that there is one"
    await shop.work()
    states = await entries(shop.services.uow_factory, shop.business)
    assert states == {"Ann": "waiting", "Bob": "offered"}


@pytest.mark.slow
async def test_an_offer_is_paid_like_any_booking(shop: Shop, mailer: RememberingMailer) -> None:
    """Row 2-51: who moved up was charged without being asked."""
    session = await a_full_date(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online", price_minor=1500))
    await join(shop, list_of(session))
    await shop.work()
    await free(shop)
    page = await shop.guest.open(await own_page(shop, mailer))
    accept = next(p for p in page.text.split('"') if "&amp;place=" in p).replace("&amp;", "&")
    sent = await shop.book(accept, name="Ann", email="ann@example.com")
    again = await shop.send(name="Ann", email="ann@example.com")
    assert again.headers["location"] == sent.headers["location"], "pressed twice it is one hold"
    await shop.pay(sent.headers["location"])
    [offer] = await offers(shop.services.uow_factory, shop.business)
    assert offer.state == "taken"
    assert await check_places(shop.services.uow_factory, shop.business) == [1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("is_given_up", "said"),
    [
        (True, "You gave the place up before it was paid, so nothing is booked."),
        (False, "The place was held for you and not paid in time, so nothing is booked."),
    ],
)
async def test_who_does_not_pay_reads_what_became_of_the_place(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock, is_given_up: bool, said: str
) -> None:
    session = await a_full_date(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online", price_minor=1500))
    await join(shop, list_of(session))
    await shop.work()
    await free(shop)
    path = await own_page(shop, mailer)
    page = await shop.guest.open(path)
    accept = next(p for p in page.text.split('"') if "&amp;place=" in p).replace("&amp;", "&")
    await shop.book(accept, name="Ann", email="ann@example.com")
    second_tab = await shop.guest.open(accept)
    assert "It is held for you until" in second_tab.text, "and not sold out to who holds it"
    [offer] = await offers(shop.services.uow_factory, shop.business)
    assert offer.order_id is not None
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, offer.order_id)
        end = GIVEN_UP if is_given_up else Ending()
        await end_locked_order(uow, order, end.state, end.why, uow.clock.now())
    over = await shop.guest.open(path)
    assert f"{said} There is room: you can book at once." in " ".join(over.text.split())
    assert "The time to take the place is over" not in over.text
    assert "Wait again" not in over.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=1))
    full = await shop.guest.open(path)
    assert f"{said} You can wait again, at the end of the list." in " ".join(full.text.split())
    assert "You are at position 1 of 1." in (await press(shop, path, "again")).text


@pytest.mark.slow
async def test_a_form_that_changes_before_it_is_paid_keeps_the_offer(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    """Who leaves the payment page is led back to it, and not told that the place is theirs."""
    session = await a_full_date(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online", price_minor=1500))
    await join(shop, list_of(session))
    await shop.work()
    await free(shop)
    path = await own_page(shop, mailer)
    page = await shop.guest.open(path)
    accept = next(p for p in page.text.split('"') if "&amp;place=" in p).replace("&amp;", "&")
    await shop.book(accept, name="Ann", email="ann@example.com")
    [first] = await offers(shop.services.uow_factory, shop.business)
    sent = await shop.send(name="Ann Other", email="ann@example.com")
    assert sent.status_code == 303, sent.text
    [offer] = await offers(shop.services.uow_factory, shop.business)
    assert (offer.state, offer.order_id != first.order_id) == ("taken", True)
    after = await shop.guest.open(path)
    assert "yours once it is paid" in after.text
    assert "You have taken the place." not in after.text
    [own] = {part for part in after.text.split('"') if part.startswith("/b/lotus/bookings/")}
    assert [form.action for form in forms_of(await shop.guest.open(own))][:1] == [f"{own}/pay"]
    assert await check_places(shop.services.uow_factory, shop.business) == [1]
    clock.advance(timedelta(minutes=32))
    assert "The time to pay is over." in (await shop.guest.open(path)).text


async def test_a_broken_link_and_one_of_another_business_open_nothing(
    shop: Shop, mailer: RememberingMailer
) -> None:
    session = await a_full_date(shop)
    await join(shop, list_of(session))
    await shop.work()
    path = await own_page(shop, mailer)
    await a_business(shop.services.uow_factory, "rival", owner="Eve")
    for wrong in (path[:-3] + "xyz", path.replace("/b/lotus/", "/b/rival/"), "/b/lotus/waitlist/x"):
        assert (await shop.guest.client.get(wrong)).status_code == 404
    # In a form's address it is as good as none.
    other = await shop.guest.open(subject("session", session.id) + "&place=" + "x" * 40)
    assert "This date is sold out." in other.text


async def test_bigger_parties_wait_while_there_is_room_for_few(shop: Shop) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id, price_type="free")
    session = await a_session(shop.services.uow_factory, service, capacity=10)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=9))
    page = await shop.guest.open(list_of(session))
    free = "1 place is free: you can book it at once. Only bigger parties have to wait."
    assert free in page.text
    refused = await join(shop, list_of(session), size="1")
    assert refused.status_code == 409
    assert "Look into your mailbox" in (await join(shop, list_of(session), size="2")).text


async def test_too_many_mails_to_one_address_are_refused(shop: Shop) -> None:
    session = await a_full_date(shop)
    answers = [(await join(shop, list_of(session))).status_code for _try in range(6)]
    assert answers == [200] * 5 + [429]


async def test_who_is_signed_in_is_not_asked_for_name_and_address_again(shop: Shop) -> None:
    path = list_of(await a_full_date(shop))
    assert 'value="fay@example.com"' not in (await shop.guest.open(path)).text
    fay = await a_customer(shop.services.uow_factory, shop.business.id, "Fay")
    await sign_in_portal(
        shop.guest.client, shop.services, shop.business.id, fay.id, "fay@example.com"
    )
    page = await shop.guest.open(path)
    (form,) = [form for form in forms_of(page) if "email" in form.fields]
    assert (form.fields["name"], form.fields["email"]) == (["Fay"], ["fay@example.com"])
