"""At the door: who comes is ticked by list and by code; those chosen pay, are written to, and are
sent home.
"""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from src.booking.models import Session
from src.platform.services import Services
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_cancelling import it_is_done
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STATES = (
    "SELECT p.name, s.state FROM seats s JOIN participants p ON p.id = s.participant_id"
    " WHERE s.tenant_id = $1"
)


def today(program: Program, business: Business) -> Session:
    """A session that begins in an hour, at EUR 15 to be paid on site."""

    async def stage(services: Services) -> Session:
        service = await a_service(services.uow_factory, business.id, price_type="on_site")
        return await a_session(services.uow_factory, service, in_days=1 / 24)

    found: Session = program.run(stage)
    return found


def states(program: Program, business: Business) -> dict[str, str]:
    return {row["name"]: row["state"] for row in program.rows(STATES, business.id)}


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_evening_at_the_door(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "ruff" if scripts else "phalarope", paid=False)
    session = today(program, business)
    anna = books(program, business, "session", session.id, "Anna Bakker", "Kim")
    carl = books(program, business, "session", session.id, "Carl Guest")
    books(program, business, "session", session.id, "=cmd()", "Dora")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/sessions/{session.id}")
    owner.sees("Carl Guest")
    owner.looks()
    if scripts:
        has_room_for_addresses(owner)
        has_the_acts_at_hand(owner)
    by_the_list(owner)
    by_the_code(owner, person(PHONE, java_script_enabled=scripts), business, anna)
    assert states(program, business) == {
        "Anna Bakker": "attended",
        "Kim": "attended",
        "Carl Guest": "confirmed",
        "=cmd()": "confirmed",
        "Dora": "confirmed",
    }
    owner.go(f"/app/{business.slug}/sessions/{session.id}")
    they_have_paid(owner)
    one_is_written_to(owner, carl)
    on_paper_and_as_a_file(owner)
    one_is_sent_home(owner, carl)
    assert states(program, business)["Carl Guest"] == "cancelled"


def chooses(owner: Person, *names: str) -> None:
    for name in names:
        owner.page.get_by_label(f"Choose {name}", exact=True).check()


def has_room_for_addresses(owner: Person) -> None:
    """At a desk: two lines at most, and a table that does not move sideways."""
    owner.page.set_viewport_size({"width": DESK, "height": 900})
    least, most, beyond = owner.page.evaluate(
        """() => {
          const table = document.querySelector("#coming [role=region]");
          const shown = [...table.querySelectorAll("a[href^='mailto:']")];
          const lines = (one) => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight);
          return [
            Math.min(...shown.map((one) => one.clientWidth)),
            Math.max(...shown.map(lines)),
            table.scrollWidth - table.clientWidth,
          ];
        }"""
    )
    has_room = least >= 128 or most <= 1.1
    assert (has_room, most <= 2.1, beyond) == (True, True, 0), (least, most, beyond)


def has_the_acts_at_hand(owner: Person) -> None:
    """On a phone, with the first of a long list chosen, without scrolling to its end."""
    owner.page.set_viewport_size({"width": PHONE, "height": 600})
    chooses(owner, "Anna Bakker")
    first = owner.page.locator("#ticked").get_by_role("button").first
    expect(first).to_be_in_viewport(ratio=1)
    owner.finds_it_accessible(PHONE, DESK)
    owner.page.get_by_label("Choose Anna Bakker", exact=True).uncheck()


def by_the_list(owner: Person) -> None:
    """One by one, then all at once, and back again."""
    owner.press("Here: Kim")
    owner.sees("Kim is here.")
    owner.press("Take back: Kim")
    owner.sees("Taken back for Kim.")
    chooses(owner, "Carl Guest", "Dora")
    ticked = owner.page.locator("#ticked")
    owner.press("Here", within=ticked)
    owner.sees("2 are here.")
    owner.looks()
    chooses(owner, "Carl Guest", "Dora")
    owner.press("Take back", within=ticked)
    owner.sees("Taken back for 2.")


def by_the_code(owner: Person, guest: Person, business: Business, email: str) -> None:
    """The number from the mail leads to the booking, and so does the guest's own picture."""
    guest.go(link_in(the_mail(guest.program, email, "You are booked"), "/b/"))
    expect(guest.page.get_by_alt_text(re.compile("^Code of booking"))).to_be_visible()
    guest.looks()
    number = guest.page.locator("main dt:text-is('Number') + dd").inner_text().strip()
    owner.go(f"/app/{business.slug}/check-in")
    owner.type(code="NOT-A-CODE")
    owner.press("Find the booking")
    expect(owner.page.get_by_role("alert")).to_be_visible()
    owner.looks()
    owner.type(code=number)
    owner.press("Find the booking")
    owner.sees("Anna Bakker")
    owner.sees("Still to pay: €30.00")
    owner.looks()
    owner.press("All 2 are here")
    owner.sees("2 people are checked in.")
    owner.press("Take back: Kim")
    owner.sees("Taken back.")
    owner.press("Here: Kim")
    owner.sees("1 person is checked in.")
    owner.looks()


def they_have_paid(owner: Person) -> None:
    owner.press("Mark as paid")
    owner.sees("Choose at least one guest who has a place.")
    owner.looks()
    chooses(owner, "Anna Bakker", "Dora")
    owner.press("Mark as paid")
    owner.sees("Have you taken this money?")
    owner.sees("€60.00")
    owner.looks()
    owner.press("Mark as paid")
    owner.sees("€60.00 noted as paid.")


def one_is_written_to(owner: Person, email: str) -> None:
    chooses(owner, "Carl Guest")
    owner.press("Write to them")
    owner.sees("Who gets it")
    owner.press("Send")
    owner.sees("Please fill this in.")
    owner.looks()
    owner.type(subject="Bring a mat", text="Ours are wet.")
    owner.press("Send")
    owner.sees("1 mail is on its way.")
    mail = the_mail(owner.program, email, "Bring a mat")
    assert "Ours are wet." in mail["text"]


def on_paper_and_as_a_file(owner: Person) -> None:
    more = owner.page.get_by_label("More about this session")
    more.click()
    owner.follow("Door list")
    expect(owner.page.get_by_role("row", name=re.compile("Carl Guest"))).to_be_visible()
    owner.looks()
    owner.follow("Back to the session")
    more.click()
    with owner.page.expect_download() as coming:
        owner.press("Download as CSV")
    content = Path(coming.value.path()).read_text(encoding="utf-8-sig")
    names = [row["Name"] for row in csv.DictReader(io.StringIO(content))]
    assert sorted(names) == ["'=cmd()", "Anna Bakker", "Carl Guest", "Dora", "Kim"]


def one_is_sent_home(owner: Person, email: str) -> None:
    chooses(owner, "Carl Guest")
    owner.press("Cancel places")
    owner.sees("Cancel these places?")
    owner.sees("what is owed for these places falls away")
    owner.type(reason="The floor is wet.")
    owner.looks()
    owner.press("Cancel the places")
    owner.is_at("/cancellations/")
    it_is_done(owner, "1 seat freed, 1 customer told.")
    owner.follow("Back to the session")
    owner.sees("No longer coming")
    owner.looks()
    assert "The floor is wet." in the_mail(owner.program, email, "Cancelled")["text"]
