"""Where credits were given for places, the guest's own pages say so and speak of no loss."""

import pytest
from httpx import AsyncClient

from src.billing.models import Package
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.domain.cancelling import MoneyChoice
from src.platform.services import Services
from tests.booking.commands.test_cancel_credits import given, lotus, term
from tests.booking.commands.test_cancel_money import UNDO, buys, cancels
from tests.booking.web.money_back import guests_page, words_of
from tests.support.builders import Business, Term
from tests.support.clock import FrozenClock
from tests.support.portal import sign_in_portal
from tests.support.visitor import Visitor
from tests.support.work import work_through

pytestmark = pytest.mark.anyio
__all__ = ["given", "lotus", "term"]


async def test_the_booking_and_its_receipt_say_which_credits_were_given(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    given: Package,
    clock: FrozenClock,
) -> None:
    made = await buys(services, lotus, term, "carl")
    guest = Visitor(client)
    await guests_page(services, lotus, made, guest)
    assert "Given back as credits" not in guest.text
    money = MoneyWanted(choice=MoneyChoice.CREDIT, package_id=given.id)
    for date in range(len(term.sessions)):
        await cancels(services, lotus, term, money, date=date)
    await work_through(services, clock, lotus.id, UNDO)
    await guests_page(services, lotus, made, guest)
    assert "Given back as credits 3 credits for “Beginner classes”" in words_of(guest)
    assert "Nothing of it came back" not in guest.text
    await sign_in_portal(client, services, lotus.id, made.order.customer_id)
    await guest.open("/b/lotus/me/receipts")
    assert "3 credits given for it" in guest.text
    await guest.open(f"/b/lotus/me/receipts/{made.order_id}")
    assert "Given back as credits: 3 credits for “Beginner classes”" in words_of(guest)
