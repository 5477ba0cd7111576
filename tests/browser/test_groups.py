"""A group from both sides: staff make it and write to it, and who books comes into it."""

from collections.abc import Callable

import pytest

from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_collections import signs_in
from tests.browser.test_ways_to_book import a_date
from tests.support.builders import PASSWORD
from tests.support.letters import link_in, the_mail
from tests.support.program import Program, eventually
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def is_in(owner: Person, name: str) -> bool:
    """A worker takes guests in, and the page does not follow by itself."""
    owner.page.reload()
    return name in owner.page.locator("main").inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_from_an_empty_group_to_a_members_page_and_out_again(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "starling" if scripts else "lammergeier"
    business = staged(program, slug, paid=False, contact_email=f"hello@{slug}.example")
    a_date(program, business, "workshop", price_type="free")
    email = f"member@{slug}.example"
    owner = person(DESK if scripts else PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/groups")
    owner.sees("No group yet")
    owner.looks()
    owner.go(f"/app/{slug}/groups/new")
    owner.press("Save")
    owner.sees("Give the group a title.")
    owner.looks()
    owner.type(title="Early birds", about="Who gets up first.")
    owner.page.check("main [name=shows_members]")
    owner.press("Save")
    owner.sees("Nobody is in it yet")
    owner.page.check("main [name=things]")
    owner.page.locator("#givers").get_by_role("button", name="Save").click()
    owner.sees("Whoever buys one of these from now on becomes a member.")
    owner.looks()

    guest = person(PHONE if scripts else DESK, java_script_enabled=scripts)
    guest.go(f"/b/{slug}/workshop")
    guest.follow("Book")
    g.fills_in(guest, "Mona Member", email)
    guest.press("Book now")
    g.is_booked(guest)
    owner.go(f"/app/{slug}/groups")
    owner.follow("Early birds")
    eventually(lambda: is_in(owner, "Mona Member"), "what the booking gives")
    owner.sees("Mona Member")
    owner.follow("Write a post")
    owner.looks()
    owner.type(title="We meet on the roof", body="On Saturday.\n\nBring something warm.")
    owner.page.check("main [name=mail]")
    owner.press("Publish")
    owner.sees("It is on the group's page, and goes by mail now.")
    owner.looks()

    mail = the_mail(program, email, "We meet on the roof – Early birds")
    guest.go(link_in(mail, f"/b/{slug}/me/groups/early-birds"))
    signs_in(guest, email)
    guest.is_at("/me/groups/early-birds#post-")
    guest.sees("Bring something warm.")
    guest.sees("Nobody shows theirs yet.")
    guest.looks()
    guest.page.check("main [name=is_shown]")
    guest.press("Save")
    guest.sees("The other members can read your name.")
    guest.follow("Leave the group")
    guest.looks()
    guest.press("Leave the group")
    guest.sees("You have left")

    owner.go(f"/app/{slug}/groups")
    owner.follow("Early birds")
    owner.sees("Nobody is in it yet")
    owner.page.locator("header").get_by_role("link", name="Delete", exact=True).click()
    owner.sees("This is gone for good")
    owner.looks()
    owner.press("Delete the group")
    owner.sees("No group yet")
