"""At a desk, with scripts and without: an owner cancels a purchase, then a whole session with a
guest in checkout, and a whole course.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import guest as g
from tests.browser.person import DESK, Person
from tests.support.builders import PASSWORD, Business, Term
from tests.support.letters import the_calendar, the_mail
from tests.support.program import Program, eventually
from tests.support.stage import a_term, staged

pytestmark = pytest.mark.browser

TAKEN = "SELECT seats_taken FROM sessions WHERE series_id = $1 ORDER BY starts_at"
WAYS = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param(True, id="scripts"),
        pytest.param(False, id="no scripts", marks=pytest.mark.slow),
    ],
)


@pytest.mark.slow
@WAYS
def test_a_purchase_is_cancelled_and_then_a_session_with_a_hold_in_it(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "willow" if scripts else "osier")
    term = a_term(program, business)
    buyer = person(DESK, java_script_enabled=scripts)
    buyer.go(f"/b/{business.slug}/yoga/book?series={term.series.id}")
    g.fills_in(buyer, "Carl Guest", f"carl@{business.slug}.example")
    buyer.press("Pay ")
    g.pays(buyer, g.WORKS)
    booking = g.is_booked(buyer)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    the_purchase_is_cancelled(owner, business, term)
    buyer.go(booking)
    buyer.sees("This booking is cancelled")
    waiting = person(DESK, java_script_enabled=scripts)
    waiting.go(f"/b/{business.slug}/yoga/book?session={term.sessions[0].id}")
    g.fills_in(waiting, "Dora Late", f"dora@{business.slug}.example")
    waiting.press("Pay ")
    waiting.is_at("/c/pay/")
    assert taken(program, term)[0] == 1
    the_session_is_cancelled(owner, business, term)
    waiting.page.reload()
    expect(waiting.page.get_by_label("Card number")).to_have_count(0)
    paid = program.rows("SELECT amount_minor FROM payments WHERE tenant_id = $1", business.id)
    assert [row["amount_minor"] for row in paid] == [6000], "the guest in checkout paid nothing"
    orders = program.rows("SELECT state FROM orders WHERE tenant_id = $1", business.id)
    assert sorted(row["state"] for row in orders) == ["cancelled", "confirmed"]


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_whole_series_is_cancelled_with_another_amount_for_one_guest(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "alder" if scripts else "aspen")
    term = a_term(program, business)
    for guest in ("Carl", "Dora"):
        buyer = person(DESK)
        buyer.go(f"/b/{business.slug}/yoga/book?series={term.series.id}")
        g.fills_in(buyer, f"{guest} Guest", f"{guest.lower()}@{business.slug}.example")
        buyer.press("Pay ")
        g.pays(buyer, g.WORKS)
        g.is_booked(buyer)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/series/{term.series.id}/cancel")
    owner.sees("Cancel the whole series?")
    owner.choose(money="full")
    owner.page.get_by_text("Choose another amount for single guests").click()
    owner.looks()
    owner.page.get_by_label("Back to Carl Guest").fill("10")
    owner.press("Cancel the series")
    owner.is_at("/cancellations/")
    owner.sees("€70.00 to 2 guests")
    it_is_done(owner, "6 seats freed")
    it_is_done(owner, "Given back")
    owner.looks()
    assert taken(program, term) == [0, 0, 0]
    assert back(program, business) == [1000, 6000]


def back(program: Program, business: Business) -> list[int]:
    """What has gone back, in cents, the smallest first."""
    succeeded = "SELECT amount_minor FROM refunds WHERE tenant_id = $1 AND state = 'succeeded'"
    return [row["amount_minor"] for row in program.rows(f"{succeeded} ORDER BY 1", business.id)]


def it_is_done(owner: Person, said: str) -> None:
    """The page follows by itself; without scripts its reader looks again."""

    def looks_again() -> bool:
        owner.page.reload()
        return said in owner.page.locator("main").inner_text()

    if not owner.scripts:
        eventually(looks_again, said)
    owner.sees(said)


def taken(program: Program, term: Term) -> list[int]:
    return [row["seats_taken"] for row in program.rows(TAKEN, term.series.id)]


def the_purchase_is_cancelled(owner: Person, business: Business, term: Term) -> None:
    email = f"carl@{business.slug}.example"
    confirmation = the_calendar(the_mail(owner.program, email, "You are booked"))[1]
    owner.go(f"/app/{business.slug}/series/{term.series.id}/buyers")
    owner.follow("Cancel the purchase of Carl Guest")
    owner.sees("Cancel this for Carl Guest?")
    owner.looks()
    owner.type(reason="The roof leaks.")
    owner.press("Cancel purchase")
    owner.sees("Please choose what goes back.")
    owner.looks()
    owner.choose(money="full")
    owner.press("Cancel purchase")
    owner.is_at("/cancellations/")
    it_is_done(owner, "1 customer told")
    it_is_done(owner, "3 seats freed")
    it_is_done(owner, "Given back")
    owner.looks()
    assert taken(owner.program, term) == [0, 0, 0]
    mail = the_mail(owner.program, email, "Cancelled")
    assert "The roof leaks." in mail["text"]
    assert "€60.00 is on its way back to you" in mail["text"]
    method, entries = the_calendar(mail)
    assert method == "CANCEL"
    assert {entry.status for entry in entries} == {"CANCELLED"}
    told = {entry.uid: entry for entry in entries}
    assert set(told) == {entry.uid for entry in confirmation}
    assert all(told[entry.uid].sequence > entry.sequence for entry in confirmation)


def the_session_is_cancelled(owner: Person, business: Business, term: Term) -> None:
    owner.go(f"/app/{business.slug}/sessions/{term.sessions[0].id}")
    owner.sees("Dora Late")
    owner.follow("Cancel session")
    owner.sees("Cancel this session?")
    owner.looks()
    owner.press("Cancel the session")
    owner.is_at("/cancellations/")
    it_is_done(owner, "Nobody had a confirmed seat")
    owner.go(f"/app/{business.slug}/sessions/{term.sessions[0].id}")
    owner.sees("No longer coming")
    assert taken(owner.program, term) == [0, 0, 0]
