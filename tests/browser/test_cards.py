"""A guest keeps a card with the first purchase, pays the next one in one press, and removes it."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from src.billing.models import SavedCard
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.browser.test_guest_packages import shoots
from tests.browser.test_portal import has_booked
from tests.browser.test_ways_to_book import a_date
from tests.support.builders import Business
from tests.support.program import Program, eventually
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALWAYS_ASKS = "4000 0027 6000 3184"


def is_kept(program: Program, business: Business) -> bool:
    async def look(services: Services) -> int:
        async with services.uow_factory(business.id) as uow:
            return await uow.session.scalar(select(func.count()).select_from(SavedCard)) or 0

    return bool(program.run(look))


@pytest.mark.parametrize(
    ("slug", "scripts", "width"),
    [("cardinal", True, PHONE), ("cardinalplain", False, PHONE), ("cardinaldesk", True, DESK)],
)
def test_a_card_is_kept_and_pays_in_one_press(
    program: Program, person: Callable[..., Person], slug: str, scripts: bool, width: int
) -> None:
    business, email = staged(program, slug), f"carl@{slug}.example"
    has_booked(program, business, email)
    first = a_date(program, business, "flow", price_type="online")
    second = a_date(program, business, "rest", price_type="online")
    guest = person(width, java_script_enabled=scripts)
    g.enters(guest, slug, email)
    guest.go(f"/b/{slug}/flow/book?session={first.id}")
    guest.page.locator("main input[name=keep_card]").check()
    guest.looks()
    shoots(guest, f"{slug}-1")
    guest.press("Pay ")
    g.pays(guest, ALWAYS_ASKS)
    guest.press("Approve the payment")
    g.is_booked(guest)
    eventually(lambda: is_kept(program, business), "the card that has paid is kept")
    guest.go(f"/b/{slug}/rest/book?session={second.id}")
    guest.sees("Visa •••• 3184")
    guest.looks()
    shoots(guest, f"{slug}-2")
    guest.press("Book now")
    guest.press("Fail the check")
    guest.sees("did not succeed")
    guest.looks()
    shoots(guest, f"{slug}-3")
    guest.press("Pay €15.00 with Visa •••• 3184")
    guest.press("Approve the payment")
    g.is_booked(guest)
    guest.go(f"/b/{slug}/me/cards")
    guest.looks()
    shoots(guest, f"{slug}-4")
    guest.page.get_by_text("Remove", exact=True).click()
    guest.sees("Nothing else is charged to it.")
    guest.looks()
    shoots(guest, f"{slug}-5")
    guest.press("Remove Visa •••• 3184")
    guest.sees("No card is saved here")
    guest.looks()
    shoots(guest, f"{slug}-6")
