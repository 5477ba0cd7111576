"""A guest's own week on their phone: installed, read without network, and gone when they leave."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_portal import has_booked
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IS_KEPT = """async (address) => {
  await navigator.serviceWorker.ready;
  while (!navigator.serviceWorker.controller) {
    await new Promise(done => navigator.serviceWorker.addEventListener("controllerchange", done));
  }
  return Boolean(await caches.match(address, { ignoreVary: true }));
}"""
OFFLINE_NOTE = "There is no network. This is what was kept on this device"


def opens_own_week(guest: Person, slug: str, email: str) -> str:
    """Twice: the page that registers the worker is one that it has not seen."""
    g.enters(guest, slug, email)
    guest.follow("My week")
    guest.sees("Talk")
    guest.looks()
    guest.page.evaluate(IS_KEPT, f"/b/{slug}/app/offline")
    guest.page.reload()
    return f"/b/{slug}/me/week"


def test_a_week_is_read_without_network_until_its_guest_signs_out(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "pebble", paid=False)
    email = "carl@pebble.example"
    has_booked(program, business, email)
    guest = person(PHONE)
    week = opens_own_week(guest, business.slug, email)
    assert guest.page.evaluate(IS_KEPT, week), "kept once it was read under the worker"
    expect(guest.page.get_by_text(OFFLINE_NOTE)).to_be_hidden()

    guest.page.context.set_offline(True)
    guest.go(week)
    guest.sees("Talk")
    expect(guest.page.get_by_text(OFFLINE_NOTE)).to_be_visible()
    guest.finds_it_accessible(PHONE, DESK)
    guest.go(f"/b/{business.slug}")
    guest.sees("There is no network")
    guest.finds_it_accessible(PHONE, DESK)
    guest.follow("My week")
    guest.sees("Talk")

    guest.page.context.set_offline(False)
    guest.go(week)
    expect(guest.page.get_by_text(OFFLINE_NOTE)).to_be_hidden()
    guest.press("Sign out", within=guest.page.locator("header"))
    guest.sees("You are signed out.")
    assert not guest.page.evaluate(IS_KEPT, week), "it was theirs alone"
    guest.page.context.set_offline(True)
    guest.go(week)
    guest.sees("There is no network")


def test_a_session_that_is_over_takes_the_kept_week_along(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "cobble", paid=False)
    email = "carl@cobble.example"
    has_booked(program, business, email)
    guest = person(PHONE)
    week = opens_own_week(guest, business.slug, email)
    assert guest.page.evaluate(IS_KEPT, week)
    guest.page.context.clear_cookies()
    guest.go(week)
    guest.is_at("/me/sign-in")
    assert not guest.page.evaluate(IS_KEPT, week)


def test_weeks_are_turned_without_scripts(program: Program, person: Callable[..., Person]) -> None:
    business = staged(program, "shingle", paid=False)
    email = "carl@shingle.example"
    has_booked(program, business, email)
    guest = person(PHONE, java_script_enabled=False)
    g.enters(guest, business.slug, email)
    guest.follow("My week")
    guest.sees("Talk")
    guest.follow("Later")
    guest.sees("Nothing is booked in this week.")
    guest.follow("This week")
    guest.follow("Talk")
    guest.sees("You are booked")
