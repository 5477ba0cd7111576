"""The platform's desk, and businesses whose plan says no."""

import re
from collections.abc import Callable

import pytest

from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, a_service, a_session
from tests.support.letters import the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FILL = """INSERT INTO booking_counters (tenant_id, month, taken, warned_percent)
VALUES ($1, to_char(now() AT TIME ZONE 'Europe/Amsterdam', 'YYYY-MM'), 100000, 100)
RETURNING taken"""


def an_admin(program: Program, name: str) -> str:
    """The address of a new platform admin; each test has its own, for nobody's is made twice."""
    address = f"{name.lower()}@platform.example"

    async def make(services: Services) -> None:
        from src.running import owners_work
        from src.tenants.cli import create_platform_admin

        now = services.clock.now()
        async with owners_work(services.settings) as owners:
            await create_platform_admin(owners, address, name, PASSWORD, now)

    program.run(make)
    return address


def test_a_plan_is_asked_for_and_given(program: Program, person: Callable[..., Person]) -> None:
    staged(program, "small", plan="free", paid=False)
    address = an_admin(program, "Ada")
    owner = person(PHONE)
    owner.sign_in("olive@small.example", PASSWORD)
    owner.go("/app/small/services/new")
    owner.sees("Ask for this plan")
    owner.finds_it_accessible(DESK, PHONE)
    owner.press("Ask for this plan")
    owner.sees("Asked for")
    admin = person(DESK)
    admin.sign_in(address, PASSWORD)
    admin.go("/admin")
    admin.sees("1 business waits for a plan")
    admin.finds_it_accessible(PHONE, DESK)
    admin.follow("Answer the requests")
    admin.sees("Small")
    admin.finds_it_accessible(PHONE, DESK)
    admin.follow("Move Small to")
    admin.finds_it_accessible(PHONE, DESK)
    admin.press("Move it and close the request")
    admin.is_at("/admin/")
    admin.sees("Growth")
    owner.go("/app/small/services/new")
    owner.sees("What it is")


def test_a_plan_becomes_a_new_version_and_a_business_is_moved(
    program: Program, person: Callable[..., Person]
) -> None:
    staged(program, "minnow", plan="starter", paid=False)
    address = an_admin(program, "Grace")
    admin = person(DESK)
    admin.sign_in(address, PASSWORD)
    admin.go("/admin/plans")
    for name in ("Free", "Starter", "Growth", "Scale"):
        admin.sees(name)
    admin.finds_it_accessible(PHONE, DESK)
    admin.go("/admin/plans/growth/edit")
    admin.type(bookings_per_month="1500")
    admin.press("Review the changes")
    admin.sees("This becomes version 2")
    admin.finds_it_accessible(PHONE, DESK)
    admin.press("Save as version 2")
    admin.sees("1,500")
    admin.go("/admin/tenants")
    admin.sees("Minnow")
    admin.finds_it_accessible(PHONE, DESK)
    admin.follow("Minnow")
    admin.sees("Starter, version 1")
    admin.finds_it_accessible(PHONE, DESK)
    admin.follow("Move to a plan")
    version = admin.page.locator("main select[name=version] option", has_text="Scale").first
    admin.choose(version=version.get_attribute("value") or "")
    admin.press("See what changes")
    admin.finds_it_accessible(PHONE, DESK)
    admin.press("Move it to Scale")
    admin.sees("Scale, version 1")
    the_mail(program, "olive@minnow.example", "")


def test_the_month_is_full(program: Program, person: Callable[..., Person]) -> None:
    """The guest hears nothing of plans; the owner sees what to do."""
    business = staged(program, "popular", plan="growth", paid=False)

    async def stage(services: Services) -> str:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        session = await a_session(services.uow_factory, service)
        return str(session.id)

    session_id = program.run(stage)
    guest = person(PHONE)
    guest.go(f"/b/popular/yoga/book?session={session_id}")
    g.fills_in(guest, "Carl Guest", "carl@popular.example")
    program.rows(FILL, business.id)
    guest.press("Book now")
    guest.sees("This cannot be booked at present")
    hears_nothing_of_plans(guest)
    guest.finds_it_accessible(DESK, PHONE)
    guest.go(f"/b/popular/yoga/book?session={session_id}")
    guest.sees("This cannot be booked at present")
    hears_nothing_of_plans(guest)
    owner = person(DESK)
    owner.sign_in("olive@popular.example", PASSWORD)
    owner.go("/app/popular/today")
    owner.sees("Ask for this plan")
    owner.finds_it_accessible(PHONE, DESK)


def hears_nothing_of_plans(guest: Person) -> None:
    words = guest.page.locator("body").inner_text().lower()
    assert "limit" not in words
    assert not re.search(r"\bplan\b", words)
