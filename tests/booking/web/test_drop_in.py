"""Single dates of a series on the pages: their rules for owners, their price for guests."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.models import Order
from src.booking.commands.sessions import get_session
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Series, Service
from src.platform.services import Services
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner, send
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session
from tests.support.coupons import a_coupon
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio

BOTH_WAYS = ["online", "on_site"]


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def a_run(services: Services, business: Business, **rules: Any) -> Term:
    service = await a_service(services.uow_factory, business.id)
    return await a_series(services.uow_factory, service, **{"drop_in_allowed": True, **rules})


async def test_an_owner_sees_what_holds_for_a_date_and_changes_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    term = await a_run(services, lotus, drop_in_price_minor=2200)
    here = f"/app/lotus/sessions/{term.sessions[0].id}"
    assert f'href="{here}/drop-in"' in (await client.get(here)).text
    shown = await client.get(f"{here}/drop-in")
    assert "As the series says: sold alone" in shown.text
    for words in ("€22.00", "at once", "Paid online", "from the series", "from the service"):
        assert words in shown.text
    changes = {
        "allowed": "yes",
        "drop_in_price": "9.50",
        "drop_in_opens_before": "2",
        "drop_in_opens_unit": "days",
        "drop_in_pays": BOTH_WAYS,
    }
    sent = await send(client, f"{here}/drop-in", changes)
    assert sent.headers["location"] == here
    async with services.uow_factory(lotus.id) as uow:
        session = await get_session(uow, term.sessions[0].id)
        assert session.drop_in_allowed is True
        assert (session.drop_in_price_minor, session.drop_in_pays) == (950, BOTH_WAYS)
        assert (session.drop_in_opens_before, session.drop_in_opens_unit) == (2, "days")
    shown = await client.get(f"{here}/drop-in")
    assert 'value="9.50"' in shown.text
    assert "of this date" in shown.text
    assert "Paid online, Paid on site" in shown.text
    await send(client, f"{here}/drop-in", {"drop_in_price": "0", "drop_in_pays": []})
    paid = (await client.get(f"{here}/drop-in")).text.split("nothing to pay", 1)[1]
    assert "of this date" in paid.split("</dd>", 1)[0]


@pytest.mark.parametrize(
    ("of_series", "allowed", "said"),
    [
        (True, "no", "This date is no longer sold alone."),
        (False, "no", "This date is not sold alone."),
        (False, "series", "This date is not sold alone."),
        (False, "yes", "Single places of this date are sold like this from now on."),
        (True, "series", "Single places of this date are sold like this from now on."),
    ],
)
async def test_what_was_saved_says_whether_the_date_is_sold_alone(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    of_series: bool,
    allowed: str,
    said: str,
) -> None:
    await as_owner(client, services, lotus)
    term = await a_run(services, lotus, drop_in_allowed=of_series)
    here = f"/app/lotus/sessions/{term.sessions[0].id}"
    assert (await send(client, f"{here}/drop-in", {"allowed": allowed})).status_code == 303
    assert said in (await client.get(here)).text


async def test_a_date_that_is_not_bought_alone_for_another_reason_is_not_said_to_be(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    term = await a_run(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Service).values(sales_mode="series"))
    here = f"/app/lotus/sessions/{term.sessions[0].id}"
    assert (await send(client, f"{here}/drop-in", {"allowed": "yes"})).status_code == 303
    shown = (await client.get(here)).text
    assert "Saved. Single places of this date cannot be booked now:" in shown
    assert "are sold like this" not in shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"drop_in_price": "cheap"}, "drop_in_price"),
        ({"drop_in_price": "0.10"}, "drop_in_price"),
        ({"drop_in_opens_before": "soon"}, "drop_in_opens_before"),
        ({"drop_in_opens_before": "999"}, "drop_in_opens_before"),
        ({"drop_in_pays": ["barter"]}, "drop_in_pays"),
        ({"allowed": "perhaps"}, "allowed"),
    ],
)
async def test_what_cannot_be_is_said_at_its_field_and_stays_typed(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    changes: dict[str, Any],
    field: str,
) -> None:
    await as_owner(client, services, lotus)
    term = await a_run(services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/drop-in"
    sent = await send(client, path, changes)
    assert sent.status_code == 422
    assert f'id="f-{field}-error"' in sent.text
    if isinstance(typed := changes[field], str) and field != "allowed":
        assert f'value="{typed}"' in sent.text


async def test_a_date_without_a_series_has_no_such_page(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    loose = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    here = f"/app/lotus/sessions/{loose.id}"
    assert "/drop-in" not in (await client.get(here)).text
    assert (await client.get(f"{here}/drop-in")).status_code == 404


async def test_the_editor_of_a_series_has_the_rules_for_all_its_dates(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await as_owner(client, services, lotus)
    term = await a_run(services, lotus)
    path = f"/app/lotus/series/{term.series.id}/edit"
    assert "Empty: what the service says, €15.00 at present" in (await client.get(path)).text
    changes = {
        "drop_in_opens_before": "36",
        "drop_in_opens_unit": "hours",
        "drop_in_pays": ["on_site"],
    }
    sent = await send(client, path, changes)
    assert sent.status_code == 303, sent.text
    async with services.uow_factory(lotus.id) as uow:
        series = (await uow.session.scalars(select(Series))).one()
        assert (series.drop_in_opens_before, series.drop_in_opens_unit) == (36, "hours")
        assert series.drop_in_pays == ["on_site"]
    refused = await send(client, path, {"drop_in_opens_before": "-1"})
    assert refused.status_code == 422
    assert 'id="f-drop_in_opens_before-error"' in refused.text


async def a_choice(shop: Shop) -> str:
    """The address of the form for a date that is paid online or on site."""
    term = await a_run(shop.services, shop.business, drop_in_pays=BOTH_WAYS)
    return subject("session", term.sessions[0].id)


async def test_a_guest_chooses_how_to_pay(shop: Shop) -> None:
    form = await shop.guest.open(await a_choice(shop))
    assert "Part of Spring term" in form.text
    assert "How do you want to pay?" in form.text
    sent = await shop.send(way="on_site")
    page = await shop.guest.open(sent.headers["location"])
    assert "To pay on site" in page.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = (await uow.session.scalars(select(Order))).one()
        assert (order.payment_mode, order.state) == ("on_site", "confirmed")


async def test_what_is_booked_is_said_in_dates(shop: Shop, client: AsyncClient) -> None:
    """Row 2-28: "recurring" and "term" left families in doubt about what they had booked."""
    term = await a_run(shop.services, shop.business)
    page = (await client.get("/b/lotus/yoga")).text
    assert [word in page for word in ("Whole series", "Single dates")] == [True, True]
    whole = (await shop.guest.open(subject("series", term.series.id))).text
    assert "See all 3 dates" in whole
    assert "This date only" not in whole
    single = (await shop.guest.open(subject("session", term.sessions[0].id))).text
    assert "This date only" in single
    assert "all 3 dates" not in single


async def test_both_ways_to_pay_say_what_leaving_costs_as_it_will_be(shop: Shop) -> None:
    url = await a_choice(shop)
    steps = (Tier(before=72, percent=100), Tier(before=48, percent=50))
    async with shop.services.uow_factory(shop.business.id) as uow:
        service = (await uow.session.scalars(select(Service))).one()
        service.leaving = LeavingTerms(tiers=steps).document()
    form = await shop.guest.open(url)
    promised = form.text.split("Paid on site: Cancel free of charge until ")[1].split(";")[0]
    assert form.text.count("Paid by card: Cancel until ") == 2
    await a_coupon(shop.services.uow_factory, shop.business.id, "WHOLE", percent=100)
    whole = await shop.send(coupon="WHOLE", step="update")
    assert "WHOLE" in whole.text
    for words in ("Paid by card: ", "Paid on site: "):
        assert words not in whole.text, "nothing is paid either way"
    await shop.guest.open(url)
    sent = await shop.send(way="on_site")
    page = await shop.guest.open(sent.headers["location"])
    assert f"Free of charge until {promised}" in page.text


async def test_the_way_that_was_chosen_outlives_a_code_that_leaves_nothing_to_choose(
    shop: Shop,
) -> None:
    url, factory = await a_choice(shop), shop.services.uow_factory
    await a_coupon(factory, shop.business.id, "WHOLE", percent=100)
    await a_coupon(factory, shop.business.id, "SOME", percent=10)
    await shop.guest.open(url)
    shop.guest.page = await shop.send(coupon="WHOLE", step="update", way="on_site")
    assert "How do you want to pay?" not in shop.guest.page.text
    shop.guest.page = await shop.send(coupon="SOME", step="update")
    assert "How do you want to pay?" in shop.guest.page.text
    sent = await shop.send()
    assert "To pay on site" in (await shop.guest.open(sent.headers["location"])).text


async def test_until_single_places_open_the_list_says_when_and_leads_to_the_series(
    shop: Shop,
) -> None:
    await a_run(shop.services, shop.business, drop_in_opens_before=3)
    for path in ("/b/lotus", "/b/lotus/yoga?how=single"):
        page = await shop.guest.open(path)
        assert page.status_code == 200
        assert "Single places from" in page.text
        assert "See the series" in page.text


async def test_without_another_choice_the_first_way_is_taken(shop: Shop) -> None:
    sent = await shop.book(await a_choice(shop))
    assert sent.headers["location"].startswith(shop.stripe.base_url)


async def test_another_way_in_the_same_form_takes_the_holds_place(shop: Shop) -> None:
    await shop.book(await a_choice(shop))
    again = await shop.send(way="on_site")
    assert again.status_code == 303
    async with shop.services.uow_factory(shop.business.id) as uow:
        states = sorted(await uow.session.scalars(select(Order.state)))
    assert states == ["cancelled", "confirmed"]


async def test_a_way_that_is_none_is_refused_and_what_was_typed_stays(shop: Shop) -> None:
    sent = await shop.book(await a_choice(shop), way="barter", note="We come by bike")
    assert sent.status_code == 422
    assert 'id="f-way-error"' in sent.text
    assert "We come by bike" in sent.text


async def test_a_way_that_was_taken_away_meanwhile_is_said_at_the_field(shop: Shop) -> None:
    await shop.guest.open(await a_choice(shop))
    async with shop.services.uow_factory(shop.business.id) as uow:
        series = (await uow.session.scalars(select(Series))).one()
        series.drop_in_pays = ["online"]
    sent = await shop.send(way="on_site")
    assert sent.status_code == 422
    assert 'id="f-way-error"' in sent.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(Order))).all() == []


async def test_the_part_that_changes_with_the_way_comes_alone(shop: Shop) -> None:
    """What scripts ask for on another choice: the same page's pieces."""
    page = await shop.guest.open(await a_choice(shop))
    (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
    filled = form.filled({"step": "update", "way": "on_site"})
    answer = await shop.guest.client.post(
        form.action, data=filled, headers={"HX-Request": "true", "HX-Target": "party"}
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    chosen = answer.text.split('id="f-way-on_site"')[1].split(">")[0]
    assert "checked" in chosen


async def test_nothing_is_asked_where_there_is_one_way_or_nothing_to_pay(shop: Shop) -> None:
    term = await a_run(shop.services, shop.business)
    form = await shop.guest.open(subject("session", term.sessions[0].id))
    assert "How do you want to pay?" not in form.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        series = (await uow.session.scalars(select(Series))).one()
        series.drop_in_pays, series.drop_in_price_minor = BOTH_WAYS, 0
    form = await shop.guest.open(subject("session", term.sessions[0].id))
    assert "How do you want to pay?" not in form.text
