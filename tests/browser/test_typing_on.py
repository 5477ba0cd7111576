"""A guest goes on typing while the price of what they chose is still being worked out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from src.platform.services import Services
from tests.browser.guest import fills_in, is_booked
from tests.browser.person import Person
from tests.support.builders import a_service, a_session
from tests.support.coupons import a_coupon
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MAT = {
    "key": "mat",
    "label": "Mat",
    "kind": "choice",
    "choices": ["Own", "Ours"],
    "per_person": True,
    "required": False,
}
ALLERGIES = {"key": "allergies", "label": "Allergies", "per_person": True, "required": False}


def test_what_is_typed_while_the_price_updates_stays(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "slowly")

    async def stage(services: Services) -> str:
        factory = services.uow_factory
        service = await a_service(
            factory,
            business.id,
            price_type="on_site",
            questions=[MAT],
            max_party=4,
            price_minor=2000,
        )
        await a_coupon(factory, business.id, "FRIENDS", percent=10)
        return str((await a_session(factory, service)).id)

    session_id: str = program.run(stage)
    guest = person()
    guest.go(f"/b/slowly/yoga/book?session={session_id}")
    fills_in(guest, "Carl Guest", "carl@slowly.example")
    guest.choose(size="2")
    second = guest.page.locator("[name='names.2']")
    expect(second).to_be_visible()
    on_their_way: list[Route] = []

    def hold(route: Route) -> None:
        on_their_way.append(route)

    guest.page.route("**/book?*", hold, times=1)
    with guest.page.expect_request("**/book?*"):
        guest.choose(size="3")
    guest.type(**{"names.2": "Dora", "coupon": "FRIENDS"})
    guest.choose(**{"people.2.mat": "Ours"})
    guest.page.get_by_label("A note for us").fill("See you")
    on_their_way[0].continue_()
    expect(guest.page.locator("[name='names.3']")).to_be_visible()
    expect(second).to_have_value("Dora")
    expect(guest.page.locator("[name='people.2.mat']")).to_have_value("Ours")
    expect(guest.page.locator("[name='coupon']")).to_have_value("FRIENDS")
    expect(guest.page.locator("[name='size']")).to_have_value("3")
    guest.press("Book now")
    guest.sees("Code FRIENDS takes €6.00 off. Please look again.")
    expect(second).to_have_value("Dora")
    guest.press("Book now")
    is_booked(guest)


def test_what_is_chosen_in_the_breath_of_an_answer_is_sent_too(
    program: Program, person: Callable[..., Person]
) -> None:
    """What an answer has put into the page works at once, not after a moment."""
    business = staged(program, "breath")

    async def stage(services: Services) -> str:
        factory = services.uow_factory
        service = await a_service(
            factory, business.id, price_type="on_site", price_minor=2000, max_party=4
        )
        return str((await a_session(factory, service)).id)

    guest = person()
    guest.go(f"/b/breath/yoga/book?session={program.run(stage)}")
    guest.page.evaluate(
        """() => document.addEventListener("htmx:afterSwap", () => setTimeout(() => {
          const size = document.querySelector("[name='size']");
          size.value = "3";
          size.dispatchEvent(new Event("change", { bubbles: true }));
        }), { once: true })"""
    )
    guest.choose(size="2")
    expect(guest.page.locator("[name='names.3']")).to_be_visible()
    guest.sees("€60.00")


def test_what_is_put_right_is_not_called_wrong_any_more(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "right")

    async def stage(services: Services) -> str:
        factory = services.uow_factory
        service = await a_service(factory, business.id, price_type="on_site", price_minor=2000)
        await a_coupon(factory, business.id, "FRIENDS", percent=10)
        return str((await a_session(factory, service)).id)

    guest = person()
    guest.go(f"/b/right/yoga/book?session={program.run(stage)}")
    guest.press("Book now")
    name = guest.page.locator("[name='name']")
    above = guest.page.get_by_text("Something in the form needs another look.")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(above).to_be_visible()
    guest.type(name="Carl Guest")
    expect(name).not_to_have_attribute("aria-invalid", "true")
    expect(guest.page.locator(".field-error")).to_have_count(1)
    expect(above).to_be_visible()
    guest.type(email="carl@right.example", coupon="FRIENDS")
    expect(above).to_have_count(0)
    apply = guest.page.get_by_role("button", name="Apply")
    apply.focus()
    guest.page.keyboard.press("Enter")
    guest.sees("FRIENDS")
    guest.sees("€18.00")
    expect(apply).to_be_focused()
    guest.looks()


def test_a_field_that_was_made_larger_is_priced_anew_in_silence(
    program: Program, person: Callable[..., Person]
) -> None:
    """Pulling at its corner writes a style into it, which the policy lets nobody carry over."""
    business = staged(program, "larger")

    async def stage(services: Services) -> str:
        factory = services.uow_factory
        service = await a_service(
            factory, business.id, price_type="on_site", questions=[ALLERGIES], max_party=4
        )
        return str((await a_session(factory, service)).id)

    guest = person()
    guest.go(f"/b/larger/yoga/book?session={program.run(stage)}")
    field = guest.page.locator("[name='people.1.allergies']")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box is not None
    corner = (box["x"] + box["width"] - 4, box["y"] + box["height"] - 4)
    guest.page.mouse.move(*corner)
    guest.page.mouse.down()
    guest.page.mouse.move(corner[0], corner[1] + 80)
    guest.page.mouse.up()
    assert "height" in (field.get_attribute("style") or "")
    guest.choose(size="2")
    expect(guest.page.locator("[name='people.2.allergies']")).to_be_visible()
    assert guest.complaints == []
