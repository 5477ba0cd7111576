"""An owner offers appointments: who gives them and when, and what becomes of those booked."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.person import PHONE, Person
from tests.browser.test_guest_packages import shoots
from tests.support.builders import PASSWORD
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_appointments_are_set_up_by_hand(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "shelduck-hours" if scripts else "bufflehead-hours"
    staged(program, slug)
    base = f"/app/{slug}"
    olive = person(PHONE, java_script_enabled=scripts)
    olive.sign_in(f"olive@{slug}.example", PASSWORD)

    olive.go(f"{base}/settings/performers")
    olive.type(name="Nora Night")
    olive.press("Add performer")
    olive.sees("is added")
    olive.page.get_by_role("link", name="Hours of Nora Night").click()
    olive.is_at("/hours$")
    olive.page.locator("[name='day_0.0.starts']").fill("09:00")
    olive.page.locator("[name='day_0.0.ends']").fill("17:00")
    olive.press("Same from Tuesday to Friday")
    expect(olive.page.locator("[name='day_4.0.ends']")).to_have_value("17:00")
    olive.press("Save the week")
    olive.sees("The hours are saved.")
    olive.looks()
    shoots(olive, "owner-hours")

    olive.go(f"{base}/settings/closed-days")
    olive.press("Show them")
    olive.looks()
    shoots(olive, "owner-closed-days")

    olive.go(f"{base}/services/new")
    if scripts:
        assert olive.page.evaluate("document.documentElement.scrollHeight") < 4000
    olive.type(name="Coaching")
    olive.page.locator("button[name=as_kind][value=appointment]").click()
    olive.sees("Given by")
    expect(olive.page.locator("[name=name]")).to_have_value("Coaching")
    olive.choose(price_type="on_site")
    olive.type(price="60")
    olive.opens("Start times and breaks")
    olive.type(after_minutes="15")
    olive.page.get_by_label("Nora Night").check()
    olive.opens("Other lengths")
    olive.page.locator("[name='lengths.0.minutes']").fill("30")
    olive.page.locator("[name='lengths.0.price']").fill("35")
    olive.looks()
    shoots(olive, "owner-service")
    olive.opens("Rules for booking")
    olive.type(horizon_days="9000")
    olive.opens("Rules for booking")
    expect(olive.page.locator("[name=horizon_days]")).not_to_be_visible()
    olive.press("Save service")
    expect(olive.page.get_by_text("Choose a number from 1 to 730.")).to_be_visible()
    expect(olive.page.locator("[name=after_minutes]")).not_to_be_visible()
    olive.looks()
    olive.type(horizon_days="60")
    olive.press("Save service")
    olive.is_at("/services/[0-9a-f-]{36}/sessions$")
    olive.sees("No appointment is booked")
    olive.looks()
    shoots(olive, "owner-appointments")

    olive.go(f"{base}/services")
    olive.sees("Given by Nora Night")
    olive.looks()
    shoots(olive, "owner-services")
    olive.go(f"/b/{slug}/coaching")
    olive.sees("Choose a day and a time")
    assert olive.complaints == []
