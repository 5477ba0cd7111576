"""Moves that cannot be: by the owner, of a whole date, and by a guest, to a date that filled up."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from src.booking.commands.sessions import get_session
from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Session
from src.platform.services import Services
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_sessions import created, times
from tests.browser.person import DESK, PHONE, ZONE, Person, on_day
from tests.support.builders import PASSWORD, Business, a_service
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
STARTS = "SELECT starts_at, sequence FROM sessions WHERE id = $1"
SEATS = "SELECT session_id, state FROM seats WHERE tenant_id = $1 AND state = 'confirmed'"


def two_evenings(program: Program, business: Business, **second: int) -> tuple[Session, Session]:
    """Ivan leads both, in a week and the day after, at six."""
    day = on_day(7)
    at = datetime(day.year, day.month, day.day, 18, tzinfo=ZONE)

    async def stage(services: Services) -> tuple[Session, Session]:
        factory = services.uow_factory
        leaving = LeavingTerms(moves_before=24).document()
        service = await a_service(factory, business.id, price_type="on_site", leaving=leaving)
        who = {"performer_id": (await a_performer(factory, business)).id}
        one = await created(factory, business, service, **times(at), **who)
        late = times(at + timedelta(days=1))
        other = await created(factory, business, service, **late, **who, **second)
        async with factory(business.id) as uow:
            return await get_session(uow, one), await get_session(uow, other)

    found: tuple[Session, Session] = program.run(stage)
    return found


def to(session: Session, minutes: int = 0) -> dict[str, str]:
    """What the form says for the time of that session, or so many minutes after it."""
    starts_at = session.starts_at.astimezone(ZONE) + timedelta(minutes=minutes)
    ends_at = starts_at + timedelta(hours=1)
    return {"starts_at": f"{starts_at:%Y-%m-%dT%H:%M}", "ends_at": f"{ends_at:%Y-%m-%dT%H:%M}"}


@WAYS
def test_a_date_with_guests_does_not_go_where_it_cannot(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "redshank" if scripts else "greenshank", paid=False)
    first, second = two_evenings(program, business)
    carl = books(program, business, "session", first.id, "Carl Guest")
    the_mail(program, carl, "You are booked")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    before = program.rows(STARTS, first.id)
    owner.go(f"/app/{business.slug}/sessions/{first.id}/edit")
    owner.type(**to(second, minutes=30))
    owner.press("Save session")
    owner.sees("Already taken then by")
    owner.looks()
    owner.type(**to(first, minutes=-8 * 24 * 60))
    owner.press("Save session")
    owner.sees("This start has passed")
    owner.looks()
    owner.type(**to(second, minutes=90))
    owner.press("Save session")
    owner.sees("Move this session and its guests?")
    owner.follow("Keep the time")
    owner.is_at(f"/sessions/{first.id}$")
    assert program.rows(STARTS, first.id) == before, "and it may still be left alone"
    assert [mail["subject"].split(":")[0] for mail in program.mails(to=carl)] == ["You are booked"]


@WAYS
def test_a_guest_keeps_the_old_date_when_the_new_one_has_filled_up(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "pratincole" if scripts else "sanderling", paid=False)
    first, second = two_evenings(program, business, capacity=1)
    carl = books(program, business, "session", first.id, "Carl Guest")
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(link_in(the_mail(program, carl, "You are booked"), "/b/"))
    guest.page.locator(f"main a[href$='/leave?date={first.id}']").click()
    guest.follow("Come on another date instead")
    guest.follow("Choose")
    guest.sees("The place on the old date is freed for others.")
    books(program, business, "session", second.id, "Dora Faster")
    guest.press("Come on this date")
    guest.sees("This date has no room any more.")
    guest.looks()
    expect(guest.page.get_by_role("link", name="Cancel the date instead")).to_be_visible()
    seats = program.rows(SEATS, business.id)
    assert sorted(row["session_id"] for row in seats) == sorted([first.id, second.id])
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/sessions/{first.id}")
    owner.sees("Carl Guest")
