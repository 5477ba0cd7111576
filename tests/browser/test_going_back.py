"""Who goes back to a form that was refused gets it anew, and no question from the browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.person import DESK, Person
from tests.support.builders import PASSWORD
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_refused_form_is_fetched_anew_by_back_and_reload(
    program: Program, person: Callable[..., Person]
) -> None:
    """The answer may not be kept, so that the browser has nothing to show but what it fetches."""
    staged(program, "tattler")
    owner = person(DESK)
    owner.sign_in("olive@tattler.example", PASSWORD)
    owner.go("/app/tattler/coupons/new")
    owner.type(code="welcome", percent="300")
    with owner.page.expect_response("**/coupons/new") as refused:
        owner.press("Save")
    assert refused.value.status == 422
    assert "no-store" in refused.value.headers["cache-control"]
    owner.sees("Something in the form needs another look.")
    owner.type(percent="10")
    owner.press("Save")
    owner.sees("Not used yet")
    with owner.page.expect_request("**/coupons/new") as again:
        owner.page.go_back()
    assert again.value.method == "GET"
    owner.is_at("/coupons/new$")
    expect(owner.page.locator("main [name=code]")).to_have_count(1)
    owner.page.go_forward()
    owner.sees("Not used yet")
    owner.page.go_back()
    owner.type(code="welcome", percent="300")
    owner.press("Save")
    owner.sees("Something in the form needs another look.")
    with owner.page.expect_request("**/coupons/new") as reloaded:
        owner.page.reload()
    assert reloaded.value.method == "GET"


def test_a_form_of_a_page_with_several_is_found_again_where_that_page_is(
    program: Program, person: Callable[..., Person]
) -> None:
    """The address that it was sent to takes forms only."""
    staged(program, "wheatear")
    owner = person(DESK)
    owner.sign_in("olive@wheatear.example", PASSWORD)
    owner.go("/account")
    owner.type(name="")
    with owner.page.expect_response("**/account/name") as refused:
        owner.press("Save")
    assert refused.value.status == 422
    owner.page.locator("main .field-error").wait_for()
    owner.is_at("/account$")
    owner.type(name="Olive Oyl")
    owner.press("Save")
    owner.sees("Your name is changed.")
    with owner.page.expect_request("**/account") as again:
        owner.page.go_back()
    assert again.value.method == "GET"
    expect(owner.page.locator("main [name=name]")).to_have_value("Olive Oyl")
