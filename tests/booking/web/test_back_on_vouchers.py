"""What a voucher paid goes back onto it at once, and is said so before and after."""

import pytest

from src.billing.models import Order
from src.billing.settlement import check_payment
from src.booking.domain.leaving import LeavingTerms, Tier
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(tiers=(Tier(before=24, percent=100),))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minor", "before", "mailed"),
    [
        (
            5000,
            "€15.00 goes onto the voucher again that you paid with, at once.",
            "€15.00 is on the voucher again that you paid with.",
        ),
        (
            1000,
            "€15.00 goes back: onto your voucher first, at once, and the rest the way you paid it,",
            "€15.00 comes back to you: on your voucher first, the rest the way you paid it.",
        ),
    ],
    ids=["all", "a part"],
)
async def test_no_bank_has_to_carry_what_a_voucher_paid(
    shop: Shop, mailer: RememberingMailer, minor: int, before: str, mailed: str
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, leaving=TERMS.document())
    date = await a_session(factory, service)
    await a_voucher(factory, shop.business.id, minor=minor)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(coupon=CODE, step="update")
    sent = await shop.send(coupon=CODE)
    if minor < 1500:
        await shop.pay(sent.headers["location"])
        [order] = await rows(shop, Order)
        await check_payment(shop.services, shop.business.id, order.id)
    await shop.work()
    own = await own_page(shop)
    page = await shop.guest.open(f"{own}/leave?date={date.id}")
    assert before in page.text
    assert "goes back the way you paid; it takes a few days" not in page.text
    mailer.sent.clear()
    await shop.guest.submit(to=f"/leave?date={date.id}")
    shown = await shop.guest.open(own)
    assert "Back on the voucher" in shown.text, "before any job has run, too"
    assert ("On its way back to you" in shown.text) is (minor < 1500)
    assert "Nothing of it came back" not in shown.text
    await shop.work()
    assert mailed in " ".join(mailer.sent[0].body.split())
    assert "Back on the voucher" in (await shop.guest.open(own)).text
