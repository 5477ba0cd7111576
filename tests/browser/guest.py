"""What a guest does, from the hub to the confirmation."""

import re

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.support.letters import the_mail
from tests.support.program import Program

WORKS, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"


def fills_in(guest: Person, name: str, email: str) -> None:
    guest.type(name=name, email=email)
    terms = guest.page.locator("main input[name=terms]")
    if terms.count():
        terms.check()


def pays(guest: Person, card: str) -> None:
    """On the hosted page, by its labels."""
    page = guest.page
    guest.is_at("/c/pay/")
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry month and year").fill("12/34")
    page.get_by_label("Security code").fill("123")
    guest.press("Pay ")


def is_refused(guest: Person) -> None:
    expect(guest.page.get_by_role("alert")).to_contain_text("No money was taken.")


def is_booked(guest: Person) -> str:
    """Returns the path of the booking."""
    guest.is_at("/b/[a-z-]+/bookings/")
    guest.sees("You are booked")
    path = guest.page.url.removeprefix(guest.program.base_url)
    return path.split("?")[0]


def code_of(program: Program, email: str) -> str:
    """The code in the only mail with one that the address got."""
    found = re.search(r"\b\d{3} \d{3}\b", the_mail(program, email, "Your bookings at")["text"])
    assert found is not None
    return found[0]


def enters(guest: Person, slug: str, email: str) -> None:
    """Signs in to the own pages by a code, once."""
    guest.go(f"/b/{slug}/me/sign-in")
    guest.type(email=email)
    guest.press("Send me a code")
    guest.type(code=code_of(guest.program, email))
    guest.press("Sign in")
    guest.is_at(f"/b/{slug}/me$")
