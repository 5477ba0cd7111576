"""Ten credits from their purchase to the refund of the rest: used, lost, over, and good again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from src.billing.jobs.credit_ends import look_at_due_credits
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Session
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person, on_day
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.credits import a_package
from tests.support.letters import the_mail
from tests.support.program import Program, eventually
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
TERMS = LeavingTerms(tiers=(Tier(before=48, percent=100),))
NAME = "10 Yoga sessions"
LOT = "SELECT id, balance, state FROM credit_lots WHERE tenant_id = $1"
ENTRIES = "SELECT kind, credits FROM credit_entries WHERE tenant_id = $1 ORDER BY at, id"
GONE_BACK = "SELECT id FROM refunds WHERE tenant_id = $1 AND state = 'succeeded'"
ACCOUNT = "SELECT account_id FROM connected_accounts WHERE tenant_id = $1"


def four_dates(program: Program, business: Business) -> list[Session]:
    """In the second week from now, at EUR 15 by card, given back until two days before; and a
    package of ten, valid for ninety days.
    """

    async def stage(services: Services) -> list[Session]:
        factory = services.uow_factory
        await a_package(factory, business.id, name=NAME)
        service = await a_service(factory, business.id, leaving=TERMS.document())
        return [await a_session(factory, service, in_days=7 + number) for number in range(4)]

    found: list[Session] = program.run(stage)
    return found


@WAYS
def test_ten_are_bought_used_lost_extended_and_paid_back(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "firecrest" if scripts else "goldcrest")
    dates = four_dates(program, business)
    carl = person(PHONE, java_script_enabled=scripts)
    email = f"carl@{business.slug}.example"
    he_buys_ten(carl, business, email)
    g.enters(carl, business.slug, email)
    bookings = [he_books(carl, business, dates[number], 9 - number) for number in range(3)]
    he_cancels_in_time(carl, bookings[0], dates[0])
    he_cancels_late(carl, bookings[1], dates[1])
    carl.go(f"/b/{business.slug}/me")
    carl.sees("8 of 10 left")
    carl.looks()
    form = f"/b/{business.slug}/yoga/book?session={dates[3].id}"
    carl.go(form)
    carl.sees("Use 1 of 8 left")
    they_end(program, business)
    he_cannot_use_them(carl, business)
    the_mail(program, email, f"“{NAME}” has ended")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    she_extends_them(owner, business)
    changed = mails_about_changes(program, email, 1)[0]["text"]
    assert "The hall was closed." in changed
    carl.go(f"/b/{business.slug}/me")
    carl.sees("8 of 10 left")
    he_books(carl, business, dates[3], 7)
    she_refunds_the_rest(owner, program, business)
    assert "€84.00 is on its way back" in mails_about_changes(program, email, 2)[1]["text"]
    he_sees_that_they_are_paid_back(carl, business, form)


def he_buys_ten(guest: Person, business: Business, email: str) -> None:
    guest.go(f"/b/{business.slug}/packages")
    guest.follow(f"Get {NAME}")
    guest.type(name="Carl Guest", email=email)
    guest.choose(way="online")
    guest.press("Buy now")
    g.pays(guest, g.WORKS)
    guest.is_at("/packages/bought/")
    guest.sees("10 sessions are yours")


def he_books(guest: Person, business: Business, date: Session, left: int) -> str:
    """With one credit, after which so many are left. Returns the path of the booking."""
    guest.go(f"/b/{business.slug}/yoga/book?session={date.id}")
    guest.sees(f"Use 1 of {left + 1} left")
    guest.press("Book with 1 credit")
    path = g.is_booked(guest)
    guest.sees(f"1 credit of “{NAME}”, {left} left")
    return path


def he_cancels_in_time(guest: Person, booking: str, date: Session) -> None:
    guest.go(f"{booking}/leave?date={date.id}")
    guest.sees(f"Your credit of “{NAME}” comes back, valid until")
    guest.looks()
    guest.press("Cancel this date")
    guest.sees("It is cancelled.")
    guest.looks()


def he_cancels_late(guest: Person, booking: str, date: Session) -> None:
    """The date comes nearer, instead of the clock."""
    guest.program.rows(
        "UPDATE sessions SET starts_at = now() + interval '20 hours',"
        " ends_at = now() + interval '21 hours' WHERE id = $1",
        date.id,
    )
    guest.go(f"{booking}/leave?date={date.id}")
    guest.sees("It is late: the place is freed, but your credit does not come back.")
    guest.looks()
    guest.press("Cancel this date")
    guest.sees("It is cancelled.")
    guest.looks()


def they_end(program: Program, business: Business) -> None:
    """The credits grow 91 days older, instead of the clock; both looks are at the same end."""
    program.rows(
        "UPDATE credit_lots SET created_at = created_at - interval '91 days',"
        " end_set_at = end_set_at - interval '91 days',"
        " expires_at = expires_at - interval '91 days' WHERE tenant_id = $1",
        business.id,
    )
    for _look in range(2):
        program.rows(
            "UPDATE due SET at = now() WHERE tenant_id = $1 AND kind = 'credits'", business.id
        )
        program.run(look_at_due_credits)


def he_cannot_use_them(guest: Person, business: Business) -> None:
    """The form was open before they ended."""
    guest.press("Book with 1 credit")
    guest.sees(f"The credits of “{NAME}” have ended.")
    guest.looks()
    guest.go(f"/b/{business.slug}/me")
    guest.sees("You have no credits that you can use now.")
    guest.page.locator("main summary", has_text="1 that is over").click()
    guest.sees("Expired")
    guest.looks()


def lot_of(program: Program, business: Business) -> Any:
    [lot] = program.rows(LOT, business.id)
    return lot


def mails_about_changes(program: Program, email: str, number: int) -> list[dict[str, Any]]:
    def found() -> list[dict[str, Any]]:
        mails = program.mails(to=email)
        subjects = [mail["subject"] for mail in mails]
        is_told = [one.startswith("Your credits at ") and NAME in one for one in subjects]
        return [mail for mail, told in zip(mails, is_told, strict=True) if told]

    mails: list[dict[str, Any]] = eventually(
        lambda: len(found()) >= number and found(), f"{number} mails"
    )
    return mails


def she_extends_them(owner: Person, business: Business) -> None:
    owner.go(f"/app/{business.slug}/credits?state=expired")
    owner.sees("Carl Guest")
    owner.looks()
    owner.follow("Carl Guest")
    owner.sees("They have ended with some left.")
    owner.looks()
    owner.follow("Change the end")
    owner.type(ends_on=on_day(40).isoformat())
    owner.press("Save the end")
    owner.sees("Say why: it stands in the history")
    owner.looks()
    owner.type(reason="The hall was closed.")
    owner.press("Save the end")
    owner.sees("The new end is saved, and the customer is told.")
    owner.sees("8 of 10")
    owner.looks()


def she_refunds_the_rest(owner: Person, program: Program, business: Business) -> None:
    lot_id: UUID = lot_of(program, business)["id"]
    owner.go(f"/app/{business.slug}/credits/{lot_id}")
    owner.follow("Refund the rest")
    owner.sees("By your rule the rest is worth €84.00")
    owner.looks()
    owner.type(reason="Carl moves away.")
    owner.press("Refund and take the credits")
    owner.sees("The credits are gone, and €84.00 is on its way back.")
    owner.sees("Carl moves away.")
    owner.looks()
    assert lot_of(program, business)["balance"] == 0
    kinds = [(row["kind"], row["credits"]) for row in program.rows(ENTRIES, business.id)]
    assert sum(number for _kind, number in kinds) == 0
    assert kinds[-1] == ("refund", -7)
    [(account,)] = program.rows(ACCOUNT, business.id)
    eventually(lambda: _given_back(program, account) == 8400, "the money at Stripe")
    eventually(lambda: program.rows(GONE_BACK, business.id), "the news that it has gone back")


def _given_back(program: Program, account: str) -> int:
    sums = program.stripe_state()["accounts"][account]["sums"]
    return sum(one["refunded_minor"] for one in sums.values())


def he_sees_that_they_are_paid_back(guest: Person, business: Business, form: str) -> None:
    guest.go(f"/b/{business.slug}/me")
    guest.page.locator("main summary", has_text="1 that is over").click()
    guest.sees("Refunded")
    guest.page.locator("main summary", has_text="History").first.click()
    guest.sees("Paid back in money")
    guest.sees("Carl moves away.")
    guest.looks()
    guest.follow("See the purchase")
    guest.sees("Its unused credits were paid back.")
    guest.sees("€84.00")
    guest.looks()
    guest.go(form)
    assert guest.page.locator("main input[value^='credit:']").count() == 0
