"""A guest books by bank transfer, and the owner marks the money as received."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD
from tests.support.letters import the_mail
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def takes_transfers(owner: Person, slug: str, *, looks: bool) -> None:
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/payments")
    if looks:
        owner.finds_it_accessible(DESK, PHONE)
    owner.follow("Take bank transfers")
    owner.type(holder="Lotus Yoga", iban="DE89 3704 0044 0532 0130 01")
    owner.press("Take bank transfers")
    owner.sees("This is no valid IBAN")
    if looks:
        owner.finds_it_accessible(DESK, PHONE)
    owner.type(iban="DE89 3704 0044 0532 0130 00")
    owner.press("Take bank transfers")
    owner.sees("Guests can pay by bank transfer now.")


@pytest.mark.parametrize(("slug", "scripts"), [("wired", True), ("wiredplain", False)])
def test_a_guest_transfers_the_price_and_is_booked_once_it_is_there(
    program: Program, person: Callable[..., Person], slug: str, scripts: bool
) -> None:
    business = staged(program, slug)
    term = a_term(program, business)
    owner = person(DESK, java_script_enabled=scripts)
    takes_transfers(owner, slug, looks=scripts)
    guest, email = person(PHONE, java_script_enabled=scripts), f"carl@{slug}.example"
    guest.go(f"/b/{slug}/yoga/book?series={term.series.id}")
    g.fills_in(guest, "Carl Guest", email)
    guest.page.get_by_label("By bank transfer").check()
    if scripts:
        expect(guest.page.get_by_label("By bank transfer")).to_be_checked()
        guest.looks()
    guest.press("Book now")
    guest.sees("We wait for your transfer")
    guest.sees("DE89 3704 0044 0532 0130 00")
    if scripts:
        guest.looks()
    assert "DE89 3704 0044 0532 0130 00" in the_mail(program, email, "Please transfer")["text"]
    owner.go(f"/app/{slug}/orders?state=transfer")
    owner.sees("Carl Guest")
    if scripts:
        owner.finds_it_accessible(DESK, PHONE)
    owner.page.get_by_role("link", name="Transfer of order").first.click()
    owner.sees("The money is on the account")
    if scripts:
        owner.finds_it_accessible(DESK, PHONE)
    owner.press("Mark as received")
    owner.sees("The money has come, and the order is confirmed.")
    the_mail(program, email, "You are booked")
    guest.page.reload()
    g.is_booked(guest)
