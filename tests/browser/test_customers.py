"""At a desk and on a phone, with scripts and without: somebody rings up, is added and booked, pays
by the link in the mail, and turns out to be a customer of old.
"""

from collections.abc import Callable

import pytest

from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIVING = "SELECT name, email, phone FROM customers WHERE tenant_id = $1 AND merged_into IS NULL"
OWNERS = (
    "SELECT DISTINCT c.name FROM seats s JOIN bookings b ON b.id = s.booking_id"
    " JOIN customers c ON c.id = b.customer_id WHERE s.tenant_id = $1"
)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_somebody_rings_up_and_turns_out_to_be_known(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "jackdaw" if scripts else "magpie")
    term = a_term(program, business)
    owner = person(DESK if scripts else PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    she_is_added_from_a_session(owner, business, term)
    booked_at_the_door(owner, term)
    she_is_written_about(owner)
    why_can_she_not_book_this(owner, term)
    a_second_record_comes_up(owner, business, term)
    she_pays(program, person(PHONE), business)
    the_two_become_one(program, owner, business)
    she_cannot_be_erased_yet(owner)
    somebody_is_erased(program, owner, business)


def she_is_added_from_a_session(owner: Person, business: Business, term: Term) -> None:
    owner.go(f"/app/{business.slug}/sessions/{term.sessions[0].id}")
    owner.follow("Book for a guest")
    owner.sees("Who is it for?")
    owner.looks()
    owner.follow("Add customer")
    owner.type(name="Anna Bakker", phone="ring me")
    owner.press("Add customer")
    owner.sees("This is not a phone number.")
    owner.looks()
    owner.type(phone="020 555 0134")
    owner.press("Add customer")
    owner.is_at("/book\\?what=session:")


def booked_at_the_door(owner: Person, term: Term) -> None:
    owner.sees("Book for Anna Bakker")
    owner.looks()
    owner.type(party="Anna Bakker\nKim", note="Rang up.")
    owner.choose(pays="on_site")
    owner.press("Book")
    owner.sees("Booked for Anna Bakker.")
    owner.sees("Kim")
    owner.sees("Still to pay on site")
    assert taken(owner.program, term)[0] == 2


def taken(program: Program, term: Term) -> list[int]:
    sql = "SELECT seats_taken FROM sessions WHERE series_id = $1 ORDER BY starts_at"
    return [row["seats_taken"] for row in program.rows(sql, term.series.id)]


def she_is_written_about(owner: Person) -> None:
    owner.type(text="Prefers the back row.")
    owner.press("Save note")
    owner.sees("Only staff can read it.")
    owner.type(tags="VIP, board")
    owner.press("Save tags")
    owner.sees("The tags are saved.")
    owner.looks()


def why_can_she_not_book_this(owner: Person, term: Term) -> None:
    owner.choose(what=f"session:{term.sessions[0].id}")
    owner.press("Look")
    owner.sees("They have 2 seats in it already.")
    owner.sees("can book this now.")
    owner.type(size="99")
    owner.press("Look")
    owner.sees("The party is bigger than")
    owner.looks()


def a_second_record_comes_up(owner: Person, business: Business, term: Term) -> None:
    owner.go(f"/app/{business.slug}/customers/new")
    owner.type(name="anna bakker", email=f"anna@{business.slug}.example")
    owner.press("Add customer")
    owner.sees("Perhaps the same person")
    owner.follow("Book for them")
    owner.choose(what=f"series:{term.series.id}")
    owner.press("Go on")
    owner.choose(pays="link")
    owner.press("Book")
    owner.sees("A link to pay is on its way")


def she_pays(program: Program, anna: Person, business: Business) -> None:
    mail = the_mail(program, f"anna@{business.slug}.example", "3 places held for you")
    anna.go(link_in(mail, "/b/"))
    anna.sees("Your place is held")
    anna.press("Pay ")
    g.pays(anna, g.WORKS)
    g.is_booked(anna)


def the_two_become_one(program: Program, owner: Person, business: Business) -> None:
    owner.go(f"/app/{business.slug}/customers?q=0205550134")
    owner.follow("Anna Bakker")
    owner.follow("Merge")
    owner.sees("Likely the same person")
    owner.looks()
    owner.follow("anna bakker")
    owner.sees("Make “anna bakker” a part of “Anna Bakker”?")
    owner.looks()
    owner.press("Merge customers")
    owner.sees("is now a part of")
    owner.sees("Spring term")
    owner.looks()
    [left] = program.rows(LIVING, business.id)
    assert dict(left) == {
        "name": "Anna Bakker",
        "email": f"anna@{business.slug}.example",
        "phone": "+31205550134",
    }
    assert [row["name"] for row in program.rows(OWNERS, business.id)] == ["Anna Bakker"]


def she_cannot_be_erased_yet(owner: Person) -> None:
    owner.follow("Erase")
    owner.sees("cannot be erased yet")
    owner.sees("lie ahead. Cancel them first.")
    owner.looks()


def somebody_is_erased(program: Program, owner: Person, business: Business) -> None:
    owner.go(f"/app/{business.slug}/customers/new")
    owner.type(name="Bob Vane", email=f"bob@{business.slug}.example")
    owner.press("Add customer")
    owner.follow("Erase")
    owner.sees("Nobody can undo this.")
    owner.looks()
    owner.type(typed="yes")
    owner.press("Erase for good")
    owner.sees("Please type")
    owner.looks()
    owner.type(typed=f"bob@{business.slug}.example")
    owner.press("Erase for good")
    owner.sees("This person was erased on")
    owner.looks()
    assert "Bob Vane" not in {row["name"] for row in program.rows(LIVING, business.id)}
