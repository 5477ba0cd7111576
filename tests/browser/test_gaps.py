"""One service, two ways to book it: a series of which a date is full, and its single dates."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service
from tests.support.letters import the_calendar, the_mail
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TAKEN = "SELECT seats_taken FROM sessions WHERE series_id = $1 ORDER BY starts_at"


def a_course_with_a_full_date(program: Program, business: Business) -> Term:
    """Three dates at EUR 60 together, by card; one alone is paid on site. Bea has the second."""

    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id, price_type="on_site")
        return await a_series(
            services.uow_factory, service, gap_policy="sell_with_gaps", drop_in_allowed=True
        )

    term: Term = program.run(stage)
    program.rows("UPDATE sessions SET capacity = 1 WHERE id = $1", term.sessions[1].id)
    books(program, business, "session", term.sessions[1].id, "Bea Single")
    return term


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_series_with_a_full_date_is_bought_for_what_it_still_has(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "avocet" if scripts else "curlew-sandpiper")
    term = a_course_with_a_full_date(program, business)
    guest = person(PHONE, java_script_enabled=scripts)
    he_reads_what_he_gets(guest, business)
    guest.follow("Book this series: Spring term")
    expect(guest.page.locator("ol.dates time")).to_have_count(3)
    guest.sees("Full")
    guest.looks()
    email = f"carl@{business.slug}.example"
    g.fills_in(guest, "Carl Guest", email)
    guest.press("Pay €40.00")
    g.pays(guest, g.WORKS)
    g.is_booked(guest)
    guest.looks()
    assert taken(program, term) == [1, 1, 1], "the full date is still Bea's alone"
    _method, entries = the_calendar(the_mail(program, email, "You are booked"))
    ours = [term.sessions[0].starts_at, term.sessions[2].starts_at]
    assert [entry.starts_at for entry in entries] == [at.replace(microsecond=0) for at in ours]
    a_single_date_is_booked(person(PHONE, java_script_enabled=scripts), business)
    assert taken(program, term) == [2, 1, 1]
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/series/{term.series.id}/buyers")
    owner.sees("Carl Guest")
    owner.sees("€40.00")
    owner.looks()


def he_reads_what_he_gets(guest: Person, business: Business) -> None:
    guest.go(f"/b/{business.slug}/yoga")
    tabs = guest.page.get_by_role("navigation", name="How to book")
    expect(tabs.get_by_role("link")).to_have_count(2)
    guest.sees("1 date is full: you do not get it, and do not pay for it.")
    guest.sees("€40.00")
    expect(guest.page.locator("ol.dates .tone-warning")).to_have_text("Full")
    guest.looks()


def a_single_date_is_booked(guest: Person, business: Business) -> None:
    """By the other tab, where each date has a price of its own."""
    guest.go(f"/b/{business.slug}/yoga")
    guest.follow("Single dates")
    expect(guest.page.locator("main .tabs-line [aria-current=page]")).to_have_text("Single dates")
    guest.sees("€15.00")
    guest.looks()
    if not guest.page.get_by_role("link", name="Book: Yoga").count():
        guest.follow("Next month")
    guest.follow("Book: Yoga")
    guest.sees("You pay on site")
    g.fills_in(guest, "Dora Single", f"dora@{business.slug}.example")
    guest.press("Book now")
    g.is_booked(guest)


def taken(program: Program, term: Term) -> list[int]:
    return [row["seats_taken"] for row in program.rows(TAKEN, term.series.id)]
