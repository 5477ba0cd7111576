"""A guest finds a time on the calendar, pays for it, moves it by link and cancels it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from src.booking.domain.free_times import Hours
from src.booking.domain.leaving import LeavingTerms, Tier
from src.platform.services import Services
from tests.browser.guest import WORKS, fills_in, is_booked, pays
from tests.browser.person import PHONE, Person
from tests.browser.test_guest_packages import shoots
from tests.support.appointments import a_practice
from tests.support.letters import the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TERMS = LeavingTerms(moves_before=1, tiers=(Tier(before=1, percent=100),)).document()
TIMES = "#times a[href*='at=']"


def picks(guest: Person, place: int) -> str:
    """One of the day's times, by its place; returns what it says."""
    time = guest.page.locator(TIMES).nth(place)
    said = time.locator("span").first.inner_text()
    time.click()
    return said


def opens_a_whole_day(guest: Person) -> None:
    """The third free one of the month, by the keyboard: how much is left of the first ones depends
    on the hour at which the test is run.
    """
    days = guest.page.locator("#picker table a")
    if days.count() < 3:
        guest.page.locator("#picker a[rel=next]").click()
        expect(guest.page.locator("#picker a[rel=prev]")).to_be_visible()
    chosen = days.nth(2).inner_text()
    days.nth(2).focus()
    guest.page.keyboard.press("Enter")
    expect(guest.page.locator("#picker [aria-current=date]")).to_have_text(chosen)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_time_is_found_paid_for_moved_and_cancelled(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "smew-talks" if scripts else "gadwall-talks"
    business, email = staged(program, slug), f"ada@{slug}.example"

    async def stage(services: Services) -> None:
        every_day = {day: [Hours(9 * 60, 17 * 60)] for day in range(7)}
        await a_practice(
            services.uow_factory,
            business,
            "Nora Night",
            "Ben Bow",
            week=every_day,
            name="Coaching",
            description="An hour of your own: bring a question, leave with a plan.",
            price_type="online",
            leaving=TERMS,
            appointment={
                "lengths": [{"minutes": 30, "price_minor": 3500}],
                "after_minutes": 15,
            },
        )

    program.run(stage)
    ada = person(PHONE, java_script_enabled=scripts)
    ada.go(f"/b/{slug}")
    ada.sees("By appointment")
    ada.looks()
    shoots(ada, "appointment-hub")
    ada.follow("Coaching")
    ada.sees("Choose a day and a time")
    ada.looks()
    shoots(ada, "appointment")
    ada.follow("30 min")
    expect(ada.page.locator("#picker a[aria-current=true]").first).to_contain_text("30 min")
    ada.follow("Ben Bow")
    expect(ada.page.locator("#picker a[aria-current=true]").last).to_have_text("Ben Bow")
    opens_a_whole_day(ada)
    ada.page.reload()
    ada.looks()
    shoots(ada, "appointment-day")
    first = picks(ada, 2)
    ada.is_at("/coaching/book")
    ada.sees(first)
    ada.sees("With Ben Bow")
    ada.sees("€35.00")
    fills_in(ada, "Ada Guest", email)
    ada.looks()
    shoots(ada, "appointment-form")
    ada.press("Pay €35.00")
    pays(ada, WORKS)
    path = is_booked(ada)
    ada.sees("with Ben Bow")
    ada.looks()
    shoots(ada, "appointment-booked")
    the_mail(program, email, "You are booked")

    ada.follow("Choose another time")
    ada.is_at("/time")
    ada.looks()
    opens_a_whole_day(ada)
    shoots(ada, "appointment-move")
    second = picks(ada, 8)
    assert second != first
    ada.sees("The old time is freed for others.")
    ada.looks()
    shoots(ada, "appointment-move-sure")
    ada.press("Come at this time")
    ada.sees("Done. Your new time is below")
    ada.sees(second)
    ada.looks()

    ada.go(path)
    ada.follow("Can't make it")
    ada.sees("€35.00")
    ada.looks()
    shoots(ada, "appointment-leave")
    ada.press("Cancel this date")
    ada.sees(re.compile("cancelled", re.IGNORECASE))
    assert ada.complaints == []
