"""Guests who cannot come: a date in time and one too late, the whole course, another date."""

from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import expect

from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Session
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service, a_session
from tests.support.letters import link_in, the_calendar, the_mail
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COURSE = LeavingTerms(tiers=(Tier(before=48, percent=100), Tier(before=24, percent=50)))
SINGLE = LeavingTerms(moves_before=24)
TAKEN = "SELECT seats_taken FROM sessions WHERE tenant_id = $1 ORDER BY starts_at"
WAYS = pytest.mark.parametrize(
    "scripts",
    [
        pytest.param(True, id="scripts"),
        pytest.param(False, id="no scripts", marks=pytest.mark.slow),
    ],
)


def taken(program: Program, business: Business) -> list[int]:
    return [row["seats_taken"] for row in program.rows(TAKEN, business.id)]


def to_the_second(session: Session) -> datetime:
    """As calendar files say when it starts."""
    return session.starts_at.replace(microsecond=0)


def cannot_come(guest: Person, session: Session) -> None:
    guest.page.locator(f"main a[href$='/leave?date={session.id}']").click()
    guest.sees("Can't make it?")


@WAYS
def test_dates_are_left_in_time_and_late_and_then_the_course(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "swan" if scripts else "finch")
    term = a_course_that_begins_today(program, business)
    carl = person(PHONE, java_script_enabled=scripts)
    carl.go(f"/b/{business.slug}/yoga/book?series={term.series.id}")
    email = f"carl@{business.slug}.example"
    g.fills_in(carl, "Carl Guest", email)
    carl.press("Pay €60.00")
    g.pays(carl, g.WORKS)
    g.is_booked(carl)
    own = link_in(the_mail(program, email, "You are booked"), "/b/")
    a_date_is_left_in_time(carl, own, term.sessions[1])
    method, entries = the_calendar(the_mail(program, email, "Cancelled: Yoga, "))
    assert (method, len(entries)) == ("CANCEL", 1)
    assert entries[0].starts_at == to_the_second(term.sessions[1])
    assert taken(program, business) == [1, 0, 1, 1]
    a_date_is_left_too_late(carl, own, term.sessions[0])
    assert taken(program, business) == [0, 0, 1, 1]
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    he_asks_to_leave_the_course(carl, own, "We move away.")
    the_owner_declines(owner, business, term)
    assert "The hall is paid for." in the_mail(program, email, "Your course stays booked: ")["text"]
    carl.go(f"{own}/leave")
    carl.sees("The hall is paid for.")
    carl.looks()
    he_asks_to_leave_the_course(carl, own, "We are gone already.")
    the_owner_accepts(owner, business, term)
    carl.go(own)
    carl.sees("This booking is cancelled")
    carl.looks()
    assert taken(program, business) == [0, 0, 0, 0]


def a_course_that_begins_today(program: Program, business: Business) -> Term:
    """Its first date is in twelve hours, too near to give anything back; three more follow."""

    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id)
        return await a_series(
            services.uow_factory,
            service,
            sessions=4,
            first_in_days=0.5,
            leaving=COURSE.document(),
        )

    found: Term = program.run(stage)
    return found


def a_date_is_left_in_time(guest: Person, own: str, session: Session) -> None:
    guest.go(own)
    guest.sees("all that you paid for it comes back")
    guest.looks()
    cannot_come(guest, session)
    guest.sees("€15.00 goes back the way you paid")
    guest.sees("Cancel until ")
    guest.sees("half of what you paid for it comes back")
    guest.looks()
    guest.press("Cancel this date")
    guest.sees("It is cancelled. €15.00 is on its way back to you.")


def a_date_is_left_too_late(guest: Person, own: str, session: Session) -> None:
    guest.go(own)
    cannot_come(guest, session)
    guest.sees("It is late: the place is freed, but nothing comes back.")
    guest.sees("nothing comes back.")
    guest.looks()
    guest.press("Cancel this date")
    guest.sees("It is cancelled. A mail says so, too.")


def he_asks_to_leave_the_course(guest: Person, own: str, why: str) -> None:
    guest.go(own)
    guest.follow("I want to leave the whole course")
    guest.sees("You keep all your dates until it answers.")
    guest.type(reason=why)
    guest.looks()
    guest.press("Ask to leave")
    guest.sees("The business has your request and answers by mail.")


def the_owner_declines(owner: Person, business: Business, term: Term) -> None:
    owner.go(f"/app/{business.slug}/today")
    owner.sees("Carl Guest asks to leave Yoga · Spring term.")
    owner.go(f"/app/{business.slug}/series/{term.series.id}/buyers")
    owner.follow("Decide")
    owner.sees("We move away.")
    owner.looks()
    owner.press("Decline")
    owner.sees("Please tell the guest why.")
    owner.looks()
    owner.type(answer="The hall is paid for.")
    owner.press("Decline")
    owner.sees("The guest is told by mail and keeps the course.")


def the_owner_accepts(owner: Person, business: Business, term: Term) -> None:
    owner.go(f"/app/{business.slug}/series/{term.series.id}/buyers")
    owner.follow("Decide")
    owner.sees("We are gone already.")
    owner.follow("Cancel the purchase")
    owner.choose(money="nothing")
    owner.press("Cancel purchase")
    owner.is_at("/cancellations/")
    the_mail(owner.program, f"carl@{business.slug}.example", "Cancelled: Yoga · Spring term")
    owner.go(owner.page.url)
    owner.sees("2 seats freed")


@WAYS
def test_a_date_is_exchanged_for_another(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "teal" if scripts else "snipe", paid=False)
    first, second = two_dates(program, business)
    email = books(program, business, "session", first.id, "Dora Guest", "Kim")
    confirmed = the_mail(program, email, "You are booked")
    dora = person(PHONE, java_script_enabled=scripts)
    dora.go(link_in(confirmed, "/b/"))
    cannot_come(dora, first)
    dora.sees("Who cannot come?")
    if scripts:
        for tick in dora.page.locator("main [name=seat]").all():
            tick.uncheck()
        dora.sees("Tick who cannot come, and it is said here.")
    dora.looks()
    dora.follow("Come on another date instead")
    expect(dora.page.get_by_role("link", name="Choose")).to_have_count(1)
    dora.looks()
    dora.follow("Choose")
    dora.sees("The place on the old date is freed for others.")
    dora.page.get_by_label("Kim").uncheck()
    dora.looks()
    dora.press("Come on this date")
    dora.sees("Done. Your new date is below")
    dora.sees("1 of 2 seats")
    dora.looks()
    assert taken(program, business) == [1, 1, 3]
    method, entries = the_calendar(the_mail(program, email, "New date"))
    assert method == "PUBLISH"
    assert [entry.starts_at for entry in entries] == [to_the_second(second)]
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/sessions/{second.id}")
    owner.sees("Dora Guest")
    owner.go(f"/app/{business.slug}/sessions/{first.id}")
    owner.sees("No longer coming")
    owner.sees("Kim")
    owner.looks()


def two_dates(program: Program, business: Business) -> tuple[Session, Session]:
    """Paid on site, exchangeable until a day before; a third date is full."""

    async def stage(services: Services) -> tuple[Session, Session]:
        factory = services.uow_factory
        service = await a_service(
            factory, business.id, price_type="on_site", leaving=SINGLE.document()
        )
        first = await a_session(factory, service)
        second = await a_session(factory, service, in_days=9, capacity=2)
        await a_session(factory, service, in_days=11, capacity=3, seats_taken=3)
        return first, second

    found: tuple[Session, Session] = program.run(stage)
    return found
