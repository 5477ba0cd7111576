"""An owner makes a code, a guest pays less by it, and the owner sees who, and why nobody else."""

from collections.abc import Callable

import pytest

from tests.browser.guest import WORKS, fills_in, is_booked, pays
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_code_from_the_owners_form_to_the_last_of_its_uses(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "ibis" if scripts else "crane"
    business = staged(program, slug)
    term = a_term(program, business)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/coupons")
    owner.follow("New coupon")
    owner.type(code="welcome", percent="10", max_uses="1")
    owner.looks()
    owner.press("Save")
    owner.sees("Not used yet")
    here = owner.page.url.removeprefix(program.base_url)
    form = f"/b/{slug}/yoga/book?series={term.series.id}"
    carl = person(PHONE, java_script_enabled=scripts)
    applies(carl, form, "Carl", "WELCOME")
    carl.sees("Code WELCOME")
    carl.sees("€54.00")
    if scripts:
        at = carl.page.evaluate("document.activeElement.id")
        assert at == "apply", "who goes by keyboard is not thrown out of the form"
    assert carl.page.locator("main [name='name']").input_value() == "Carl"
    carl.looks()
    carl.press("Pay €54.00")
    pays(carl, WORKS)
    is_booked(carl)
    dora = person(PHONE, java_script_enabled=scripts)
    applies(dora, form, "Dora", "WELCOME")
    dora.sees("This code cannot be used for this booking.")
    dora.sees("Pay €60.00")
    dora.looks()
    owner.go(f"{here}?what=series:{term.series.id}")
    owner.sees("1 of 1")
    owner.sees("It has been used as often as it may be.")
    owner.sees("carl@example.com")
    owner.looks()
    owner.go(f"/app/{slug}/coupons")
    owner.sees("€6.00")
    owner.looks()


def applies(guest: Person, form: str, name: str, code: str) -> None:
    guest.go(form)
    fills_in(guest, name, f"{name.lower()}@example.com")
    guest.type(coupon=code)
    guest.page.keyboard.press("Tab")
    guest.page.keyboard.press("Enter")
