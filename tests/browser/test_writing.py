"""Owners write to guests: to a date, to a series, and in their own words by every booking."""

from collections.abc import Callable
from typing import Any

import pytest

from src.booking.models import Session
from src.platform.services import Services
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service, a_session
from tests.support.letters import the_mail
from tests.support.program import Program, eventually
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


def a_date_and_a_course(program: Program, business: Business) -> tuple[Session, Term]:
    async def stage(services: Services) -> tuple[Session, Term]:
        service = await a_service(services.uow_factory, business.id, price_type="on_site")
        term = await a_series(services.uow_factory, service, price_type="on_site")
        return await a_session(services.uow_factory, service, title="Open evening"), term

    found: tuple[Session, Term] = program.run(stage)
    return found


@WAYS
def test_a_date_and_a_series_are_written_to(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "robin" if scripts else "redpoll", paid=False)
    session, term = a_date_and_a_course(program, business)
    anna = books(program, business, "session", session.id, "Anna Bakker", "Kim")
    carl = books(program, business, "series", term.series.id, "Carl Guest")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/broadcasts")
    owner.sees("Nothing yet")
    owner.looks()
    owner.go(f"/app/{business.slug}/sessions/{session.id}")
    text = "Dear {customer_name}, bring one."
    mail = to_everybody(owner, "More about this session", anna, "Bring a mat", text)
    assert "Dear Anna Bakker, bring one." in mail["text"]
    owner.go(f"/app/{business.slug}/series/{term.series.id}")
    to_everybody(owner, "More about Spring term", carl, "The hall moves", "To the first floor.")
    owner.go(f"/app/{business.slug}/broadcasts")
    owner.sees("Bring a mat")
    owner.looks()
    subjects = {mail["subject"] for mail in program.mails(to=carl)}
    assert "Bring a mat" not in subjects
    owner.follow("Write to guests")
    for name in ("Open evening", "Spring term"):
        owner.page.get_by_role("checkbox", name=name).check()
    owner.type(subject="Both of you", body="Dear {customer_name}, see you.")
    owner.press("See who gets it")
    owner.sees("2 mails")
    owner.looks()
    owner.page.get_by_role("button", name="Send me a trial").first.click()
    owner.sees("The trial is on its way to your own address.")
    trial = the_mail(program, f"olive@{business.slug}.example", "Trial: Both of you")
    assert "Dear Anna Bakker, see you." in trial["text"]
    owner.press("Send it")
    for guest in (anna, carl):
        the_mail(program, guest, "Both of you")


def to_everybody(owner: Person, menu: str, email: str, subject: str, text: str) -> Any:
    """Who gets it is shown before anything leaves, and then how far it has come: to whom has that
    address, and nobody else. Returns the mail.
    """
    owner.page.get_by_label(menu).click()
    owner.follow("Write to all guests")
    owner.type(subject=subject, body="{weather}")
    owner.press("See who gets it")
    owner.sees("There is no {weather} in this mail.")
    owner.looks()
    owner.type(body=text)
    owner.page.get_by_label("Send it to later ones too").check()
    owner.press("See who gets it")
    owner.sees("Nothing is sent yet.")
    owner.sees("1 mail")
    owner.looks()
    owner.press("Send it")
    owner.is_at("/broadcasts/[0-9a-f-]{36}$")
    mail = the_mail(owner.program, email, subject)
    if not owner.scripts:
        eventually(lambda: all_sent(owner), "the end of it")
    owner.sees("Sent: 1 mail.")
    owner.page.reload()
    owner.sees(email)
    owner.looks()
    return mail


def all_sent(owner: Person) -> bool:
    """Without scripts the page is loaded anew."""
    owner.page.reload()
    return owner.page.get_by_text("Sent: 1 mail.").is_visible()


@WAYS
def test_a_confirmation_in_the_business_s_own_words(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "martin" if scripts else "swift", paid=False)
    session, _term = a_date_and_a_course(program, business)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/settings/mails")
    owner.looks()
    owner.page.locator("main a[href$='/settings/mails/confirmed']").click()
    owner.sees("Standard mail")
    owner.type(subject="Lovely: {service}", body="Hello {custmer_name}!")
    owner.press("Save words")
    owner.sees("There is no {custmer_name} in this mail.")
    owner.looks()
    owner.type(body="Hello {customer_name}!\n\n{dates}\n\nSocks on, please.\n\n{booking_link}")
    preview(owner)
    owner.press("Save words")
    owner.sees("are saved.")
    owner.sees("Your own words")
    owner.looks()
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(f"/b/{business.slug}/yoga/book?session={session.id}")
    guest.type(name="Carl Guest", email=f"carl@{business.slug}.example")
    guest.press("Book now")
    guest.sees("You are booked")
    mail = the_mail(program, f"carl@{business.slug}.example", "Lovely: Yoga")
    assert "Hello Carl Guest!" in mail["text"]
    assert "Socks on, please." in mail["html"]
    owner.press("Take the standard mail")
    owner.sees("Guests get the standard mail again.")


def preview(owner: Person) -> None:
    """In a window of its own, as HTML and as text; what was typed stays in the form."""
    for button, expected in (("Preview", "Socks on, please."), ("Preview as text", "Lovely: ")):
        with owner.page.expect_popup() as opened:
            owner.page.get_by_role("button", name=button, exact=True).click()
        shown = opened.value
        shown.wait_for_load_state()
        assert expected in shown.locator("body").inner_text()
        shown.close()
