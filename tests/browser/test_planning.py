"""Owners plan: a term again, several dates at once, a smallest group, and calendars elsewhere."""

from collections.abc import Callable
from datetime import datetime

import httpx
import pytest
from playwright.sync_api import expect

from src.booking.jobs.minimum import weigh_minimums
from src.booking.models import Session
from src.platform.services import Services
from tests.browser.person import DESK, PHONE, ZONE, Person, on_day
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service, a_session
from tests.support.letters import link_in, read_calendar, the_calendar, the_mail
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
STARTS = "SELECT starts_at FROM sessions WHERE series_id = $1 ORDER BY starts_at"


def a_course(program: Program, business: Business) -> Term:
    """Three dates, EUR 60 on site."""

    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id, price_type="on_site")
        return await a_series(services.uow_factory, service, price_type="on_site")

    found: Term = program.run(stage)
    return found


def starts(program: Program, series_id: object) -> list[datetime]:
    return [row["starts_at"].astimezone(ZONE) for row in program.rows(STARTS, series_id)]


@WAYS
def test_a_term_is_copied_and_its_dates_are_edited_together(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "lapwing" if scripts else "plover", paid=False)
    term = a_course(program, business)
    carl = books(program, business, "series", term.series.id, "Carl Guest")
    the_mail(program, carl, "You are booked")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/sessions/{term.sessions[1].id}")
    owner.page.get_by_label("More about this session").click()
    owner.follow("Edit several")
    owner.looks()
    owner.page.get_by_label("Time of day").check()
    owner.type(start_time="19:30", reason="The caretaker goes home.")
    owner.press("Look at the dates")
    owner.sees("2 sessions will change")
    owner.looks()
    before = starts(program, term.series.id)
    owner.press("Change them")
    owner.sees("2 sessions are changed.")
    after = starts(program, term.series.id)
    assert after[0] == before[0], "the first is not among those after the second"
    assert [(at.hour, at.minute) for at in after[1:]] == [(19, 30)] * 2
    assert [at.date() for at in after] == [at.date() for at in before]
    mail = the_mail(program, carl, "Changed: Yoga")
    assert "The caretaker goes home." in mail["text"]
    assert {entry.starts_at for entry in the_calendar(mail)[1]} >= set(after[1:])
    a_term_is_copied(owner, business, term)


def a_term_is_copied(owner: Person, business: Business, term: Term) -> None:
    owner.go(f"/app/{business.slug}/series/{term.series.id}")
    owner.page.get_by_label("More about Spring term").click()
    owner.follow("Copy the term")
    owner.looks()
    first = on_day(100)
    owner.type(title="Summer term", first_on=first.isoformat())
    skip = owner.page.get_by_label("Skip public holidays")
    skip.uncheck()
    owner.press("Look at the dates")
    expect(owner.page.locator("main [aria-labelledby=dates] li")).to_have_count(3)
    owner.looks()
    owner.press("Make the new term")
    owner.sees("The new term is a draft.")
    owner.looks()
    copied = starts(owner.program, owner.page.url[-36:])
    source = starts(owner.program, term.series.id)
    assert copied[0].date() == first
    assert [at.date() - first for at in copied] == [at.date() - source[0].date() for at in source]
    assert [at.timetz().replace(tzinfo=None) for at in copied] == [
        at.timetz().replace(tzinfo=None) for at in source
    ]
    owner.press("Put on sale")
    owner.sees("On sale")


@WAYS
def test_chosen_dates_move_together_and_are_cancelled_together(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "wren" if scripts else "siskin", paid=False)
    term = a_course(program, business)
    carl = books(program, business, "series", term.series.id, "Carl Guest")
    the_mail(program, carl, "You are booked")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    listed = f"/app/{business.slug}/series/{term.series.id}"
    before = starts(program, term.series.id)
    owner.go(listed)
    owner.looks()
    ticks = owner.page.locator("main input[name=session_ids]")
    for index in (1, 2):
        ticks.nth(index).check()
    owner.press("Edit chosen")
    owner.sees("2 dates are chosen.")
    owner.page.get_by_label("Day", exact=True).check()
    owner.type(shift_days="7")
    owner.press("Look at the dates")
    owner.sees("2 sessions will change")
    owner.looks()
    owner.press("Change them")
    owner.sees("2 sessions are changed.")
    after = starts(program, term.series.id)
    assert [(then - at).days for then, at in zip(after, before, strict=True)] == [0, 7, 7]
    the_mail(program, carl, "Changed: Yoga")
    owner.follow("Choose all")
    ticks.nth(0).uncheck()
    owner.press("Cancel chosen")
    owner.sees("Cancel 2 dates?")
    owner.looks()
    owner.type(reason="The floor is repaired.")
    owner.press("Cancel 2 dates")
    owner.sees("2 dates")
    owner.looks()


