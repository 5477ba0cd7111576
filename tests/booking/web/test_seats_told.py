"""How many seats are left is said as the business wishes, on every page that guests see."""

import re

import pytest

from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Session
from src.tenants.models import Tenant
from tests.booking.web.conftest import Shop, change, subject
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import a_series, a_service, a_session

pytestmark = pytest.mark.anyio

NUMBER = re.compile(r"\d+ (?:seats?|places?) (?:is|are)? ?(?:left|free)")


async def pages_with_seven_left(shop: Shop) -> dict[str, str]:
    """Every page that would say it, of dates with ten seats of which seven are left."""
    factory = shop.services.uow_factory
    terms = LeavingTerms(moves_before=24).document()
    service = await a_service(factory, shop.business.id, price_type="on_site", leaving=terms)
    first = await a_session(factory, service)
    second = await a_session(factory, service, in_days=14)
    term = await a_series(factory, service, price_type="on_site")
    await shop.book(subject("session", first.id))
    own = await own_page(shop)
    await change(shop, Session, seats_taken=3)
    move = f"{own}/move?date={first.id}"
    paths = {
        "hub": "/b/lotus",
        "service": "/b/lotus/yoga?how=series",
        "dates": "/b/lotus/yoga?how=single",
        "session": subject("session", second.id),
        "series": subject("series", term.series.id),
        "exchange": move,
        "chosen": f"{move}&to={second.id}",
        "waiting": f"/b/lotus/yoga/waitlist?session={second.id}",
    }
    return {name: (await shop.guest.open(path)).text for name, path in paths.items()}


async def test_the_number_is_said_unless_the_business_wishes_otherwise(shop: Shop) -> None:
    pages = await pages_with_seven_left(shop)
    said = {name for name, text in pages.items() if NUMBER.search(text)}
    assert said == {"hub", "service", "dates", "exchange", "waiting"}


@pytest.mark.parametrize("up_to", [0, 6])
async def test_no_page_says_it_where_more_are_left_than_guests_are_to_know(
    shop: Shop, up_to: int
) -> None:
    await change(shop, Tenant, seats_told_up_to=up_to)
    for name, text in (await pages_with_seven_left(shop)).items():
        assert not NUMBER.search(text), name
        assert "Sold out" not in text, name


async def test_few_are_said_on_the_form_too_and_none_is_always_said(shop: Shop) -> None:
    await change(shop, Tenant, seats_told_up_to=7)
    pages = await pages_with_seven_left(shop)
    said = {name for name, text in pages.items() if NUMBER.search(text)}
    assert said == {"hub", "service", "dates", "session", "series", "exchange", "waiting"}
    assert pages["hub"].count('tone-warning pill-dot">7 seats left') == 6, "two, three, the series"
    await change(shop, Tenant, seats_told_up_to=0)
    await change(shop, Session, seats_taken=10)
    full = await shop.guest.open("/b/lotus")
    assert full.text.count("Sold out") == 6


async def test_nobody_finds_it_out_by_asking_for_many(shop: Shop) -> None:
    await change(shop, Tenant, seats_told_up_to=0)
    factory = shop.services.uow_factory
    session = await a_session(factory, await a_service(factory, shop.business.id), capacity=2)
    form = await shop.guest.open(subject("session", session.id))
    assert '<option value="10"' in form.text
    sent = await shop.book(subject("session", session.id), size="3")
    assert sent.status_code == 422
    assert "There are not that many seats left." in sent.text
    assert "Only 2" not in sent.text
