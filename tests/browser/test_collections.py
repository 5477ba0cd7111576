"""An owner keeps something for regulars: one of them books it, and a stranger is turned away."""

from collections.abc import Callable

import pytest

from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_ways_to_book import a_date
from tests.support.builders import PASSWORD, Business
from tests.support.collections import a_customer
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def knows(program: Program, business: Business, name: str, *, established: bool) -> str:
    """A customer of the business. Returns their address."""
    email = f"{name}@{business.slug}.example"

    async def stage(services: Services) -> None:
        await a_customer(services.uow_factory, business.id, email, established=established)

    program.run(stage)
    return email


def signs_in(guest: Person, email: str) -> None:
    """On the page that they were sent to."""
    guest.is_at("/me/sign-in")
    guest.looks()
    guest.type(email=email)
    guest.press("Send me a code")
    guest.type(code=g.code_of(guest.program, email))
    guest.press("Sign in")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_from_the_owners_editor_to_a_regulars_booking(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "mallard" if scripts else "ptarmigan"
    business = staged(program, slug, paid=False, contact_email=f"hello@{slug}.example")
    a_date(program, business, "workshop", price_type="free")
    regular = knows(program, business, "regular", established=True)
    newcomer = knows(program, business, "newcomer", established=False)
    owner = person(DESK if scripts else PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/collections")
    owner.looks()
    owner.go(f"/app/{slug}/collections/new")
    owner.press("Save")
    owner.sees("Give the collection a title.")
    owner.looks()
    owner.type(title="For regulars", cover_text="Thank you for coming back.")
    owner.page.check("main [name=listed_in_portal]")
    owner.page.check("main [name=established_only]")
    owner.page.check("main [name=things]")
    owner.press("Save")
    owner.sees("Only known customers can book this now: Workshop.")
    owner.looks()
    owner.go(f"/app/{slug}/collections")
    owner.looks()
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(f"/b/{slug}")
    assert "Workshop" not in guest.page.locator("main").inner_text()
    guest.go(f"/b/{slug}/collections/for-regulars")
    signs_in(guest, regular)
    guest.is_at("/collections/for-regulars$")
    guest.sees("Thank you for coming back.")
    guest.looks()
    guest.go(f"/b/{slug}/me")
    guest.looks()
    guest.follow("For regulars")
    guest.follow("Choose Workshop")
    guest.looks()
    guest.follow("Book")
    guest.sees("Signed in as")
    guest.press("Book now")
    g.is_booked(guest)
    stranger = person(PHONE, java_script_enabled=scripts)
    stranger.go(f"/b/{slug}/workshop")
    signs_in(stranger, newcomer)
    stranger.is_at(f"/b/{slug}/workshop$")
    stranger.sees("This is for existing customers")
    stranger.sees(f"hello@{slug}.example")
    stranger.looks()
    owner.go(f"/app/{slug}/collections")
    owner.follow("For regulars")
    owner.follow("Delete")
    owner.sees("Everybody can book this then")
    owner.looks()
    owner.press("Delete the collection")
    owner.sees("No collection yet")
    guest.go(f"/b/{slug}")
    guest.sees("Workshop")
