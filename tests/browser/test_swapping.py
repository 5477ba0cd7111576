"""A course's date that becomes a credit, and one that becomes a date of another course at once."""

from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import expect

from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service
from tests.support.letters import link_in, the_calendar, the_mail
from tests.support.policies import a_refund_package, gives_package, leaving
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TAKEN = (
    "SELECT seats_taken FROM sessions WHERE tenant_id = $1 AND series_id = $2 ORDER BY starts_at"
)


def taken(program: Program, business: Business, series_id: UUID) -> list[int]:
    return [row["seats_taken"] for row in program.rows(TAKEN, business.id, series_id)]


def two_courses(program: Program, business: Business) -> tuple[Term, Term]:
    async def stage(services: Services) -> tuple[Term, Term]:
        factory = services.uow_factory
        given = await a_refund_package(factory, business.id)
        yoga = await a_service(factory, business.id)
        own = await a_series(
            factory, yoga, sessions=4, leaving=leaving(course=gives_package(given))
        )
        pilates = await a_service(factory, business.id, slug="pilates", name="Pilates")
        other = await a_series(
            factory,
            pilates,
            sessions=5,
            title="Beginners",
            tags=["beginners"],
            drop_in_allowed=True,
            drop_in_pays=["credit"],
        )
        return own, other

    found: tuple[Term, Term] = program.run(stage)
    return found


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_date_becomes_a_credit_and_another_one_a_date_elsewhere(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "shrike" if scripts else "oriole")
    own, other = two_courses(program, business)
    carl = person(PHONE, java_script_enabled=scripts)
    carl.go(f"/b/{business.slug}/yoga/book?series={own.series.id}")
    carl.sees("you get 1 credit for “Beginner classes”, valid for 60 days")
    email = f"carl@{business.slug}.example"
    g.fills_in(carl, "Carl Guest", email)
    carl.press("Pay €60.00")
    g.pays(carl, g.WORKS)
    g.is_booked(carl)
    page = link_in(the_mail(program, email, "You are booked"), "/b/")
    carl.go(f"{page}/leave?date={own.sessions[0].id}")
    carl.sees("You get 1 credit for “Beginner classes”, valid until")
    carl.looks()
    carl.press("Cancel this date")
    carl.sees("You get 1 credit for “Beginner classes”, valid until")
    assert taken(program, business, own.series.id) == [0, 1, 1, 1]
    carl.go(f"{page}/move?date={own.sessions[1].id}")
    carl.sees("These suit best")
    carl.looks()
    carl.page.locator(f"main a[href*='to={other.sessions[2].id}']").first.click()
    carl.sees("A credit for “Beginner classes” pays it.")
    carl.looks()
    carl.press("Come on this date")
    carl.sees("Done. Your new date is below")
    carl.sees("Pilates")
    carl.looks()
    assert taken(program, business, own.series.id) == [0, 0, 1, 1]
    assert taken(program, business, other.series.id) == [0, 0, 1, 0, 0]
    carl.go(page)
    carl.sees("Exchanged for Pilates · Beginners on")
    carl.looks()
    method, entries = the_calendar(the_mail(program, email, "New date: Pilates"))
    assert (method, len(entries)) == ("PUBLISH", 1)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_choice_shows_the_fields_it_asks_for_at_once(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "garganey" if scripts else "wryneck")
    own, _other = two_courses(program, business)
    owner = person(PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/series/{own.series.id}/refunds")

    def fields(place: int) -> set[str]:
        asked = owner.page.locator(f"main [name^='rules.{place}.']:not([type=hidden])")
        seen = asked.filter(visible=True).all()
        return {(one.get_attribute("name") or "").split(".")[-1] for one in seen}

    steps = {"gives", "before", "unit"}
    assert fields(0) == steps | {"package_id"}
    owner.choose(**{"rules.0.gives": "money"})
    assert fields(0) == steps | {"percent"}
    assert fields(1) == {"gives"}
    owner.choose(**{"rules.1.gives": "money"})
    assert fields(1) == steps | {"percent"}
    owner.type(**{"rules.1.tiers.0.before": "24", "rules.1.tiers.0.percent": "50"})
    owner.choose(**{"rules.1.gives": "package"})
    assert fields(1) == steps | {"package_id"}
    card = owner.page.locator(".gives").nth(1)
    expect(card.get_by_text("no percent applies to it")).to_be_visible()
    owner.choose(**{"rules.2.gives": "credit", "rules.3.gives": "nothing"})
    assert (fields(2), fields(3)) == (steps, {"gives"})
    owner.press("Save")
    owner.sees("Please choose which credit is given back.")
    assert fields(1) == steps | {"package_id"}
    owner.choose(**{"rules.1.gives": "money"})
    assert owner.page.input_value("[name='rules.1.tiers.0.percent']") == "50"
    owner.looks()


def test_the_owner_says_what_comes_back_to_whom(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "nuthatch")
    own, _other = two_courses(program, business)
    owner = person(DESK)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/series/{own.series.id}/refunds")
    owner.sees("Bought the course")
    owner.sees("you get 1 credit for “Beginner classes”")
    owner.looks()
    owner.page.select_option("[name='rules.1.gives']", "money")
    owner.press("Save")
    owner.sees("Please say until when it comes back.")
    owner.looks()
    owner.page.fill("[name='rules.1.tiers.0.before']", "48")
    owner.press("Save")
    owner.sees("Saved. It holds for whoever books from now on.")
