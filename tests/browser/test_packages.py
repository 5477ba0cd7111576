"""An owner offers a package, looks after the credits that are out, and gives some by hand."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from src.platform.services import Services
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business
from tests.support.lots import a_customer, lot_of
from tests.support.program import Program
from tests.support.stage import a_term, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def credits_of_carl(services: Services, business: Business) -> tuple[UUID, UUID]:
    """Ten that end in twenty days. Returns the ids of the customer and of the lot."""
    carl = await a_customer(services.uow_factory, business.id)
    ends_at = services.clock.now() + timedelta(days=20)
    lot = await lot_of(services.uow_factory, business.id, carl.id, expires_at=ends_at)
    return carl.id, lot.id


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_the_editor_of_a_package_to_a_later_end(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "kestrel" if scripts else "merlin"
    business = staged(program, slug)
    a_term(program, business)
    carl_id, lot_id = program.run(lambda services: credits_of_carl(services, business))
    owner = person(DESK if scripts else PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/packages")
    owner.looks()
    owner.go(f"/app/{slug}/packages/new")
    owner.type(name="Ten sessions", price="120")
    owner.press("Save")
    owner.sees("nobody could use them for anything")
    owner.looks()
    owner.page.check("[name=any_service]")
    owner.press("Save")
    owner.sees("€12.00 a session instead of €15.00, saves €30.00")
    owner.looks()
    owner.go(f"/app/{slug}/packages")
    owner.looks()
    owner.go(f"/app/{slug}/credits")
    owner.looks()
    owner.follow("Carl")
    owner.looks()
    owner.go(f"/app/{slug}/credits/{lot_id}/end")
    owner.type(ends_on="2199-01-31", reason="The hall was closed")
    owner.looks()
    owner.press("Save the end")
    owner.sees("2199")
    owner.go(f"/app/{slug}/customers/{carl_id}/credits/new")
    owner.type(name="Sorry", number="2", reason="The hall was closed")
    owner.looks()
    owner.press("Give them")
    owner.sees("2 of 2")
