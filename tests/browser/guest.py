"""What a guest does, from the hub to the confirmation."""

from playwright.sync_api import expect

from tests.browser.person import Person

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
