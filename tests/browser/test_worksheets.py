"""An owner puts a worksheet together, a booking asks for it, and the guest fills it in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from src.booking.web.guest_worksheets import LARGEST_BODY
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_ways_to_book import a_date
from tests.support.builders import PASSWORD
from tests.support.program import Program
from tests.support.stage import staged
from tests.support.worksheets import PDF

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_form_is_put_together_asked_for_filled_in_and_read(
    program: Program, person: Callable[..., Person], tmp_path: Path, scripts: bool
) -> None:
    business = staged(program, "jacana" if scripts else "hamerkop", paid=False)
    talk = a_date(program, business, "talk", price_type="free")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    puts_together(owner, business.slug)
    guest = person(PHONE, java_script_enabled=scripts)
    email = f"carl@{business.slug}.example"
    guest.go(f"/b/{business.slug}/talk/book?session={talk.id}")
    g.fills_in(guest, "Carl Guest", email)
    guest.press("Book now")
    g.is_booked(guest)
    guest.sees("A worksheet comes with it")
    guest.looks()
    g.enters(guest, business.slug, email)
    guest.sees("One worksheet to fill in")
    guest.looks()
    owner.go(f"/app/{business.slug}/worksheets")
    owner.follow("Health")
    owner.follow("Open the worksheet of Carl Guest")
    owner.sees("The guest has not begun to fill it in.")
    owner.looks()
    guest.follow("Health")
    fills_in(guest, tmp_path)
    owner.go(f"/app/{business.slug}/worksheets")
    owner.looks()
    owner.follow("Health")
    owner.sees("Carl Guest")
    owner.looks()
    owner.follow("Read the answers")
    owner.sees("letter.pdf")
    owner.sees("4 of 5")
    owner.looks()
    owner.type(why="Which knee?")
    owner.press("Open it again")
    owner.sees("Open again for a correction")
    owner.looks()
    guest.go(f"/b/{business.slug}/me/worksheets")
    guest.sees("To be corrected and sent again")
    guest.looks()
    guest.follow("Health")
    guest.sees("Which knee?")
    guest.press("Send")
    guest.sees("your answers are sent")
    is_given_and_taken_back(owner, guest, business.slug)


def is_given_and_taken_back(owner: Person, guest: Person, slug: str) -> None:
    owner.go(f"/app/{slug}/customers")
    owner.follow("Carl Guest")
    owner.press("Send the link")
    owner.sees("The worksheet is given.")
    guest.go(f"/b/{slug}/me/worksheets")
    guest.sees("One worksheet to fill in")
    owner.go(f"/app/{slug}/worksheets")
    owner.follow("Health")
    owner.follow("Open the worksheet of Carl Guest")
    owner.press("Take it back")
    owner.sees("there is nothing for the guest to fill in any more")
    owner.looks()
    guest.go(f"/b/{slug}/me/worksheets")
    guest.sees("Sent on")
    assert guest.page.get_by_text("worksheet to fill in").count() == 0


def puts_together(owner: Person, slug: str) -> None:
    owner.go(f"/app/{slug}/worksheets")
    owner.looks()
    owner.follow("New worksheet")
    owner.type(title="Health", introduction="So that it fits you.")
    owner.looks()
    owner.press("Save")
    for label, kind in (("Knees?", "short"), ("How well do you sleep?", "scale")):
        owner.follow("Add a question")
        owner.type(label=label)
        owner.choose(kind=kind)
        owner.page.get_by_label("It has to be answered").check()
        owner.press("Save the question")
        owner.sees(label)
    owner.follow("Add a question")
    owner.type(label="A letter")
    owner.choose(kind="file")
    owner.looks()
    owner.press("Save the question")
    owner.press("Move A letter up")
    owner.looks()
    owner.follow("Preview and publish")
    owner.sees("Publish version 1?")
    owner.looks()
    owner.press("Publish version 1")
    owner.follow("Choose")
    owner.page.get_by_label("Talk", exact=True).check()
    owner.looks()
    owner.press("Save")
    owner.sees("Once per customer")
    owner.looks()


def fills_in(guest: Person, folder: Path) -> None:
    guest.sees("So that it fits you.")
    guest.looks()
    guest.press("Send")
    guest.sees("Please answer this question.")
    guest.sees("Please choose an answer.")
    guest.looks()
    guest.page.locator("main input[type=text]").fill("The left one")
    guest.press("Save and go on later")
    guest.sees("Saved, and not sent yet")
    bad, letter = folder / "letter.exe", folder / "letter.pdf"
    bad.write_bytes(b"MZ" + bytes(20))
    letter.write_bytes(PDF)
    guest.page.locator("main input[type=file]").set_input_files(bad)
    guest.press("Send")
    guest.sees("This kind of file cannot be used here.")
    huge = folder / "huge.pdf"
    huge.write_bytes(PDF.ljust(2 * LARGEST_BODY, b" "))
    guest.page.locator("main input[type=file]").set_input_files(huge)
    guest.press("Send")
    guest.sees("What you chose is too large to be sent")
    guest.page.locator("main input[type=file]").set_input_files(letter)
    guest.page.locator("main input[type=radio][value='4']").check()
    guest.press("Send")
    guest.sees("your answers are sent")
    guest.sees("The left one")
    guest.looks()
