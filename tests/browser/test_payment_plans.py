"""A guest buys a package in parts and pays one of them early; the desk lets them off another."""

from collections.abc import Callable

import pytest

from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_guest_packages import shoots
from tests.browser.test_portal import has_booked
from tests.support.builders import PASSWORD
from tests.support.credits import a_package
from tests.support.letters import the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(
    ("slug", "scripts", "width"),
    [("fieldfare", True, PHONE), ("fieldfareplain", False, PHONE), ("fieldfaredesk", True, DESK)],
)
def test_a_package_is_paid_in_parts(
    program: Program, person: Callable[..., Person], slug: str, scripts: bool, width: int
) -> None:
    business, email = staged(program, slug), f"carl@{slug}.example"
    has_booked(program, business, email)

    async def stage(services: Services) -> None:
        await a_package(services.uow_factory, business.id, name="10 Yoga sessions", parts=4)

    program.run(stage)
    carl = person(width, java_script_enabled=scripts)
    carl.go(f"/b/{slug}/packages")
    carl.follow("Get 10 Yoga sessions")
    carl.sees("In 4 parts, €30.00 now")
    carl.looks()
    shoots(carl, f"{slug}-stranger")
    g.enters(carl, slug, email)
    carl.go(f"/b/{slug}/packages")
    carl.follow("Get 10 Yoga sessions")
    carl.choose(way="parts")
    carl.looks()
    shoots(carl, f"{slug}-buy")
    carl.press("Buy now")
    g.pays(carl, g.WORKS)
    carl.is_at("/packages/bought/")
    carl.sees("10 sessions are yours")
    carl.sees("Your card is charged by itself on these days")
    carl.looks()
    shoots(carl, f"{slug}-bought")
    bought = carl.page.url.partition("?")[0]
    carl.press("Pay €30.00 now")
    g.pays(carl, g.WORKS)
    carl.is_at("/packages/bought/")
    carl.sees("Pay all that is left, €60.00")
    assert "part 2 of 4" in the_mail(program, email, "Your payment of €30.00")["text"]
    owner = person(width, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/packages/new")
    owner.sees("May also be paid in")
    owner.looks()
    shoots(owner, f"{slug}-editor")
    owner.go(f"/app/{slug}/orders")
    owner.page.locator(f'a[href^="/app/{slug}/orders/0"]').first.click()
    owner.sees("Paid in parts")
    owner.looks()
    shoots(owner, f"{slug}-order")
    owner.page.get_by_role("link", name="Let go").first.click()
    owner.press("Let them off it")
    owner.sees("Please say why")
    owner.looks()
    shoots(owner, f"{slug}-waive")
    owner.type(reason="Was ill in May")
    owner.press("Let them off it")
    owner.sees("The part need not be paid.")
    carl.page.goto(bought)
    carl.sees("Need not be paid")
    carl.looks()
    shoots(carl, f"{slug}-later")
    carl.press("Pay €30.00 now")
    g.pays(carl, g.WORKS)
    carl.is_at("/packages/bought/")
    carl.sees("Paid in parts")
    assert not carl.page.get_by_role("button", name="Pay").count()