def a_date(program: Program, business: Business, in_days: float) -> Session:
    async def stage(services: Services) -> Session:
        service = await a_service(
            services.uow_factory, business.id, slug=f"talk-{in_days}", price_type="on_site"
        )
        return await a_session(services.uow_factory, service, in_days=in_days)

    found: Session = program.run(stage)
    return found


@WAYS
def test_too_few_have_booked_and_the_owner_decides(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    """Asked by mail, she lets one date take place; nobody answers for the other."""
    business = staged(program, "dove" if scripts else "rook", paid=False)
    session = a_date(program, business, 1.5)
    carl = books(program, business, "session", session.id, "Carl Guest")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    needs_three(owner, business, session, hours=24)
    program.run(weigh_minimums)
    asked = the_mail(program, f"olive@{business.slug}.example", "Too few people so far")
    owner.go(link_in(asked, "/app/"))
    owner.sees("Is it to take place?")
    owner.sees("1 booked so far, and at least 3 are needed.")
    owner.looks()
    owner.press("It takes place")
    owner.sees("It takes place, however many come.")
    owner.sees("Decided: it takes place")
    owner.looks()
    lonely = a_date(program, business, 2)
    dora = books(program, business, "session", lonely.id, "Dora Guest")
    the_mail(program, dora, "You are booked")
    needs_three(owner, business, lonely, hours=24)
    its_time_comes(program, lonely)
    assert "Too few people have booked this date." in the_mail(program, dora, "Cancelled")["text"]
    owner.go(f"/app/{business.slug}/sessions/{lonely.id}")
    owner.sees("No longer coming")
    assert not [mail for mail in program.mails(to=carl) if mail["subject"].startswith("Cancelled")]


def needs_three(owner: Person, business: Business, session: Session, *, hours: int) -> None:
    owner.go(f"/app/{business.slug}/sessions/{session.id}")
    owner.follow("Minimum group size")
    owner.type(min_seats="30", decide_hours=str(hours))
    owner.press("Save")
    owner.sees("Between one and the 10 seats it has.")
    owner.looks()
    owner.type(min_seats="3")
    owner.press("Save")
    owner.sees("The minimum is saved.")
    owner.sees("Needs at least 3 people")


def its_time_comes(program: Program, session: Session) -> None:
    """The session comes nearer, instead of the clock, whose turn it is then."""
    program.rows(
        "UPDATE sessions SET starts_at = now() + interval '10 hours',"
        " ends_at = now() + interval '11 hours' WHERE id = $1",
        session.id,
    )
    program.rows("UPDATE due SET at = now() WHERE ref = $1", session.id)
    program.run(weigh_minimums)


@WAYS
def test_calendars_elsewhere_follow_and_are_ended(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "curlew" if scripts else "godwit", paid=False)
    term = a_course(program, business)
    carl = books(program, business, "series", term.series.id, "Carl Guest")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/calendar")
    owner.follow("In your own calendar")
    owner.looks()
    a_feed_lives(owner, f"/app/{business.slug}/calendar/feeds/business", dates=3)
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(link_in(the_mail(program, carl, "You are booked"), "/b/"))
    guest.follow("Let your calendar follow it")
    guest.looks()
    own = guest.page.url.removeprefix(program.base_url)
    a_feed_lives(guest, own, dates=3)


@WAYS
def test_a_guest_has_all_their_dates_in_a_calendar(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "whimbrel" if scripts else "dunlin", paid=False)
    term, talk = a_course(program, business), a_date(program, business, 5)
    carl = books(program, business, "series", term.series.id, "Carl Guest")
    confirmed = the_mail(program, carl, "You are booked")
    books(program, business, "session", talk.id, "Carl Guest")
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(link_in(confirmed, "/b/"))
    guest.looks()
    guest.follow("All my dates in my calendar")
    guest.press("Send me the link")
    guest.sees("a link to all your dates is on its way")
    guest.looks()
    own = link_in(the_mail(program, carl, "Your dates at"), "/b/")
    guest.go(own)
    guest.looks()
    a_feed_lives(guest, own, dates=4)
    guest.press("Make an address")
    guest.sees("It is shown this once.")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/customers")
    owner.follow("Carl Guest")
    owner.sees("No program has read it yet.")
    owner.looks()
    owner.press("End the address")
    owner.sees("The address has ended.")


def a_feed_lives(somebody: Person, form: str, *, dates: int) -> None:
    """Made, read by a calendar program, and ended."""
    own = somebody.page.locator(f"main form[action='{form}']")
    somebody.press("Make an address", within=own)
    somebody.sees("It is shown this once.")
    somebody.looks()
    address = somebody.page.locator("main code").inner_text().strip()
    answer = httpx.get(address, timeout=30)
    _method, entries = read_calendar(answer.raise_for_status().content)
    assert len(entries) == dates
    revoke = somebody.page.locator(f"main form[action='{form}/revoke']")
    somebody.press("Stop sharing", within=revoke)
    somebody.sees("The address has ended.")
    somebody.looks()
    assert httpx.get(address, timeout=30).status_code in (404, 410)
