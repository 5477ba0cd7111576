"""Mails that nobody presses for: reminders, which a guest ends, and an owner's digest."""

from collections.abc import Callable

import pytest

from src.billing.cron import work_off
from src.booking.commands.digests import DIGEST_DUE
from src.booking.jobs.digest import send_digest
from src.booking.jobs.remind import remind_due
from src.booking.models import Service, Session
from src.platform.services import Services
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
REMINDED = (
    "SELECT c.name FROM reminders_sent r JOIN bookings b ON b.id = r.booking_id"
    " JOIN customers c ON c.id = b.customer_id WHERE r.tenant_id = $1 ORDER BY r.starts_at"
)


def two_dates(program: Program, business: Business) -> tuple[Service, Session, Session]:
    """Of one service, both for free."""

    async def stage(services: Services) -> tuple[Service, Session, Session]:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        first = await a_session(services.uow_factory, service, in_days=3)
        return service, first, await a_session(services.uow_factory, service, in_days=5)

    found: tuple[Service, Session, Session] = program.run(stage)
    return found


@WAYS
def test_guests_are_reminded_until_one_wants_no_more_of_it(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "linnet" if scripts else "wigeon", paid=False)
    service, first, second = two_dates(program, business)
    carl = books(program, business, "session", first.id, "Carl Guest")
    books(program, business, "session", second.id, "Carl Guest")
    dora = books(program, business, "session", second.id, "Dora Guest")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    she_switches_reminders_on(owner, business, service)
    a_day_before(program, business, first)
    guest = person(PHONE, java_script_enabled=scripts)
    he_ends_them(guest, the_mail(program, carl, "Reminder"))
    a_day_before(program, business, second)
    the_mail(program, dora, "Reminder")
    assert reminded(program, business) == ["Carl Guest", "Dora Guest"]
    guest.press("Get them again")
    guest.sees("You get them again")
    guest.looks()


def she_switches_reminders_on(owner: Person, business: Business, service: Service) -> None:
    """Who is reached is said first."""
    owner.go(f"/app/{business.slug}/services/{service.id}/reminders")
    owner.type(**{"reminders.0.ahead": "9000"})
    owner.choose(**{"reminders.0.unit": "hours"})
    owner.press("Save reminders")
    assert owner.page.locator("[aria-invalid=true]").input_value() == "9000"
    owner.looks()
    owner.type(**{"reminders.0.ahead": "24"})
    owner.press("Save reminders")
    owner.sees("Switch these reminders on?")
    owner.sees("3 bookings")
    owner.looks()
    owner.press("Switch on")
    owner.is_at("/services$")


def a_day_before(program: Program, business: Business, session: Session) -> None:
    """The session comes nearer, instead of the clock, whose turn it is then."""
    program.rows(
        "UPDATE sessions SET starts_at = now() + interval '24 hours',"
        " ends_at = now() + interval '25 hours' WHERE id = $1",
        session.id,
    )
    its_turn(program, business, "remind")
    program.run(remind_due)


def its_turn(program: Program, business: Business, kind: str) -> None:
    program.rows("UPDATE due SET at = now() WHERE tenant_id = $1 AND kind = $2", business.id, kind)


def reminded(program: Program, business: Business) -> list[str]:
    return [row["name"] for row in program.rows(REMINDED, business.id)]


def he_ends_them(guest: Person, mail: dict[str, str]) -> None:
    """By the link in the mail, where looking alone ends nothing."""
    _booking, ends = mail["text"].split("Get no more of these mails")
    guest.go(link_in({"text": ends}, "/b/"))
    guest.sees("No more of these mails?")
    guest.sees("This is about reminders of")
    guest.looks()
    guest.press("Get no more of them")
    guest.sees("You get no more of these mails")
    guest.looks()


@WAYS
def test_an_owner_has_each_day_told_and_ends_it(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "pipit" if scripts else "twite", paid=False)
    _service, first, _second = two_dates(program, business)
    books(program, business, "session", first.id, "Carl Guest")
    owner = person(DESK, java_script_enabled=scripts)
    email = f"olive@{business.slug}.example"
    owner.sign_in(email, PASSWORD)
    owner.go(f"/app/{business.slug}/today")
    owner.follow("Mails to me")
    owner.looks()
    owner.choose(summary="daily")
    owner.press("Save")
    owner.sees("Saved.")
    a_day_passes(program, business)
    mail = the_mail(program, email, "Your day at")
    assert "New bookings: 1" in mail["text"]
    _today, ends = mail["text"].split("Change or end these mails")
    owner.go(link_in({"text": ends}, "/app/"))
    assert owner.page.locator("main input[name=summary]:checked").input_value() == "daily"
    owner.choose(summary="")
    owner.press("Save")
    owner.sees("Saved.")
    assert program.rows("SELECT kind FROM digests WHERE tenant_id = $1", business.id) == []


def a_day_passes(program: Program, business: Business) -> None:
    """What has happened was the day before, and seven o'clock is now."""

    async def tell(services: Services) -> None:
        await work_off(services, (DIGEST_DUE,), send_digest)

    for change in (
        "UPDATE orders SET confirmed_at = confirmed_at - interval '1 day' WHERE tenant_id = $1",
        "UPDATE digests SET told_until = now() - interval '2 days' WHERE tenant_id = $1",
    ):
        program.rows(change, business.id)
    its_turn(program, business, "digest")
    program.run(tell)
