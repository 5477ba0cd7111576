"""The booking form: what it asks, what it refuses, and where it leads."""

from datetime import timedelta

import httpx
import pytest

from src.billing.models import Order
from src.billing.settlement import check_payment
from src.booking.models import Booking, Seat, Series, Service, Session
from src.platform.ids import new_id
from src.tenants.models import Participant, Tenant
from tests.booking.web.conftest import CARL, Shop, change, rows, subject
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio


async def test_a_free_session_is_booked_at_once(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="free")
    session = await a_session(factory, service)
    sent = await shop.book(subject("session", session.id))
    assert sent.status_code == 303
    page = await shop.guest.open(sent.headers["location"])
    assert "You are booked" in page.text
    assert "Free" in page.text


async def test_a_name_of_which_nothing_can_be_seen_is_asked_for(shop: Shop) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id, price_type="free")
    session = await a_session(shop.services.uow_factory, service)
    await shop.guest.open(subject("session", session.id))
    sent = await shop.send(name="\u200b \u2060")
    assert sent.status_code == 422
    assert "Please give a name." in sent.text


async def test_form_and_booking_show_the_dates_own_titles(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    term = await a_series(factory, service, price_type="free", price_minor=0)
    await change(shop, Session, title="Balance <2>")
    form = await shop.guest.open(subject("series", term.series.id))
    assert form.text.count("Balance &lt;2&gt;") == 3
    sent = await shop.send()
    page = await shop.guest.open(sent.headers["location"])
    assert "You are booked" in page.text
    assert page.text.count("Balance &lt;2&gt;") == 3


async def test_on_site_is_confirmed_and_says_what_to_bring(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="on_site")
    session = await a_session(factory, service)
    sent = await shop.book(subject("session", session.id))
    page = await shop.guest.open(sent.headers["location"])
    assert "To pay on site" in page.text
    assert "€15.00" in page.text


async def test_a_paid_series_leads_to_the_payment_page_and_holds_every_seat(shop: Shop) -> None:
    term = await a_series(
        shop.services.uow_factory, await a_service(shop.services.uow_factory, shop.business.id)
    )
    form = await shop.guest.open(subject("series", term.series.id))
    assert form.text.count("<time") == 3
    assert "Pay €60.00" in form.text
    sent = await shop.send()
    assert sent.headers["location"].startswith(shop.stripe.base_url)
    assert [seat.state for seat in await rows(shop, Seat)] == ["held"] * 3


async def test_the_same_form_sent_again_leads_to_the_same_payment_page(shop: Shop) -> None:
    term = await a_series(
        shop.services.uow_factory, await a_service(shop.services.uow_factory, shop.business.id)
    )
    first = await shop.book(subject("series", term.series.id))
    again = await shop.send()
    assert again.headers["location"] == first.headers["location"]
    assert len(await rows(shop, Order)) == 1


async def test_a_changed_form_replaces_its_hold(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    await shop.book(subject("session", session.id))
    again = await shop.send(size="2", quoted_minor="3000", quoted_size="2")
    assert again.status_code == 303
    states = sorted(order.state for order in await rows(shop, Order))
    assert states == ["cancelled", "open"]
    (kept,) = await rows(shop, Session)
    assert kept.seats_taken == 2


@pytest.mark.parametrize(("size", "status", "taken"), [(5, 409, 1), (4, 303, 4)])
async def test_a_changed_form_keeps_its_hold_unless_the_new_one_can_be_had(
    shop: Shop, size: int, status: int, taken: int
) -> None:
    """One's own seat counts as free: four of four are to be had, five are not."""
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id), capacity=4)
    await shop.book(subject("session", session.id))
    again = await shop.send(size=str(size), quoted_minor=str(1500 * size), quoted_size=str(size))
    assert again.status_code == status
    (kept,) = await rows(shop, Session)
    assert kept.seats_taken == taken
    states = sorted(order.state for order in await rows(shop, Order))
    assert states == (["open"] if status == 409 else ["cancelled", "open"])
    assert (await shop.send()).status_code == 303


