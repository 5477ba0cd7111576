"""An owner publishes a text, a guest signs it once, and again only when it has changed."""

from collections.abc import Callable

import pytest

from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_ways_to_book import a_date
from tests.support.builders import PASSWORD
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_text_is_signed_once_and_again_when_it_has_changed(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "bustard" if scripts else "corncrake", paid=False)
    talk = a_date(program, business, "talk", price_type="free")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    publishes_first(owner, business.slug)
    guest = person(PHONE, java_script_enabled=scripts)
    email = f"carl@{business.slug}.example"
    form = f"/b/{business.slug}/talk/book?session={talk.id}"
    signs_with_a_booking(guest, form, email)
    g.enters(guest, business.slug, email)
    # Whoever typed the address was nobody we knew, so Carl himself signs once.
    guest.go(form)
    guest.sees("To read and sign")
    guest.type(first="Kim", signature="Carl Guest")
    guest.page.locator("main [name=agree]").check()
    guest.press("Book now")
    g.is_booked(guest)
    guest.go(form)
    guest.sees("Signed in as")
    assert "To read and sign" not in guest.page.locator("main").inner_text()
    changes_it_meanwhile(owner, business.slug)
    guest.go(f"/b/{business.slug}/me")
    guest.sees("One agreement to sign")
    guest.looks()
    guest.follow("Read and sign")
    guest.opens("House rules")
    guest.sees("No dogs.")
    guest.type(signature="Carl Guest")
    guest.page.locator("main [name=agree]").check()
    guest.looks()
    guest.press("Sign")
    guest.sees("Version 2, signed")
    guest.looks()
    owner.go(f"/app/{business.slug}/agreements")
    owner.follow("House rules")
    owner.sees("Carl Guest")
    owner.looks()
    owner.follow("See the signature")
    owner.sees("Signed in, on their own pages")
    owner.looks()


def publishes_first(owner: Person, slug: str) -> None:
    owner.go(f"/app/{slug}/agreements")
    owner.looks()
    owner.follow("New agreement")
    owner.type(title="House rules", text="Shoes stay at the door.")
    owner.looks()
    owner.press("Save and preview")
    owner.sees("Publish version 1?")
    owner.looks()
    owner.press("Publish version 1")
    owner.sees("Nobody has signed it yet")
    owner.follow("Choose")
    owner.page.get_by_label("Talk", exact=True).check()
    owner.looks()
    owner.press("Save")
    owner.sees("Asked for")
    owner.looks()


def signs_with_a_booking(guest: Person, form: str, email: str) -> None:
    guest.go(form)
    g.fills_in(guest, "Carl Guest", email)
    guest.press("Book now")
    guest.sees("Please read and agree to “House rules”.")
    guest.sees("Please type your full name to sign.")
    guest.looks()
    guest.opens("House rules")
    guest.sees("Shoes stay at the door.")
    guest.type(signature="Carl Guest")
    guest.page.locator("main [name=agree]").check()
    guest.press("Book now")
    g.is_booked(guest)


def changes_it_meanwhile(owner: Person, slug: str) -> None:
    owner.go(f"/app/{slug}/agreements")
    owner.follow("House rules")
    owner.follow("Edit the draft")
    owner.type(text="Shoes stay at the door. No dogs.")
    owner.press("Save and preview")
    owner.sees("signed version 1")
    owner.sees("No mail goes out.")
    owner.looks()
    owner.press("Publish version 2")
    owner.sees("Still to sign")
    owner.looks()
