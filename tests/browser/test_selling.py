"""The main job on a phone: a business is set up and sells a series, a guest buys it."""

from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser import guest as g
from tests.browser import owner as o
from tests.browser.person import DESK, PHONE, Person, on_day
from tests.support.letters import the_calendar, the_mail
from tests.support.program import Program

pytestmark = pytest.mark.browser

SLUG = "lotus"
DATES = 4
STARTS = "SELECT starts_at FROM sessions WHERE series_id = $1 ORDER BY starts_at"


def test_a_business_begins_and_sells_a_series_that_a_guest_buys(
    program: Program, person: Callable[..., Person]
) -> None:
    """Row 2-21: dates that are only sold together had to be bought one by one."""
    owner = person(PHONE)
    o.signs_up(owner, "Lotus Yoga", SLUG, "olive@lotus.example")
    owner.sees("Growth trial")
    owner.finds_it_accessible(PHONE)
    o.connects_payments(owner, SLUG)
    sessions = o.makes_service(owner, SLUG, "Morning yoga", "15.00")
    o.publishes_by_hand(owner, sessions, on_day(10), "Taster")
    o.repeats(owner, sessions, on_day(3), DATES, "Lesson {n}")
    o.imports(owner, sessions, on_day(5))
    owner.sees("Open morning")
    guest = person(PHONE)
    guest.go(f"/b/{SLUG}")
    guest.sees("Lesson 1")
    expect(guest.page.get_by_role("heading", name="Courses and series")).to_have_count(0)
    o.sells_both_ways(owner, sessions)
    series = o.bundles(owner, sessions, "Spring term", "48", DATES)
    owner.press("Put on sale")
    owner.sees("On sale")
    a_guest_buys_it(program, guest, series)
    the_owner_sees_it(owner, series)
    the_counter_is_one(owner)


def a_guest_buys_it(program: Program, guest: Person, series: str) -> None:
    starts = [row["starts_at"] for row in program.rows(STARTS, UUID(series[-36:]))]
    assert len(starts) == DATES
    guest.go(f"/b/{SLUG}")
    guest.finds_it_accessible(DESK, PHONE)
    guest.follow("Book: Spring term")
    expect(guest.page.locator("ol.dates time")).to_have_count(DATES)
    shown = [time.get_attribute("datetime") for time in guest.page.locator("ol.dates time").all()]
    assert len(set(shown)) == DATES
    guest.finds_it_accessible(DESK, PHONE)
    g.fills_in(guest, "Carl Guest", "carl@example.com")
    guest.press("Pay ")
    g.pays(guest, g.DECLINED)
    g.is_refused(guest)
    g.pays(guest, g.WORKS)
    g.is_booked(guest)
    guest.finds_it_accessible(DESK, PHONE)
    method, entries = the_calendar(the_mail(program, "carl@example.com", ""))
    assert method == "PUBLISH"
    assert [entry.starts_at for entry in entries] == starts
    assert {entry.status for entry in entries} == {"CONFIRMED"}


def the_owner_sees_it(owner: Person, series: str) -> None:
    owner.go(f"{series}/buyers")
    owner.sees("Carl Guest")
    owner.sees("€48.00")
    owner.finds_it_accessible(DESK, PHONE)
    owner.go(series)
    for number in range(DATES):
        owner.go(series)
        owner.page.locator("main table a").nth(number).click()
        owner.is_at("/sessions/")
        owner.sees("Carl Guest")
    owner.finds_it_accessible(DESK, PHONE)
    owner.go(f"/app/{SLUG}/orders")
    owner.sees("Carl Guest")
    owner.sees("€48.00")
    owner.finds_it_accessible(DESK, PHONE)


def the_counter_is_one(owner: Person) -> None:
    """A whole series counts as one booking."""
    owner.go(f"/app/{SLUG}/plan")
    owner.sees("1 of 1,000")
    owner.finds_it_accessible(DESK, PHONE)
    owner.go(f"/app/{SLUG}/today")
    owner.sees("Lesson 1")
    owner.finds_it_accessible(DESK, PHONE)
