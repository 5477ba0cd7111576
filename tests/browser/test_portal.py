"""A guest in their own pages: in by a code, to a booking and back, and out again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.browser import guest as g
from tests.browser.person import PHONE, Person
from tests.browser.test_ways_to_book import a_date
from tests.support.builders import Business
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])


def has_booked(program: Program, business: Business, email: str) -> None:
    """One date that costs something at the door."""
    talk = a_date(program, business, "talk", price_type="on_site")

    async def book(services: Services) -> None:
        wish = a_wish("session", talk.id, guest_name="Carl Guest", guest_email=email)
        await booked(services.uow_factory, business, wish)

    program.run(book)


@WAYS
def test_a_guest_signs_in_by_a_code_and_out_again(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "osprey" if scripts else "kite", paid=False)
    email = f"carl@{business.slug}.example"
    has_booked(program, business, email)
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(f"/b/{business.slug}")
    header = guest.page.locator("header")
    guest.follow("My bookings", within=header)
    guest.looks()
    guest.type(email=email.upper())
    guest.press("Send me a code")
    guest.sees("a mail with a code and a link is on its way there")
    guest.looks()
    guest.type(code="12")
    guest.press("Sign in")
    guest.sees("A code has six digits.")
    guest.looks()
    guest.type(code=g.code_of(program, email))
    guest.press("Sign in")
    guest.is_at(f"/b/{business.slug}/me$")
    guest.sees("to pay on site")
    guest.looks()
    guest.follow("Talk")
    guest.sees("You are booked")
    guest.follow("All my bookings")
    for tab, words in (("Payments", "to pay on site"), ("Profile", "Download my data")):
        guest.follow(tab)
        guest.sees(words)
        guest.looks()
    guest.follow("Erase my data")
    guest.sees("You have 1 place on a date to come.")
    guest.looks()
    guest.go(f"/b/{business.slug}/me/receipts")
    guest.follow("Talk")
    guest.sees("Still to pay on site")
    guest.looks()
    guest.go(f"/b/{business.slug}")
    guest.follow("Book: Talk")
    guest.sees("Signed in as")
    expect(guest.page.locator("main [name=name]")).to_have_value("Carl Guest")
    guest.looks()
    guest.press("Book now")
    g.is_booked(guest)
    guest.follow("Can't make it")
    guest.press("Cancel")
    guest.sees("It is cancelled.")
    guest.go(f"/b/{business.slug}/me")
    guest.sees("Cancelled or exchanged")
    guest.looks()
    guest.press("Sign out", within=header)
    guest.sees("You are signed out.")
    guest.go(f"/b/{business.slug}/me")
    guest.is_at("/me/sign-in")


def test_the_link_in_the_mail_needs_a_press_and_works_once(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "buzzard", paid=False)
    email = "carl@buzzard.example"
    has_booked(program, business, email)
    guest, elsewhere = person(PHONE), person(PHONE)
    guest.go("/b/buzzard/me")
    guest.type(email=email)
    guest.press("Send me a code")
    guest.sees("is on its way there")
    link = link_in(the_mail(program, email, "Your bookings at"), "/b/")
    elsewhere.go(link)
    elsewhere.sees("carl@")
    elsewhere.looks()
    elsewhere.press("Open my bookings")
    elsewhere.is_at("/b/buzzard/me$")
    elsewhere.sees("Talk")
    guest.go(link)
    guest.sees("was used already, or is too old")
