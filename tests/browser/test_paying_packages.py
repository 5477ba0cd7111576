"""A package that a voucher pays in part and a bank transfer in full, and a code for packages."""

from collections.abc import Callable

import pytest

from src.platform.services import Services
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_guest_packages import shoots
from tests.browser.test_transfers import takes_transfers
from tests.support.builders import PASSWORD
from tests.support.credits import a_package
from tests.support.letters import the_mail
from tests.support.program import Program
from tests.support.stage import staged
from tests.support.vouchers import CODE, a_voucher

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(("slug", "scripts"), [("redstart", True), ("redstartplain", False)])
def test_a_package_is_paid_by_voucher_and_transfer(
    program: Program, person: Callable[..., Person], slug: str, scripts: bool
) -> None:
    business, email = staged(program, slug), f"carl@{slug}.example"

    async def stage(services: Services) -> None:
        await a_package(services.uow_factory, business.id, name="10 Yoga sessions")
        await a_voucher(services.uow_factory, business.id, minor=5000)

    program.run(stage)
    owner = person(DESK, java_script_enabled=scripts)
    takes_transfers(owner, slug, looks=False)
    carl = person(PHONE, java_script_enabled=scripts)
    carl.go(f"/b/{slug}/packages")
    carl.follow("Get 10 Yoga sessions")
    carl.type(name="Carl", email=email, coupon=CODE)
    carl.choose(way="transfer")
    carl.press("Apply")
    carl.sees("€70.00")
    carl.looks()
    shoots(carl, f"{slug}-buy")
    carl.press("Buy now")
    carl.sees("We wait for your transfer")
    carl.looks()
    shoots(carl, f"{slug}-waiting")
    mail = the_mail(program, email, "Please transfer")["text"]
    assert "€70.00" in mail
    owner.go(f"/app/{slug}/orders?state=transfer")
    owner.page.get_by_role("link", name="Transfer of order").first.click()
    owner.press("Mark as received")
    owner.sees("The money has come, and the order is confirmed.")
    carl.page.reload()
    carl.sees("10 sessions are yours")
    carl.looks()
    shoots(carl, f"{slug}-bought")


def test_an_owner_makes_a_code_for_packages(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "whinchat")

    async def stage(services: Services) -> None:
        await a_package(services.uow_factory, business.id, name="10 Yoga sessions")

    program.run(stage)
    owner = person(DESK)
    owner.sign_in("olive@whinchat.example", PASSWORD)
    owner.go("/app/whinchat/coupons/new")
    owner.type(code="TEN", percent="10")
    owner.choose(scope="packages")
    owner.page.get_by_label("10 Yoga sessions").check()
    owner.finds_it_accessible(DESK, PHONE)
    shoots(owner, "coupon-form")
    owner.press("Save")
    owner.sees("10 Yoga sessions")
    owner.finds_it_accessible(DESK, PHONE)
    shoots(owner, "coupon")
