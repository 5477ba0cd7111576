"""Single dates of a series: an owner says how they are sold, a guest chooses how to pay."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from src.booking.models import Series
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def a_run(program: Program, business: Business) -> Term:
    """Dates that may be paid online and on site, and open three days before they start."""
    term = a_term(program, business)

    async def rule(services: Services) -> None:
        async with services.uow_factory(business.id) as uow:
            series = await uow.session.get_one(Series, (business.id, term.series.id))
            series.drop_in_opens_before, series.drop_in_pays = 3, ["online", "on_site"]

    program.run(rule)
    return term


@pytest.mark.parametrize(("slug", "scripts"), [("choice", True), ("plainly", False)])
def test_a_date_is_opened_early_and_paid_on_site(
    program: Program, person: Callable[..., Person], slug: str, scripts: bool
) -> None:
    business = staged(program, slug)
    session = a_run(program, business).sessions[0]
    guest = person(PHONE, java_script_enabled=scripts)
    guest.go(f"/b/{slug}/yoga?how=single")
    guest.sees("Single places from")
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/sessions/{session.id}")
    owner.follow("How single places are sold")
    owner.type(drop_in_opens_before="0", drop_in_price="12")
    if scripts:
        owner.finds_it_accessible(DESK, PHONE)
    owner.press("Save")
    owner.sees("Single places of this date are sold like this from now on.")
    guest.go(f"/b/{slug}/yoga/book?session={session.id}")
    guest.sees("Part of Spring term")
    guest.sees("€12.00")
    g.fills_in(guest, "Carl Guest", f"carl@{slug}.example")
    guest.page.get_by_label("On site").check()
    if scripts:
        expect(guest.page.get_by_label("On site")).to_be_checked()
        guest.finds_it_accessible(DESK, PHONE)
    guest.press("Book now")
    g.is_booked(guest)
    guest.sees("To pay on site")
