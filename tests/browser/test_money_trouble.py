"""Money that comes back against the business's will, and money that will not go back."""

from collections.abc import Callable

import pytest

from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term
from tests.support.program import Program, eventually
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
IS_DISPUTED = "4000 0000 0000 0259"
DISPUTES = "SELECT processor_id, state FROM disputes WHERE tenant_id = $1"
REFUNDS = "SELECT state, attempt FROM refunds WHERE tenant_id = $1"


def buys(guest: Person, business: Business, term: Term, card: str) -> str:
    """A whole series at EUR 60. Returns the path of the booking."""
    guest.go(f"/b/{business.slug}/yoga/book?series={term.series.id}")
    g.fills_in(guest, "Carl Guest", f"carl@{business.slug}.example")
    guest.press("Pay €60.00")
    g.pays(guest, card)
    return g.is_booked(guest)


@WAYS
def test_a_payment_is_disputed_and_the_bank_keeps_it(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "grebe" if scripts else "pochard")
    guest = person(PHONE, java_script_enabled=scripts)
    own = buys(guest, business, a_term(program, business), IS_DISPUTED)
    eventually(lambda: program.rows(DISPUTES, business.id), "the dispute")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    the_dispute_is_seen(owner, business)
    [(dispute, _state)] = program.rows(DISPUTES, business.id)
    program.stripe_knob("dispute", dispute=dispute, outcome="lost")
    eventually(lambda: program.rows(DISPUTES, business.id)[0]["state"] == "lost", "its end")
    what_was_lost_is_counted(owner, business)
    guest.go(own)
    guest.sees("Taken back by your bank")
    guest.looks()


def the_dispute_is_seen(owner: Person, business: Business) -> None:
    """Today leads to the orders, they to the order; nothing can go back twice."""
    owner.go(f"/app/{business.slug}/today")
    owner.sees("A guest's bank disputes 1 payment.")
    owner.looks()
    owner.follow("Look at it")
    owner.sees("Disputed: 1 payment, €60.00")
    owner.looks()
    owner.page.locator("main table a").first.click()
    owner.sees("The guest's bank has it")
    owner.sees("The guest's bank disputes €60.00")
    assert owner.page.get_by_role("link", name="Refund", exact=True).count() == 0
    owner.looks()


def what_was_lost_is_counted(owner: Person, business: Business) -> None:
    owner.go(f"/app/{business.slug}/today")
    owner.sees("The dispute over 1 payment was lost.")
    owner.sees("€60.00 taken back by banks")
    owner.follow("Look at it")
    owner.sees("Dispute lost: 1 payment, €60.00")
    owner.page.locator("main table a").first.click()
    owner.sees("Taken back by the guest's bank")
    owner.looks()
    owner.follow("I have dealt with it")
    owner.sees("Have you dealt with it?")
    owner.sees("you cannot open it again")
    owner.looks()
    owner.press("I have dealt with it")
    owner.sees("The dispute over €60.00 was lost")
    owner.go(f"/app/{business.slug}/today")
    owner.sees("€60.00 taken back by banks")
    assert "was lost" not in owner.page.locator("main").inner_text()
    owner.go(f"/app/{business.slug}/customers?q=carl")
    owner.follow("Carl Guest")
    owner.sees("Their bank has disputed payments")
    owner.looks()


@WAYS
def test_a_refund_that_fails_is_listed_and_tried_again(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "gannet" if scripts else "fulmar")
    term = a_term(program, business)
    guest = person(PHONE, java_script_enabled=scripts)
    own = buys(guest, business, term, g.WORKS)
    program.stripe_knob("refund_status", status="failed", times=1)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/series/{term.series.id}/buyers")
    owner.follow("Cancel the purchase of Carl Guest")
    owner.choose(money="full")
    owner.press("Cancel purchase")
    owner.is_at("/cancellations/")
    cancellation = owner.page.url
    eventually(lambda: refund(program, business) == ("failed", 1), "the failure")
    it_is_listed(owner, business, cancellation)
    guest.go(own)
    guest.sees("Did not arrive")
    guest.looks()
    owner.go(cancellation)
    owner.press("Try the refund to Carl Guest again")
    eventually(lambda: refund(program, business) == ("succeeded", 2), "the second time")
    it_has_gone_back(owner, business, cancellation)
    guest.go(own)
    guest.sees("This booking is cancelled")
    assert "Did not arrive" not in guest.page.locator("main").inner_text()


def refund(program: Program, business: Business) -> tuple[str, int]:
    """The state of the only one, and which attempt that is."""
    found = program.rows(REFUNDS, business.id)
    return (found[0]["state"], found[0]["attempt"]) if len(found) == 1 else ("", 0)


def it_is_listed(owner: Person, business: Business, cancellation: str) -> None:
    owner.go(cancellation)
    owner.sees("1 refund did not go through.")
    owner.sees("card has expired or was cancelled.")
    owner.looks()
    owner.go(f"/app/{business.slug}/today")
    owner.sees("1 refund needs a decision.")
    owner.follow("Look at it")
    owner.sees("Carl Guest")
    owner.page.locator("main table a").first.click()
    owner.sees("Needs you")
    owner.sees("card has expired or was cancelled.")
    owner.looks()


def it_has_gone_back(owner: Person, business: Business, cancellation: str) -> None:
    owner.go(cancellation)
    owner.sees("Given back")
    owner.looks()
    owner.go(f"/app/{business.slug}/orders?state=attention")
    assert "Carl Guest" not in owner.page.locator("main").inner_text()
    owner.go(f"/app/{business.slug}/today")
    assert "needs a decision" not in owner.page.locator("main").inner_text()
