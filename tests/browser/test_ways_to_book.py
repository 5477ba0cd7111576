"""Other ways to book: one date, free, on site, two people, and all of it without scripts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from src.booking.models import Session
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.letters import the_calendar, the_mail
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def a_date(program: Program, business: Business, slug: str, **more: Any) -> Session:
    """The only date of a service of its own."""

    async def stage(services: Services) -> Session:
        service = await a_service(
            services.uow_factory, business.id, slug=slug, name=slug.title(), **more
        )
        whole_hour = services.clock.now().replace(minute=0, second=0, microsecond=0)
        return await a_session(
            services.uow_factory, service, starts_at=whole_hour + timedelta(days=7)
        )

    found: Session = program.run(stage)
    return found


def test_one_date_is_booked_and_paid(program: Program, person: Callable[..., Person]) -> None:
    session = a_date(program, staged(program, "single"), "stretching")
    guest = person(PHONE)
    guest.go("/b/single")
    guest.follow("Book: Stretching")
    guest.choose(size="2")
    guest.sees("€30.00")
    guest.type(**{"names.2": "Petra Plus"})
    guest.finds_it_accessible(DESK, PHONE)
    g.fills_in(guest, "Carl Guest", "carl@single.example")
    guest.press("Pay €30.00")
    g.pays(guest, g.WORKS)
    g.is_booked(guest)
    guest.sees("Petra Plus")
    _method, entries = the_calendar(the_mail(program, "carl@single.example", "You are booked"))
    assert {entry.starts_at for entry in entries} == {session.starts_at}


@pytest.mark.parametrize(
    ("slug", "terms", "said"),
    [
        ("gratis", {"price_type": "free", "price_minor": 0}, "Nothing to pay"),
        ("door", {"price_type": "on_site"}, "You pay on site"),
    ],
)
def test_without_a_payment_page(
    program: Program, person: Callable[..., Person], slug: str, terms: dict[str, Any], said: str
) -> None:
    session = a_date(program, staged(program, slug, paid=False), "talk", **terms)
    guest = person(PHONE)
    guest.go(f"/b/{slug}")
    guest.follow("Book: Talk")
    guest.sees(said)
    g.fills_in(guest, "Carl Guest", f"carl@{slug}.example")
    guest.press("Book now")
    g.is_booked(guest)
    guest.finds_it_accessible(DESK, PHONE)
    _method, entries = the_calendar(the_mail(program, f"carl@{slug}.example", "You are booked"))
    assert [entry.starts_at for entry in entries] == [session.starts_at]


def test_a_form_that_is_refused_keeps_what_was_typed(
    program: Program, person: Callable[..., Person]
) -> None:
    session = a_date(program, staged(program, "typo", paid=False), "talk", price_type="free")
    guest = person(PHONE)
    guest.go(f"/b/typo/talk/book?session={session.id}")
    g.fills_in(guest, "Carl Guest", "carl at example")
    guest.press("Book now")
    expect(guest.page.locator("[aria-invalid=true]")).to_have_value("carl at example")
    expect(guest.page.locator("[name=name]")).to_have_value("Carl Guest")
    guest.finds_it_accessible(DESK, PHONE)


def test_the_whole_job_without_scripts(program: Program, person: Callable[..., Person]) -> None:
    business = staged(program, "plain")
    term = a_term(program, business)
    guest = person(PHONE, java_script_enabled=False)
    guest.go("/b/plain")
    guest.follow("All dates: Spring term")
    guest.follow("Book this series: Spring term")
    guest.choose(size="2")
    guest.press("Update the price")
    guest.sees("€120.00")
    g.fills_in(guest, "Carl Guest", "carl@plain.example")
    guest.press("Pay €120.00")
    g.pays(guest, g.WORKS)
    booking = g.is_booked(guest)
    owner = person(PHONE, java_script_enabled=False)
    owner.sign_in("olive@plain.example", PASSWORD)
    owner.go(f"/app/plain/series/{term.series.id}/buyers")
    owner.follow("Cancel the purchase of Carl Guest")
    owner.press("Cancel purchase")
    owner.sees("Please choose what goes back.")
    owner.choose(money="full")
    owner.press("Cancel purchase")
    owner.is_at("/cancellations/")
    the_mail(program, "carl@plain.example", "Cancelled")
    owner.go(owner.page.url)
    owner.sees("6 seats freed")
    guest.go(booking)
    guest.sees("This booking is cancelled")
