"""At a desk: an owner cancels a purchase, then a whole session with a guest in checkout."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Term
from tests.support.letters import the_calendar, the_mail
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = pytest.mark.browser

SLUG = "willow"
TAKEN = "SELECT seats_taken FROM sessions WHERE series_id = $1 ORDER BY starts_at"


def test_a_purchase_is_cancelled_and_then_a_session_with_a_hold_in_it(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, SLUG)
    term = a_term(program, business)
    buyer = person(DESK)
    buyer.go(f"/b/{SLUG}/yoga/book?series={term.series.id}")
    g.fills_in(buyer, "Carl Guest", "carl@willow.example")
    buyer.press("Pay ")
    g.pays(buyer, g.WORKS)
    booking = g.is_booked(buyer)
    owner = person(DESK)
    owner.sign_in(f"olive@{SLUG}.example", PASSWORD)
    the_purchase_is_cancelled(program, owner, term)
    buyer.go(booking)
    buyer.sees("This booking is cancelled")
    waiting = person(DESK)
    waiting.go(f"/b/{SLUG}/yoga/book?session={term.sessions[0].id}")
    g.fills_in(waiting, "Dora Late", "dora@willow.example")
    waiting.press("Pay ")
    waiting.is_at("/c/pay/")
    assert taken(program, term)[0] == 1
    the_session_is_cancelled(program, owner, term)
    waiting.page.reload()
    expect(waiting.page.get_by_label("Card number")).to_have_count(0)
    paid = program.rows("SELECT amount_minor FROM payments WHERE tenant_id = $1", business.id)
    assert [row["amount_minor"] for row in paid] == [6000], "the guest in checkout paid nothing"
    orders = program.rows("SELECT state FROM orders WHERE tenant_id = $1", business.id)
    assert sorted(row["state"] for row in orders) == ["cancelled", "confirmed"]


@pytest.mark.slow
def test_a_whole_series_is_cancelled_with_another_amount_for_one_guest(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "alder")
    term = a_term(program, business)
    for guest in ("Carl", "Dora"):
        buyer = person(DESK)
        buyer.go(f"/b/alder/yoga/book?series={term.series.id}")
        g.fills_in(buyer, f"{guest} Guest", f"{guest.lower()}@alder.example")
        buyer.press("Pay ")
        g.pays(buyer, g.WORKS)
        g.is_booked(buyer)
    owner = person(DESK)
    owner.sign_in("olive@alder.example", PASSWORD)
    owner.go(f"/app/alder/series/{term.series.id}/cancel")
    owner.sees("Cancel the whole series?")
    owner.choose(money="full")
    owner.page.get_by_text("Choose another amount for single guests").click()
    owner.finds_it_accessible(PHONE, DESK)
    owner.page.get_by_label("Back to Carl Guest").fill("10")
    owner.press("Cancel the series")
    owner.is_at("/cancellations/")
    owner.sees("€70.00 to 2 guests")
    owner.sees("6 seats freed")
    owner.sees("Given back")
    owner.finds_it_accessible(PHONE, DESK)
    assert taken(program, term) == [0, 0, 0]
    succeeded = "SELECT amount_minor FROM refunds WHERE tenant_id = $1 AND state = 'succeeded'"
    back = program.rows(f"{succeeded} ORDER BY 1", business.id)
    assert [row["amount_minor"] for row in back] == [1000, 6000]


def taken(program: Program, term: Term) -> list[int]:
    return [row["seats_taken"] for row in program.rows(TAKEN, term.series.id)]


def the_purchase_is_cancelled(program: Program, owner: Person, term: Term) -> None:
    confirmation = the_calendar(the_mail(program, "carl@willow.example", "You are booked"))[1]
    owner.go(f"/app/{SLUG}/series/{term.series.id}/buyers")
    owner.follow("Cancel the purchase of Carl Guest")
    owner.sees("Cancel this for Carl Guest?")
    owner.finds_it_accessible(PHONE, DESK)
    owner.type(reason="The roof leaks.")
    owner.press("Cancel purchase")
    owner.sees("Please choose what goes back.")
    owner.finds_it_accessible(PHONE, DESK)
    owner.choose(money="full")
    owner.press("Cancel purchase")
    owner.is_at("/cancellations/")
    owner.sees("1 customer told")
    owner.sees("3 seats freed")
    owner.sees("Given back")
    owner.finds_it_accessible(PHONE, DESK)
    assert taken(program, term) == [0, 0, 0]
    mail = the_mail(program, "carl@willow.example", "Cancelled")
    assert "The roof leaks." in mail["text"]
    assert "€60.00 is on its way back to you" in mail["text"]
    method, entries = the_calendar(mail)
    assert method == "CANCEL"
    assert {entry.status for entry in entries} == {"CANCELLED"}
    told = {entry.uid: entry for entry in entries}
    assert set(told) == {entry.uid for entry in confirmation}
    assert all(told[entry.uid].sequence > entry.sequence for entry in confirmation)


def the_session_is_cancelled(program: Program, owner: Person, term: Term) -> None:
    owner.go(f"/app/{SLUG}/sessions/{term.sessions[0].id}")
    owner.sees("Dora Late")
    owner.follow("Cancel session")
    owner.sees("Cancel this session?")
    owner.finds_it_accessible(PHONE, DESK)
    owner.press("Cancel the session")
    owner.is_at("/cancellations/")
    owner.sees("Nobody had a confirmed seat")
    owner.go(f"/app/{SLUG}/sessions/{term.sessions[0].id}")
    owner.sees("No longer coming")
    assert taken(program, term) == [0, 0, 0]