async def test_a_changed_form_for_a_series_keeps_its_hold_unless_the_new_one_can_be_had(
    shop: Shop,
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    term = await a_series(factory, service, capacity=2)
    await shop.book(subject("series", term.series.id))
    three = await shop.send(size="3", quoted_minor="18000", quoted_size="3")
    assert three.status_code == 409
    assert [order.state for order in await rows(shop, Order)] == ["open"]
    two = await shop.send(size="2", quoted_minor="12000", quoted_size="2")
    assert two.status_code == 303
    assert [one.seats_taken for one in await rows(shop, Session)] == [2, 2, 2]


async def test_a_price_too_small_to_pay_online_keeps_no_seat_from_others(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_minor=10)
    session = await a_session(factory, service, capacity=1)
    refused = await shop.book(subject("session", session.id))
    assert refused.status_code == 409
    assert "too small to be paid online" in refused.text
    (kept,) = await rows(shop, Session)
    assert kept.seats_taken == 0
    await change(shop, Service, price_type="free")
    assert (await shop.book(subject("session", session.id))).status_code == 303


async def test_going_back_after_paying_books_nothing_more(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    first = await shop.book(subject("session", session.id))
    await shop.pay(first.headers["location"])
    again = await shop.send()
    assert again.headers["location"] == first.headers["location"]
    (order,) = await rows(shop, Order)
    await check_payment(shop.services, shop.business.id, order.id)
    third = await shop.send()
    assert "You are booked" in (await shop.guest.open(third.headers["location"])).text
    assert len(await rows(shop, Order)) == 1


async def test_two_tabs_are_two_bookings(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    one = await shop.book(subject("session", session.id))
    other = await shop.book(subject("session", session.id))
    assert one.headers["location"] != other.headers["location"]
    (kept,) = await rows(shop, Session)
    assert kept.seats_taken == 2


async def test_every_wrong_field_is_named_and_what_was_typed_stays(shop: Shop) -> None:
    questions = [
        {"key": "level", "label": "Your level", "kind": "choice", "required": True,
         "choices": ["New", "Old hand"]},
        {"key": "why", "label": "Why yoga?", "kind": "text", "required": False, "choices": []},
    ]  # fmt: skip
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, questions=questions)
    session = await a_session(factory, service)
    await change(shop, Tenant, booking_terms="Be on time.")
    typed = {"name": "", "email": "carl@", "phone": "12", "answers.why": "My <back>"}
    sent = await shop.book(subject("session", session.id), **typed)
    assert sent.status_code == 422
    for name in ("name", "email", "phone", "answers-level", "terms"):
        assert f'id="f-{name}-error"' in sent.text, name
    assert "carl@" in sent.text
    assert "My &lt;back&gt;" in sent.text
    assert await rows(shop, Order) == []


async def test_consents_and_answers_are_kept(shop: Shop, clock: FrozenClock) -> None:
    questions = [{"key": "why", "label": "Why yoga?"}]
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, questions=questions, price_type="free")
    session = await a_session(factory, service)
    await change(shop, Tenant, booking_terms="Be on time.")
    typed = {"terms": "on", "phone": "020 123 4567", "answers.why": "My back"}
    sent = await shop.book(subject("session", session.id), **typed)
    assert sent.status_code == 303, sent.text
    (order,) = await rows(shop, Order)
    (booking,) = await rows(shop, Booking)
    assert order.consents["terms"]["accepted_at"] == clock.now().isoformat()
    assert len(order.consents["terms"]["sha256"]) == 64
    assert "marketing" not in order.consents
    assert order.guest_phone == "+31201234567"
    [kept] = booking.answers
    assert (kept["label"], kept["answer"]) == ("Why yoga?", "My back")
    own = (await shop.guest.open(sent.headers["location"])).text
    assert "Why yoga?" in own
    assert "My back" in own


async def test_a_party_has_names_and_pays_for_all(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    await shop.guest.open(subject("session", session.id))
    three = await shop.send(step="update", size="3")
    assert three.status_code == 200
    assert "€45.00" in three.text
    assert "Carl Guest" in three.text
    shop.guest.page = three
    sent = await shop.send(**{"names.2": "Anna", "size": "3"})
    assert sent.status_code == 303, sent.text
    names = sorted(person.name for person in await rows(shop, Participant))
    assert names == ["", "Anna", "Carl Guest"]


async def test_another_size_than_the_price_was_shown_for_is_asked_again(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    asked = await shop.book(subject("session", session.id), size="2")
    assert asked.status_code == 422
    assert "€30.00" in asked.text
    shop.guest.page = asked
    assert (await shop.send()).status_code == 303


async def test_a_new_size_comes_as_a_fragment_to_htmx(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    page = await shop.guest.open(subject("session", session.id))
    (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
    answer = await shop.guest.client.post(
        form.action,
        data=form.filled({"size": "2", "step": "update"}),
        headers={"hx-request": "true"},
    )
    assert "<html" not in answer.text
    assert 'id="summary"' in answer.text
    assert "€30.00" in answer.text


async def test_a_party_for_which_there_is_no_room_is_told_how_much_there_is(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    session = await a_session(factory, service, capacity=2)
    sent = await shop.book(subject("session", session.id), size="3")
    assert sent.status_code == 422
    assert "Only 2 seats are left." in sent.text


def kept_what_was_typed(sent: httpx.Response) -> None:
    for typed in ("Carl Guest", "carl@example.com"):
        assert f'value="{typed}"' in sent.text


async def test_sold_out_between_page_and_sending(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id), capacity=1)
    await shop.guest.open(subject("session", session.id))
    await change(shop, Session, seats_taken=1)
    sent = await shop.send()
    assert sent.status_code == 409
    assert "sold out" in sent.text
    assert await rows(shop, Order) == []


async def test_started_between_page_and_sending(shop: Shop, clock: FrozenClock) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id), in_days=1)
    await shop.guest.open(subject("session", session.id))
    clock.advance(timedelta(days=1, minutes=1))
    sent = await shop.send()
    assert sent.status_code == 409
    assert "already started" in sent.text
    assert await rows(shop, Order) == []


async def test_a_changed_price_is_shown_and_asked_for_again(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    await shop.guest.open(subject("session", session.id))
    await change(shop, Service, price_minor=1700)
    refused = await shop.send()
    assert refused.status_code == 409
    assert "The price has changed to €17.00" in refused.text
    assert await rows(shop, Order) == []
    kept_what_was_typed(refused)
    shop.guest.page = refused
    assert (await shop.send()).status_code == 303


async def test_a_price_that_changes_during_a_hold_is_the_next_guests(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    sent = await shop.book(subject("session", session.id))
    await change(shop, Service, price_minor=1700)
    await shop.pay(sent.headers["location"])
    [held] = await rows(shop, Order)
    await check_payment(shop.services, shop.business.id, held.id)
    [order] = await rows(shop, Order)
    assert (order.state, order.total_minor, order.paid_minor) == ("confirmed", 1500, 1500)


async def test_a_business_without_payments_says_so_before_the_form(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    await change(shop, Tenant, payments_ready=False)
    page = await shop.guest.open(subject("session", session.id))
    assert "Online payment is not possible at present" in page.text
    assert "form_token" not in page.text


@pytest.mark.parametrize("status", ["paused"])
async def test_a_paused_business_takes_no_booking(shop: Shop, status: str) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="free")
    session = await a_session(factory, service)
    await shop.guest.open(subject("session", session.id))
    await change(shop, Tenant, status=status)
    sent = await shop.send()
    assert sent.status_code == 409
    assert "cannot be booked at present" in sent.text


@pytest.mark.slow
async def test_too_many_tries_keep_what_was_typed(shop: Shop) -> None:
    """Row 2-43: machines took all places."""
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="free")
    session = await a_session(factory, service, capacity=100)
    for _try in range(20):
        await shop.book(subject("session", session.id))
    refused = await shop.book(subject("session", session.id))
    assert refused.status_code == 429
    assert CARL["email"] in refused.text
    assert "Too many tries" in refused.text


async def test_what_is_not_there_is_not_found(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    term = await a_series(factory, service)
    other = await a_business(factory, "eve", owner="Eve")
    foreign = await a_session(factory, await a_service(factory, other.id))
    await shop.guest.open(subject("session", foreign.id), 404)
    unknown = await shop.guest.open(subject("session", new_id()), 404)
    assert "See what there is of Yoga" in unknown.text, "the service's own dates are a way on"
    assert 'href="/b/lotus/yoga"' in unknown.text
    await shop.guest.open("/b/lotus/yoga/book?session=nonsense", 404)
    await shop.guest.open("/b/lotus/yoga/book", 404)
    await shop.guest.open(subject("series", term.series.id, "pilates"), 404)
    await change(shop, Series, visibility="hidden")
    await shop.guest.open(subject("series", term.series.id), 404)


async def test_an_inactive_series_says_that_it_is_not_on_sale(shop: Shop) -> None:
    factory = shop.services.uow_factory
    term = await a_series(factory, await a_service(factory, shop.business.id), active=False)
    page = await shop.guest.open(subject("series", term.series.id))
    assert "This series is not on sale." in page.text
    assert "form_token" not in page.text


async def test_a_page_whose_cookies_are_gone_says_that_nothing_was_sent(shop: Shop) -> None:
    refused = await shop.guest.client.post(subject("session", new_id()), data=CARL)
    assert refused.status_code == 403
    assert "Nothing was sent" in refused.text
    assert "for your account" not in refused.text


async def test_a_form_without_its_token_is_refused(shop: Shop) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id))
    answer = await shop.guest.client.post(subject("session", session.id), data=CARL)
    assert answer.status_code == 403


async def test_going_back_to_the_last_seat_skips_no_question_and_forges_no_consent(
    shop: Shop,
) -> None:
    """The form's own hold fills the date; what is asked is asked again all the same."""
    questions = [{"key": "why", "label": "Why yoga?", "required": True}]
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, questions=questions)
    session = await a_session(factory, service, capacity=1)
    await change(shop, Tenant, booking_terms="Be on time.")
    await shop.book(subject("session", session.id), terms="on", **{"answers.why": "My back"})
    back = await shop.send(name="Somebody", phone="12", **{"answers.why": "", "terms": ""})
    assert back.status_code == 422
    for sentence in ("Please answer this question", "not a phone number", "accept the terms"):
        assert sentence in back.text
    (order,) = await rows(shop, Order)
    assert (order.state, order.guest_name) == ("open", CARL["name"])


async def test_a_hold_that_ended_is_nobodys_own(shop: Shop, clock: FrozenClock) -> None:
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id), capacity=1)
    await shop.book(subject("session", session.id))
    await change(shop, Order, state="expired")
    again = await shop.send()
    assert again.status_code == 409
    assert "sold out" in again.text


@pytest.mark.slow
async def test_tries_at_one_business_do_not_shut_the_guest_out_of_another(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="free")
    session = await a_session(factory, service, capacity=100)
    for _try in range(21):
        refused = await shop.book(subject("session", session.id))
    assert refused.status_code == 429
    other = await a_business(factory, "rival", owner="Eve")
    theirs = await a_session(factory, await a_service(factory, other.id, price_type="free"))
    sent = await shop.book(f"/b/rival/yoga/book?session={theirs.id}")
    assert sent.status_code == 303
