"""A guest buys ten, signs in from the form, uses three of them, and looks at what is left."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from src.platform.services import Services
from tests.browser.guest import WORKS, code_of, is_booked, pays
from tests.browser.person import DESK, PHONE, Person
from tests.support.credits import a_package
from tests.support.letters import the_mail
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOTS = os.environ.get("SEATLINE_SHOTS")


def shoots(who: Person, name: str) -> None:
    """Pictures to be looked at, where somebody asks for them."""
    if not SHOTS:
        return
    folder = Path(SHOTS)
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        who.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a str here
        for width in (PHONE, DESK):
            who.page.set_viewport_size({"width": width, "height": 900})
            path = str(folder / f"{name}-{width}-{scheme}.png")
            who.page.screenshot(path=path, full_page=True)
    who.page.emulate_media(color_scheme="light")
    who.page.set_viewport_size({"width": PHONE, "height": 900})


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_ten_are_bought_and_three_are_used(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "hoopoe" if scripts else "bunting"
    business, email = staged(program, slug), f"carl@{slug}.example"
    term = a_term(program, business)

    async def stage(services: Services) -> None:
        await a_package(
            services.uow_factory,
            business.id,
            name="10 Yoga sessions",
            description="For those who come often.",
        )
        await a_package(
            services.uow_factory,
            business.id,
            name="5 at the desk",
            credits=5,
            price_minor=6500,
            pays=["on_site"],
            validity_days=0,
        )

    program.run(stage)
    carl = person(PHONE, java_script_enabled=scripts)
    carl.go(f"/b/{slug}")
    shoots(carl, "hub")
    carl.follow("Packages")
    carl.sees("€12.00 a session")
    carl.sees("Saves €30.00")
    carl.looks()
    shoots(carl, "packages")
    carl.follow("Get 10 Yoga sessions")
    carl.type(name="Carl", email=email)
    carl.choose(way="online")
    carl.looks()
    shoots(carl, "buy")
    carl.press("Buy now")
    pays(carl, WORKS)
    carl.is_at("/packages/bought/")
    carl.sees("10 sessions are yours")
    carl.looks()
    shoots(carl, "bought")
    the_mail(program, email, "Yours: 10 Yoga sessions")

    form = f"/b/{slug}/yoga/book?session={term.sessions[0].id}"
    carl.go(form)
    carl.page.locator("main select[name=size]").select_option("3")
    if not scripts:
        carl.press("Update the price")
    carl.sees("€45.00")
    carl.type(note="By the window")
    shoots(carl, "form-stranger")
    carl.press("Have credits?")
    carl.is_at("/me/sign-in")
    carl.type(email=email)
    carl.press("Send me a code")
    carl.type(code=code_of(program, email))
    carl.press("Sign in")
    carl.is_at("/yoga/book")
    carl.sees("Use 3 of 10 left")
    assert carl.page.locator("main [name=note]").input_value() == "By the window"
    carl.looks()
    shoots(carl, "form")
    carl.press("Book with 3 credits")
    is_booked(carl)
    carl.sees("3 credits of “10 Yoga sessions”, 7 left")
    carl.looks()
    shoots(carl, "booking")
    carl.follow("Can't make it")
    carl.sees("3 credits of “10 Yoga sessions” come back")
    carl.looks()
    shoots(carl, "leave")
    carl.go(f"/b/{slug}/me")
    carl.sees("7 of 10 left")
    carl.looks()
    shoots(carl, "portal")
    carl.go(f"/b/{slug}/packages")
    carl.sees("7 of 10 left")
    carl.looks()
    shoots(carl, "packages-own")
    carl.follow("Get 5 at the desk")
    carl.press("Buy now")
    carl.sees("Waiting for payment")
    carl.looks()
    shoots(carl, "waiting")
    assert carl.complaints == []
