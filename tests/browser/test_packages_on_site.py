"""A package that is paid at the desk: it waits, and its credits with it, until the money is noted.

Who may use the credits is said by the guest and by staff, and the form goes by it.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from src.booking.models import Session
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.credits import a_lot, a_package
from tests.support.program import Program, eventually
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
NAME = "5 at the desk"
LOT = "SELECT id, state, balance FROM credit_lots WHERE tenant_id = $1"
SEATS = (
    "SELECT p.name FROM seats s JOIN participants p"
    " ON p.tenant_id = s.tenant_id AND p.id = s.participant_id WHERE s.tenant_id = $1"
)


def two_dates(program: Program, business: Business, **more: object) -> list[Session]:
    async def stage(services: Services) -> list[Session]:
        factory = services.uow_factory
        service = await a_service(factory, business.id, **more)
        return [await a_session(factory, service, in_days=7 + number) for number in range(2)]

    found: list[Session] = program.run(stage)
    return found


@WAYS
def test_it_waits_until_the_owner_has_the_money(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "hoatzin" if scripts else "peewit")
    [date, _later] = two_dates(program, business)

    async def stage(services: Services) -> None:
        await a_package(
            services.uow_factory,
            business.id,
            name=NAME,
            credits=5,
            price_minor=6500,
            pays=["on_site"],
        )

    program.run(stage)
    email = f"carl@{business.slug}.example"
    carl = person(PHONE, java_script_enabled=scripts)
    carl.go(f"/b/{business.slug}/packages")
    carl.follow(f"Get {NAME}")
    carl.type(name="Carl Guest", email=email)
    carl.looks()
    carl.press("Buy now")
    carl.sees("Waiting for payment")
    carl.sees("Pay €65.00 on site.")
    carl.looks()
    g.enters(carl, business.slug, email)
    carl.sees("5 credits, which you can use as soon as they are paid.")
    carl.looks()
    form = f"/b/{business.slug}/yoga/book?session={date.id}"
    carl.go(form)
    carl.sees(f"“{NAME}” is not paid yet, so its credits cannot be used.")
    assert carl.page.locator("main input[value^='credit:']").count() == 0
    carl.looks()
    owner = person(DESK, java_script_enabled=scripts)
    she_notes_the_payment(owner, program, business)
    told = [mail["text"] for mail in two_mails(program, email)]
    assert ["as soon as" in text for text in told] == [True, False]
    carl.page.reload()
    carl.sees("Use 1 of 5 left")
    carl.looks()
    carl.press("Book with 1 credit")
    g.is_booked(carl)
    carl.sees(f"1 credit of “{NAME}”, 4 left")
    carl.looks()
    [lot] = program.rows(LOT, business.id)
    assert (lot["state"], lot["balance"]) == ("active", 4)


def two_mails(program: Program, email: str) -> list[dict[str, Any]]:
    """One of the purchase, and one of the payment."""

    def found() -> list[dict[str, Any]]:
        mails = program.mails(to=email)
        return [one for one in mails if one["subject"].endswith(f": {NAME}")]

    mails: list[dict[str, Any]] = eventually(lambda: len(found()) == 2 and found(), "the two mails")
    return mails


def she_notes_the_payment(owner: Person, program: Program, business: Business) -> None:
    """From the list of credits that wait."""
    [lot] = program.rows(LOT, business.id)
    assert (lot["state"], lot["balance"]) == ("pending", 0)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/credits?state=pending")
    owner.sees("Carl Guest")
    owner.looks()
    owner.follow("Carl Guest")
    owner.sees("Nobody has paid for these credits yet, so they cannot be used.")
    owner.looks()
    owner.follow("Cancel it")
    owner.page.locator("main summary", has_text="Cancel the package").click()
    owner.sees("Then there are no credits, and nothing is owed for them.")
    owner.looks()
    owner.go(f"/app/{business.slug}/credits/{lot['id']}")
    owner.press("Mark as paid")
    owner.is_at("/(orders|credits)/")
    owner.looks()
    owner.go(f"/app/{business.slug}/credits/{lot['id']}")
    owner.sees("5 of 5")
    owner.looks()


@WAYS
def test_a_child_comes_with_credits_that_are_for_it_alone(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    """No more than one may be booked at once, so that without scripts, too, it is seen what changes
    with who comes.
    """
    business = staged(program, "sunbird" if scripts else "spiderhunter")
    [date, later] = two_dates(program, business, max_party=1)
    email = f"carl@{business.slug}.example"

    async def stage(services: Services) -> None:
        await a_lot(services.uow_factory, business.id, email, owner="Carl Guest")

    program.run(stage)
    [lot] = program.rows(LOT, business.id)
    carl = person(PHONE, java_script_enabled=scripts)
    g.enters(carl, business.slug, email)
    he_lets_kim_use_them(carl, business)
    form = f"/b/{business.slug}/yoga/book?session={date.id}"
    carl.go(form)
    carl.sees("The credits of “10 sessions” are for certain people")
    carl.looks()
    kim_comes(carl, scripts=scripts)
    carl.looks()
    carl.press("Book with 1 credit")
    g.is_booked(carl)
    carl.sees("Kim Guest")
    carl.looks()
    assert [row["name"] for row in program.rows(SEATS, business.id)] == ["Kim Guest"]
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    she_lets_everyone_use_them(owner, business, str(lot["id"]))
    carl.go(f"/b/{business.slug}/yoga/book?session={later.id}")
    carl.sees("Use 1 of 9 left")


def he_lets_kim_use_them(carl: Person, business: Business) -> None:
    carl.follow("My people")
    carl.type(name="Kim Guest")
    carl.press("Add")
    carl.sees("Kim Guest is one of your people now.")
    carl.looks()
    carl.go(f"/b/{business.slug}/me")
    carl.sees("everyone in your bookings")
    carl.follow("Change who may use 10 sessions")
    carl.sees("Who may use “10 sessions”")
    kim = carl.page.get_by_label("Kim Guest")
    expect(kim).to_be_hidden()
    carl.looks()
    carl.choose(who="some")
    expect(kim).to_be_visible()
    carl.press("Save")
    carl.sees("Please tick somebody, or let everyone use them.")
    carl.looks()
    kim.check()
    carl.press("Save")
    carl.sees("Saved.")
    carl.sees("Kim Guest")
    carl.looks()
    carl.go(f"/b/{business.slug}/me/people")
    carl.page.locator("main summary", has_text="Remove").click()
    carl.sees("Only Kim Guest may use “10 sessions”.")
    carl.looks()


def kim_comes(carl: Person, *, scripts: bool) -> None:
    carl.choose(first="Kim Guest")
    if not scripts:
        carl.press("Update the price")
    carl.sees("Use 1 of 10 left")


def she_lets_everyone_use_them(owner: Person, business: Business, lot_id: str) -> None:
    owner.go(f"/app/{business.slug}/credits/{lot_id}")
    owner.follow("Kim Guest", within=owner.page.locator("main dl"))
    owner.is_at(f"/credits/{lot_id}/people")
    owner.sees("Who may use them")
    owner.looks()
    owner.choose(who="some")
    owner.page.get_by_label("Kim Guest").uncheck()
    owner.type(reason="Carl asked for it at the desk.")
    owner.press("Save")
    owner.sees("Please tick somebody, or let everyone use them.")
    owner.looks()
    owner.choose(who="everyone")
    owner.press("Save")
    owner.sees("Everyone in their bookings")
    owner.looks()
