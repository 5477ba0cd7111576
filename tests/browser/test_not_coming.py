"""Who cannot come frees the date or gives it away; who does not come is asked for a fee."""

from collections.abc import Callable
from typing import Any

import pytest

from src.billing.jobs.fees import charge_due_fees
from src.booking.domain.fees import FeeRule
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.jobs.remind import remind_due
from src.booking.models import Session
from src.platform.services import Services
from tests.browser.guest import WORKS, pays
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_reminding import its_turn
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.letters import link_in, the_calendar, the_mail
from tests.support.program import Program, eventually
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
TERMS = LeavingTerms(
    tiers=(Tier(before=48, percent=100),),
    hand_on_before=2,
    late_fee=FeeRule(amount_minor=500, currency="EUR"),
    no_show_fee=FeeRule(percent=50),
)


def a_date(program: Program, business: Business, **more: Any) -> Session:
    """At EUR 15, to be paid on site, a day from now, and reminded of a day before."""

    async def stage(services: Services) -> Session:
        service = await a_service(
            services.uow_factory,
            business.id,
            price_type="on_site",
            leaving=TERMS.document(),
            reminders=[{"ahead": 24, "unit": "hours", "since": "2020-01-01T00:00:00Z"}],
            **more,
        )
        return await a_session(services.uow_factory, service, in_days=3)

    found: Session = program.run(stage)
    return found


def moved(program: Program, session: Session, hours: int) -> None:
    """The session comes nearer, instead of the clock."""
    program.rows(
        "UPDATE sessions SET starts_at = now() + make_interval(hours => $2),"
        " ends_at = now() + make_interval(hours => $2 + 1) WHERE id = $1",
        session.id,
        hours,
    )


@WAYS
def test_a_place_is_given_away_or_freed_late_from_the_booking(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "dunnock" if scripts else "serin", paid=False)
    session = a_date(program, business)
    carl = books(program, business, "session", session.id, "Carl Guest", "Kid")
    path = link_in(the_mail(program, carl, "You are booked"), "/b/")
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(path)
    guest.looks()
    guest.follow("Give it away")
    guest.sees("Whose place is it?")
    guest.looks()
    guest.press("Give the place away")
    guest.looks()
    guest.page.get_by_label("Kid").check()
    guest.type(name="Ben", address=f"ben@{business.slug}.example")
    guest.press("Give the place away")
    guest.sees("Done. Ben has a mail with the date.")
    given = the_mail(program, f"ben@{business.slug}.example", "Carl Guest gives you a place")
    assert [entry.status for entry in the_calendar(given)[1]] == ["CONFIRMED"]
    gone = the_mail(program, carl, "Ben comes instead")
    assert the_calendar(gone)[0] == "CANCEL"
    moved(program, session, 24)
    guest.go(f"{path}/leave?date={session.id}")
    guest.sees("A fee of €10.00 is asked")
    guest.looks()
    guest.press("Cancel this date")
    guest.sees("It is cancelled")
    guest.go(f"{path}/leave?date={session.id}")
    guest.sees("You are out of it already")
    guest.looks()
    the_mail(program, f"ben@{business.slug}.example", "Cancelled")


def a_day_after(program: Program, business: Business) -> None:
    program.rows("UPDATE due SET at = now() WHERE tenant_id = $1 AND kind = 'fee'", business.id)
    program.run(charge_due_fees)


@WAYS
def test_who_does_not_come_pays_a_fee_and_another_is_forgiven(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "hawfinch" if scripts else "crossbill")
    session = a_date(program, business)
    carl = books(program, business, "session", session.id, "Carl Guest")
    dora = books(program, business, "session", session.id, "Dora Guest")
    the_mail(program, dora, "You are booked")
    moved(program, session, 24)
    its_turn_to_remind(program, business)
    reminder = the_mail(program, carl, "Reminder")
    assert "/leave?date=" in reminder["text"]
    moved(program, session, -1)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    she_marks_nobody_came(owner, program, business, session)
    owner.go(f"/app/{business.slug}/fees")
    owner.sees("€15.00")
    owner.looks()
    owner.page.locator("tr", has_text="Dora Guest").get_by_role("link").first.click()
    owner.sees("No mail has asked the guest to pay it yet.")
    owner.looks()
    owner.press("Forgive the fee")
    assert owner.page.locator("[aria-invalid=true]").count() == 1
    owner.type(reason="She was ill.")
    owner.press("Forgive the fee")
    owner.sees("She was ill.")
    a_day_after(program, business)
    path = link_in(the_mail(program, carl, "A fee of"), f"/b/{business.slug}/fees/")
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(path)
    guest.sees("A fee of €7.50")
    guest.looks()
    guest.press("Pay €7.50 now")
    pays(guest, WORKS)
    guest.is_at("/fees/")
    guest.sees("It is paid. Thank you.")
    guest.looks()
    owner.go(f"/app/{business.slug}/fees?state=paid")
    owner.sees("Carl Guest")


def its_turn_to_remind(program: Program, business: Business) -> None:
    program.rows(
        "INSERT INTO due (id, tenant_id, kind, at, ref) VALUES (gen_random_uuid(), $1, 'remind',"
        " now(), $1)",
        business.id,
    )
    its_turn(program, business, "remind")
    program.run(remind_due)


def she_marks_nobody_came(
    owner: Person, program: Program, business: Business, session: Session
) -> None:
    owner.go(f"/app/{business.slug}/sessions/{session.id}")
    for name in ("Carl Guest", "Dora Guest"):
        owner.page.get_by_label(f"Choose {name}", exact=True).check()
    owner.press("Did not come", within=owner.page.locator("#ticked"))
    eventually(
        lambda: len(program.rows("SELECT id FROM fees WHERE tenant_id = $1", business.id)) == 2,
        "two fees",
    )


@WAYS
def test_a_guest_keeps_their_people_and_books_for_them(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "brambling" if scripts else "chiffchaff", paid=False)
    session = a_date(program, business)
    carl = books(program, business, "session", session.id, "Carl Guest")
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(f"/b/{business.slug}/me/sign-in")
    guest.type(email=carl)
    guest.press("Send me a code")
    guest.is_at("/me/code")
    mail = eventually(
        lambda: [one for one in program.mails(to=carl) if "/me/link/" in one["text"]], "the code"
    )[0]
    guest.go(link_in(mail, f"/b/{business.slug}/me/link/"))
    guest.press("Open my bookings")
    guest.go(f"/b/{business.slug}/me/people")
    guest.looks()
    guest.type(name="Lia", note="Allergic to nuts")
    guest.press("Add")
    guest.sees("Lia is one of your people now.")
    guest.looks()
    guest.go(f"/b/{business.slug}/yoga/book?session={session.id}")
    guest.looks()
