"""Several prices: an owner sets them, a family books at two of them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Term, a_series, a_service
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


TWO_CHANGES = """() => [["counts.full", "1"], ["counts.child", "2"]].forEach(([name, value]) => {
  const list = document.querySelector(`[name="${name}"]`);
  list.value = value;
  list.dispatchEvent(new Event("change", {bubbles: true}));
})"""
"""One right after the other: the answer to the first must not take the second one back."""


@pytest.mark.parametrize(("slug", "scripts"), [("family", True), ("simply", False)])
def test_a_family_books_at_two_prices(
    program: Program, person: Callable[..., Person], slug: str, scripts: bool
) -> None:
    business = staged(program, slug)

    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id)
        return await a_series(services.uow_factory, service, price_type="on_site")

    term: Term = program.run(stage)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/series/{term.series.id}/edit")
    owner.type(**{"prices.0.name": "Child", "prices.0.price": "40"})
    if scripts:
        owner.finds_it_accessible(DESK, PHONE)
    owner.press("Save series")
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(f"/b/{slug}/yoga")
    guest.sees("Series from €40.00")
    guest.follow("Book this series: Spring term")
    if scripts:
        guest.page.evaluate(TWO_CHANGES)
    else:
        guest.choose(**{"counts.child": "2"})
        guest.press("Update the price")
    guest.sees("€140.00")
    expect(guest.page.get_by_label("Name of person 3 (Child)")).to_be_visible()
    if scripts:
        guest.finds_it_accessible(DESK, PHONE)
    guest.type(**{"names.2": "Dora", "names.3": "Emil"})
    g.fills_in(guest, "Carl Guest", f"carl@{slug}.example")
    guest.press("Book now")
    g.is_booked(guest)
    owner.go(f"/app/{slug}/sessions/{term.sessions[0].id}")
    row = owner.page.get_by_role("row").filter(has_text="Dora")
    expect(row).to_contain_text("Child")
