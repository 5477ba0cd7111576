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

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
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


@WAYS
def test_a_plan_is_asked_for_and_given(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "small" if scripts else "tiny"
    staged(program, slug, plan="free", paid=False)
    address = an_admin(program, f"Ada-{slug}")
    owner = person(PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/services/new?kind=group")
    owner.sees("Ask for this plan")
    owner.looks()
    owner.press("Ask for this plan")
    owner.sees("Asked for")
    admin = person(DESK, java_script_enabled=scripts)
    admin.sign_in(address, PASSWORD)
    admin.go("/admin")
    admin.sees("1 request waits for an answer")
    admin.looks()
    admin.follow("Answer the requests")
    admin.sees(slug.title())
    admin.looks()
    admin.follow(f"Move {slug.title()} to")
    admin.looks()
    admin.press("Move it and close the request")
    admin.is_at("/admin/")
    admin.sees("Growth")
    owner.go(f"/app/{slug}/services/new")
    owner.sees("What it is")


@WAYS
def test_a_plan_becomes_a_new_version_and_a_business_is_moved(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    """Whichever comes second makes version 3 of the same plan."""
    slug = "minnow" if scripts else "gudgeon"
    staged(program, slug, plan="starter", paid=False)
    address = an_admin(program, f"Grace-{slug}")
    admin = person(DESK, java_script_enabled=scripts)
    admin.sign_in(address, PASSWORD)
    admin.go("/admin/plans")
    for name in ("Free", "Starter", "Growth", "Scale"):
        admin.sees(name)
    admin.looks()
    admin.go("/admin/plans/growth/edit")
    admin.type(bookings_per_month="1500" if scripts else "1600")
    admin.press("Review the changes")
    admin.sees(re.compile("This becomes version [23]"))
    admin.looks()
    admin.press("Save as version ")
    admin.sees("1,500" if scripts else "1,600")
    admin.go("/admin/tenants")
    admin.sees(slug.title())
    admin.looks()
    admin.follow(slug.title())
    admin.sees("Starter, version 1")
    admin.looks()
    admin.follow("Move to a plan")
    version = admin.page.locator("main select[name=version] option", has_text="Scale").first
    admin.choose(version=version.get_attribute("value") or "")
    admin.press("See what changes")
    admin.looks()
    admin.press("Move it to Scale")
    admin.sees("Scale, version 2")
    the_mail(program, f"olive@{slug}.example", "")


@WAYS
def test_the_month_is_full(program: Program, person: Callable[..., Person], scripts: bool) -> None:
    """The guest hears nothing of plans; the owner sees what to do."""
    slug = "popular" if scripts else "crowded"
    business = staged(program, slug, plan="growth", paid=False)

    async def stage(services: Services) -> str:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        session = await a_session(services.uow_factory, service)
        return str(session.id)

    session_id = program.run(stage)
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(f"/b/{slug}/yoga/book?session={session_id}")
    g.fills_in(guest, "Carl Guest", f"carl@{slug}.example")
    program.rows(FILL, business.id)
    guest.press("Book now")
    guest.sees("This cannot be booked at present")
    hears_nothing_of_plans(guest)
    guest.looks()
    guest.go(f"/b/{slug}/yoga/book?session={session_id}")
    guest.sees("This cannot be booked at present")
    hears_nothing_of_plans(guest)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/today")
    owner.sees("Add the bolt-on +100 bookings a month to it")
    owner.looks()


@WAYS
def test_a_bolt_on_is_asked_for_given_and_removed(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "bolted" if scripts else "screwed"
    staged(program, slug, plan="growth", paid=False)
    address = an_admin(program, f"Hedy-{slug}")
    owner = person(PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/plan")
    owner.looks()
    owner.follow("See what changes with Auto-refund")
    owner.sees("€49.00 until now, then €58.00")
    owner.looks()
    owner.type(wanted_for="Courses")
    owner.press("Ask for it")
    owner.sees("Asked for on")
    owner.looks()
    admin = person(DESK, java_script_enabled=scripts)
    admin.sign_in(address, PASSWORD)
    admin.go("/admin/requests")
    admin.sees("for: Courses")
    admin.looks()
    admin.follow(f"Give {slug.title()} Auto-refund")
    admin.sees("It gains")
    admin.looks()
    admin.press("Give it and close the request")
    admin.sees("Given. It counts from now on")
    admin.looks()
    the_mail(program, f"olive@{slug}.example", f"{slug.title()} now has")
    admin.follow("Auto-refund")
    admin.sees(slug.title())
    admin.looks()
    admin.follow("Edit")
    admin.looks()
    admin.go("/admin/bolt-ons")
    admin.looks()
    owner.go(f"/app/{slug}/plan")
    owner.sees("Together a month")
    owner.looks()
    owner.follow("Details of Auto-refund")
    owner.looks()
    owner.follow("Remove Auto-refund")
    owner.sees("Credits that guests have got back stay usable")
    owner.looks()
    owner.press("Remove it now")
    owner.sees("Auto-refund is removed.")
    the_mail(program, f"olive@{slug}.example", f"{slug.title()} no longer has")


def hears_nothing_of_plans(guest: Person) -> None:
    words = guest.page.locator("body").inner_text().lower()
    assert "limit" not in words
    assert not re.search(r"\bplan\b", words)
