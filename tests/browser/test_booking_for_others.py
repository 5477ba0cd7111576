"""Who books for others and stays away: the field for it is folded until it is wanted."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from src.booking.models import Session
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, a_service, a_session
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHILD = {"key": "child", "name": "Child", "price_minor": 800}


@pytest.mark.parametrize(
    ("slug", "scripts", "width"),
    [
        ("nest", True, PHONE),
        ("nestling", True, DESK),
        ("brood", False, PHONE),
        ("clutch", False, DESK),
    ],
)
def test_a_parent_books_for_a_child_and_then_for_two(
    program: Program, person: Callable[..., Person], slug: str, scripts: bool, width: int
) -> None:
    business = staged(program, slug)

    async def stage(services: Services) -> Session:
        service = await a_service(
            services.uow_factory, business.id, price_type="on_site", price_tiers=[CHILD]
        )
        return await a_session(services.uow_factory, service)

    date: Session = program.run(stage)
    parent = person(width, java_script_enabled=scripts)
    parent.go(f"/b/{slug}/yoga/book?session={date.id}")
    fold = parent.page.locator("main summary", has_text="I am not coming myself")
    first = parent.page.locator("main [name=first]")
    expect(first).to_be_hidden()
    parent.looks()
    fold.press("Enter")
    expect(parent.page.get_by_label("Name of person 1 (Full price)")).to_be_visible()
    parent.looks()
    parent.type(first="Kid One")
    for name, number in (("counts.full", "0"), ("counts.child", "2")):
        parent.choose(**{name: number})
    if not scripts:
        parent.press("Update the price")
    expect(parent.page.get_by_label("Name of person 1 (Child)")).to_have_value("Kid One")
    parent.type(**{"names.2": "Kid Two"})
    g.fills_in(parent, "Paula Parent", f"paula@{slug}.example")
    parent.looks()
    parent.press("Book now")
    g.is_booked(parent)
    parent.sees("Kid One (Child), Kid Two (Child)")
    parent.looks()
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/sessions/{date.id}")
    for name in ("Kid One", "Kid Two"):
        expect(owner.page.get_by_role("row").filter(has_text=name)).to_contain_text("Child")
