"""Several prices on the pages: set by owners, chosen by guests, seen at the door."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.models import Order, OrderLine
from src.booking.commands.sessions import get_session
from src.booking.domain.price_tiers import Audience, read_tiers
from src.booking.models import Seat, Series, Service
from src.platform.localtime import to_local
from src.platform.services import Services
from src.tenants.models import Customer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner, send
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.coupons import a_coupon
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio

CHILD = {"key": "child", "name": "Child", "price_minor": 800}
MEMBER = {"key": "member", "name": "Member", "price_minor": 1000, "audience": "staff"}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.mark.slow
async def test_an_owner_sets_the_prices_of_a_service(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD])
    path = f"/app/lotus/services/{service.id}/edit"
    shown = await client.get(path)
    assert 'value="Child"' in shown.text
    typed = {
        "prices.0.price": "7.50",
        "prices.1.name": "Member",
        "prices.1.price": "10",
        "prices.1.audience": "staff",
    }
    sent = await send(client, path, typed)
    assert sent.status_code == 303, sent.text
    async with services.uow_factory(lotus.id) as uow:
        kept = read_tiers((await uow.session.scalars(select(Service.price_tiers))).one())
    assert [(one.key, one.price_minor, one.audience) for one in kept] == [
        ("child", 750, Audience.PUBLIC),
        ("member", 1000, Audience.STAFF),
    ]
    emptied = await send(client, path, {"prices.0.name": "", "prices.0.price": ""})
    assert emptied.status_code == 303
    async with services.uow_factory(lotus.id) as uow:
        kept = read_tiers((await uow.session.scalars(select(Service.price_tiers))).one())
    assert [one.key for one in kept] == ["member"]


@pytest.mark.slow
async def test_a_single_date_with_a_price_of_its_own_has_no_other_and_it_says_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD, MEMBER])
    term = await a_series(services.uow_factory, service, drop_in_allowed=True)
    here, date = f"/app/lotus/series/{term.series.id}", term.sessions[0].id
    of_date = f"/app/lotus/sessions/{date}/drop-in"
    lost = "A price here is the only one: the service&#39;s others (Child, Member) are not given"
    for path in (f"{here}/edit", of_date):
        assert lost in (await client.get(path)).text, path
    all_prices = "€15.00, Child €8.00, Member €10.00"
    assert f"Single dates {all_prices}" in (await client.get(here)).text
    assert all_prices in (await client.get(of_date)).text
    await send(client, f"{here}/edit", {"drop_in_price": "18"})
    assert "Single dates €18.00</li>" in (await client.get(here)).text
    assert "Child €8" not in (await client.get(of_date)).text


@pytest.mark.slow
async def test_saving_says_which_price_is_dearer_than_the_full_one_and_what_costs_otherwise(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD, MEMBER])
    edit, listed = f"/app/lotus/services/{service.id}/edit", "/app/lotus/services"
    await send(client, edit, {"price": "20"})
    assert "is saved. The full price is €20.00.<" in (await client.get(listed)).text
    term = await a_series(services.uow_factory, service, price_tiers=[CHILD])
    await send(client, edit, {"price": "9"})
    shown = (await client.get(listed)).text
    assert "Its own price is €9.00; series, and dates with a price of their own," in shown
    assert "“Member” costs more than the full price." in shown
    of_series = f"/app/lotus/series/{term.series.id}"
    await send(client, f"{of_series}/edit", {"prices.0.price": "80", "price": "70"})
    assert "“Child” costs more than the full price." in (await client.get(of_series)).text
    joined = {"join_policy": "until", "join_until_on": "2027-03-09"}
    for typed, said in (({}, "until the first date begins"), (joined, "until Tue, Mar 9, 2027")):
        await send(client, f"{of_series}/edit", typed)
        assert f"Can be joined {said}" in (await client.get(of_series)).text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"prices.1.name": "Student", "prices.1.price": "cheap"}, "prices.1.price"),
        ({"prices.1.name": "Student", "prices.1.price": ""}, "prices.1.price"),
        ({"prices.1.name": "Student", "prices.1.price": "0.20"}, "prices.1.price"),
        ({"prices.1.name": "", "prices.1.price": "5"}, "prices.1.name"),
        ({"prices.1.name": "child", "prices.1.price": "5"}, "prices.1.name"),
        ({"prices.0.until_on": "soon"}, "prices.0.until_on"),
    ],
)
async def test_what_cannot_be_is_said_at_its_row_and_stays_typed(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    typed: dict[str, str],
    field: str,
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD])
    term = await a_series(services.uow_factory, service, price_tiers=[CHILD])
    for path in (
        f"/app/lotus/services/{service.id}/edit",
        f"/app/lotus/series/{term.series.id}/edit",
    ):
        sent = await send(client, path, typed)
        assert sent.status_code == 422, path
        assert f'id="f-{field.replace(".", "-")}-error"' in sent.text, path
        for text in filter(None, typed.values()):
            assert f'value="{text}"' in sent.text


async def test_a_form_that_is_refused_again_and_again_gets_no_more_rows(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id)
    path = f"/app/lotus/services/{service.id}/edit"
    row = re.compile(r'name="(?:prices|tiers)\.\d+\.(?:name|before)"')
    before = row.findall((await client.get(path)).text)
    empty = {"name": "", **{name[6:-1]: "" for name in before}}
    refused = await send(client, path, empty)
    assert refused.status_code == 422
    assert row.findall(refused.text) == before


async def test_a_last_day_in_the_past_is_refused_at_its_field_unless_it_was_kept(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    over = {**CHILD, "until_on": "2020-01-01"}
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[over])
    path = f"/app/lotus/services/{service.id}/edit"
    kept = await send(client, path, {"prices.0.price": "7.50"})
    assert kept.status_code == 303, "what was over already blocks nothing"
    refused = await send(client, path, {"prices.0.until_on": "2020-01-02"})
    assert refused.status_code == 422
    assert "Its last day has passed." in refused.text
    term = await a_series(services.uow_factory, service, price_tiers=[over])
    of_series = f"/app/lotus/series/{term.series.id}/edit"
    assert (await send(client, of_series, {"prices.0.price": "7.50"})).status_code == 303
    again = await send(client, of_series, {"prices.0.until_on": "2020-01-02"})
    assert again.status_code == 422
    assert "Its last day has passed." in again.text


async def test_what_is_free_has_no_other_price(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD])
    sent = await send(client, f"/app/lotus/services/{service.id}/edit", {"price_type": "free"})
    assert sent.status_code == 422
    assert 'id="f-prices-error"' in sent.text


async def test_hub_and_page_say_from_and_name_the_prices(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD, MEMBER])
    await a_session(services.uow_factory, service)
    await a_series(services.uow_factory, service, price_tiers=[{**CHILD, "price_minor": 4000}])
    hub = await client.get("/b/lotus")
    assert "From €8.00 · series from €40.00" in hub.text
    assert hub.text.count("From €40.00") == 1
    single = await client.get("/b/lotus/yoga?how=single")
    assert "From €8.00</span>" in single.text
    full = single.text.partition(">Prices</h2>")[2].partition("<h2")[0]
    assert full.index("Full price") < full.index("€15.00") < full.index("Child")
    assert "Member" not in single.text
    assert "€40.00" in (await client.get("/b/lotus/yoga?how=series")).text


async def test_prices_that_no_listed_date_is_sold_at_are_not_named(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD])
    await a_series(services.uow_factory, service, drop_in_allowed=True, drop_in_price_minor=1200)
    single = await client.get("/b/lotus/yoga?how=single")
    assert "€12.00" in single.text
    assert "Child" not in single.text
    empty = await client.get("/b/lotus/yoga?how=single&month=2027-06")
    assert "Child" not in empty.text, "nor where no date is listed"


async def test_a_month_without_dates_names_the_prices_of_those_to_come(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD])
    nothing = await client.get("/b/lotus/yoga?how=single")
    assert "Child" in nothing.text, "what a date would cost"
    await a_session(services.uow_factory, service)
    empty = await client.get("/b/lotus/yoga?how=single&month=2027-06")
    assert "/book?" not in empty.text
    assert "Child" in empty.text


async def a_date(shop: Shop, **more: Any) -> str:
    service = await a_service(shop.services.uow_factory, shop.business.id, **more)
    session = await a_session(shop.services.uow_factory, service)
    return subject("session", session.id)


async def seats(shop: Shop) -> list[tuple[str, int]]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.execute(select(Seat.tier, Seat.share_minor))
        return sorted((row[0], row[1]) for row in found)


FAMILY = {"counts.full": "1", "counts.child": "2", "quoted_minor": "3100", "quoted_size": "3"}


@pytest.mark.slow
async def test_a_family_says_how_many_come_at_which_price(shop: Shop) -> None:
    page = await shop.guest.open(await a_date(shop, price_type="on_site", price_tiers=[CHILD]))
    assert "Full price" in page.text
    (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
    asked = form.filled({"counts.child": "2", "step": "update"})
    shown = await shop.guest.client.post(form.action, data=asked)
    assert "€31.00" in shown.text
    assert "Name of person 3 (Child)" in shown.text
    names = {"names.2": "Dora", "names.3": "Emil"}
    sent = await shop.send(**FAMILY, **names)
    assert sent.status_code == 303, sent.text
    assert "Dora (Child)" in (await shop.guest.open(sent.headers["location"])).text
    assert await seats(shop) == [("", 1500), ("Child", 800), ("Child", 800)]
    async with shop.services.uow_factory(shop.business.id) as uow:
        (session_id,) = set(await uow.session.scalars(select(Seat.session_id)))
    await as_owner(shop.guest.client, shop.services, shop.business)
    roster = await shop.guest.client.get(f"/app/lotus/sessions/{session_id}")
    assert roster.text.count(">Child<") == 2


async def test_whoever_books_is_not_the_child_of_the_party(shop: Shop) -> None:
    youth = {"key": "youth", "name": "Youth", "price_minor": 1000}
    url = await a_date(shop, price_type="on_site", price_tiers=[CHILD, youth])
    page = await shop.guest.open(url)
    (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
    typed = {"counts.full": "0", "counts.child": "1", "counts.youth": "2"}
    shown = await shop.guest.client.post(form.action, data=form.filled({**typed, "step": "update"}))
    assert "Name of person 2 (Child)" in shown.text
    assert "Name of person 3 (Youth)" in shown.text
    names = {"names.2": "Dora", "names.3": "Emil"}
    sent = await shop.send(**typed, **names, quoted_minor="2800", quoted_size="3")
    assert sent.status_code == 303, sent.text
    booked = (await shop.guest.open(sent.headers["location"])).text
    assert "Carl Guest (Youth), Dora (Child), Emil (Youth)" in booked


async def test_a_parent_books_for_two_children_and_stays_away(shop: Shop) -> None:
    """The field for the first of them is there to be opened, and open once only children come."""
    page = await shop.guest.open(await a_date(shop, price_type="on_site", price_tiers=[CHILD]))
    closed = page.text.split("I am not coming myself")[0].rsplit("<details", 1)[1]
    assert "open" not in closed.split(">")[0]
    (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
    typed = {"counts.full": "0", "counts.child": "2"}
    shown = await shop.guest.client.post(form.action, data=form.filled({**typed, "step": "update"}))
    opened = shown.text.split("I am not coming myself")[0].rsplit("<details", 1)[1]
    assert "open" in opened.split(">")[0]
    assert "Name of person 1 (Child)" in shown.text
    assert "Who comes in your place. Without a name it is you who comes." in shown.text
    names = {"first": "Kid One", "names.2": "Kid Two"}
    kept = await shop.guest.client.post(
        form.action, data=form.filled({**typed, **names, "step": "update"})
    )
    assert 'value="Kid One"' in kept.text
    sent = await shop.send(**typed, **names, quoted_minor="1600", quoted_size="2")
    assert sent.status_code == 303, sent.text
    booked = (await shop.guest.open(sent.headers["location"])).text
    assert "Kid One (Child), Kid Two (Child)" in booked
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = (await uow.session.scalars(select(Order))).one()
    assert order.guest_name == "Carl Guest"


async def test_who_is_the_child_is_said_wherever_the_booking_is(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    await a_coupon(factory, shop.business.id)
    half = {**CHILD, "price_minor": 3000}
    term = await a_series(factory, service, price_type="on_site", price_tiers=[half])
    counts = {"counts.full": "1", "counts.child": "1", "quoted_size": "2"}
    url = subject("series", term.series.id)
    seen = {"quoted_minor": "8100", "quoted_off_minor": "900"}
    sent = await shop.book(url, **counts, coupon="SPRING", **seen)
    assert sent.status_code == 303, sent.text
    booked = await shop.guest.open(sent.headers["location"])
    assert "2 people: Carl Guest, Person 2 (Child)" in booked.text
    assert "Discount, taken off already" in booked.text
    assert "€9.00" in booked.text
    assert "SPRING" in booked.text
    await shop.work()
    [mail] = mailer.sent
    assert "2 people: Carl Guest, Person 2 (Child)" in mail.body
    assert "To pay on site: €81.00 · Discount, taken off already: €9.00" in mail.body
    leave = await shop.guest.open(f"{booked.url.path}/leave?date={term.sessions[0].id}")
    assert "erson 2 (Child)" in leave.text
    await as_owner(shop.guest.client, shop.services, shop.business)
    orders = await shop.guest.client.get("/app/lotus/orders")
    assert "Spring term" in orders.text
    assert "and 1 more" not in orders.text


async def test_the_page_of_a_series_has_its_other_prices_and_that_of_a_single_date(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id)
    rules = {"drop_in_allowed": True, "drop_in_price_minor": 1200, "drop_in_opens_before": 3}
    term = await a_series(services.uow_factory, service, price_tiers=[CHILD, MEMBER], **rules)
    page = (await client.get(f"/app/lotus/series/{term.series.id}")).text
    assert "Child €8.00" in page
    assert "Member €10.00, only staff choose it" in page
    assert "Single dates €12.00, open 3 days before the start" in page


async def test_nobody_at_any_price_is_said_where_it_was_chosen(shop: Shop) -> None:
    page = await shop.guest.open(await a_date(shop, price_tiers=[CHILD]))
    (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
    asked = form.filled({"counts.full": "0", "counts.child": "0", "step": "update"})
    shown = await shop.guest.client.post(form.action, data=asked)
    assert "Please say how many people come." in shown.text
    assert "Pay €" not in shown.text
    assert "Total" not in shown.text, "nobody has no price"
    for words in (">Price<", "You pay by card", "Name of person"):
        assert words not in shown.text, words
    asked = form.filled({"counts.full": "20", "counts.child": "20", "step": "update"})
    answer = await shop.guest.client.post(form.action, data=asked, headers={"hx-request": "true"})
    assert "Change how many people come" in answer.text
    names = answer.text.count("Name of person")
    assert 0 < names < 39, "nobody is asked about who cannot come"
    assert "Total" not in answer.text, "nor have so many, on the page or for who hears it"


async def test_a_family_pays_by_card_for_each_price(shop: Shop) -> None:
    sent = await shop.book(await a_date(shop, price_tiers=[CHILD]), **FAMILY)
    assert sent.headers["location"].startswith(shop.stripe.base_url)
    await shop.pay(sent.headers["location"])
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        lines = {row.tier: row.total_minor for row in await uow.session.scalars(select(OrderLine))}
    assert lines == {"": 1500, "Child": 1600}


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"counts.full": "0", "counts.child": "0"}, 422),
        ({"counts.full": "4", "counts.child": "8", "quoted_size": "12"}, 422),
        ({"counts.full": "101", "counts.child": "0"}, 422),
        ({"counts.full": "-1", "counts.child": "0"}, 422),
        ({"counts.full": "1", "counts.student": "1", "quoted_size": "2"}, 422),
        ({"counts.full": "1", "counts.member": "1", "quoted_size": "2"}, 422),
        ({"counts.full": "1", "counts.child": "1"}, 422),
    ],
)
async def test_what_cannot_be_books_nothing_and_keeps_what_was_typed(
    shop: Shop, typed: dict[str, str], status: int
) -> None:
    url = await a_date(shop, price_tiers=[CHILD, MEMBER])
    sent = await shop.book(url, note="By bike", **typed)
    assert sent.status_code == status
    assert "-error" in sent.text
    assert "By bike" in sent.text
    assert await seats(shop) == []


async def test_a_price_that_changed_meanwhile_is_shown_before_it_is_paid(shop: Shop) -> None:
    await shop.guest.open(await a_date(shop, price_tiers=[CHILD]))
    async with shop.services.uow_factory(shop.business.id) as uow:
        service = (await uow.session.scalars(select(Service))).one()
        service.price_tiers = [{**CHILD, "price_minor": 900}]
    sent = await shop.send(**FAMILY)
    assert sent.status_code == 409
    assert "€33.00" in sent.text
    assert await seats(shop) == []


async def test_an_early_bird_is_what_the_form_begins_with_until_it_ends(
    shop: Shop, clock: FrozenClock
) -> None:
    until_on = to_local(clock.now(), shop.business.tenant.zone).date().isoformat()
    early = {"key": "early", "name": "Early bird", "price_minor": 5000, "until_on": until_on}
    service = await a_service(shop.services.uow_factory, shop.business.id)
    term = await a_series(shop.services.uow_factory, service, price_tiers=[early])
    page = await shop.guest.open(subject("series", term.series.id))
    assert "Pay €50.00" in page.text
    clock.advance(timedelta(days=1))
    sent = await shop.send()
    assert sent.status_code == 422
    assert "not on offer any more" in sent.text
    assert "Early bird" not in sent.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(Series.price_minor))).one() == 6000
    assert await seats(shop) == []


@pytest.mark.parametrize("gap_policy", ["sell_with_gaps", "block"])
async def test_a_party_bigger_than_what_is_left_reads_how_many_and_real_prices(
    shop: Shop, gap_policy: str
) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id)
    child = {**CHILD, "price_minor": 4000}
    term = await a_series(
        shop.services.uow_factory, service, capacity=3, price_tiers=[child], gap_policy=gap_policy
    )
    page = await shop.guest.open(subject("series", term.series.id))
    (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
    asked = form.filled({"counts.full": "2", "counts.child": "2", "step": "update"})
    shown = (await shop.guest.client.post(form.action, data=asked)).text
    assert "Only 3 seats are left." in shown
    assert "sold out" not in shown
    assert "See all 3 dates" in shown
    assert "€60.00" in shown
    assert "€40.00" in shown
    assert "Total" not in shown
    assert "€0.00" not in shown
    assert "Pay €" not in shown


async def test_staff_book_at_a_price_that_guests_do_not_see(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[MEMBER])
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    async with services.uow_factory(lotus.id) as uow:
        customer_id = (await uow.session.scalars(select(Customer.id))).one()
    path = f"/app/lotus/customers/{customer_id}/book?what=session:{session.id}"
    shown = await client.get(path)
    assert "Member · €10.00" in shown.text
    refused = await send(client, path, {"tier": "student", "party": "Mia"})
    assert refused.status_code == 422
    assert 'id="f-tier-error"' in refused.text
    sent = await send(client, path, {"tier": "member", "party": "Mia"})
    assert sent.status_code == 303, sent.text
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.execute(select(Seat.tier, Seat.share_minor))
        assert ("Member", 1000) in [tuple(row) for row in found]
        assert (await get_session(uow, session.id)).seats_taken == 2
