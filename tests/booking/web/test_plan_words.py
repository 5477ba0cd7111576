"""What pages and mails say of parts that are overdue, let go, or asked at another address."""

import pytest

from src.billing.models import CreditLot, Order
from src.booking.commands.readdress import correct_customer
from src.platform.mail.queue import MailRow
from src.tenants.commands.customer_care import CustomerDetails
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.money_back import words_of
from tests.booking.web.pages import as_owner, send
from tests.booking.web.test_cards import carl
from tests.booking.web.test_payment_plans import until_overdue
from tests.support.clock import FrozenClock
from tests.support.plans import DECLINED_LATER, buy_in_parts, parts_of

pytestmark = pytest.mark.anyio


async def read(shop: Shop, path: str) -> str:
    await shop.guest.open(path)
    return words_of(shop.guest)


async def test_who_is_to_pay_an_overdue_part_is_not_told_to_wait_for_money(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await buy_in_parts(shop, DECLINED_LATER)
    await until_overdue(shop, clock)
    await carl(shop)
    own = await read(shop, "/b/lotus/me/erase")
    assert "A part of a price is overdue. Pay it by the link in our mail" in own
    assert "Money is still to go back" not in own
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    staffs = (await client.get(f"/app/lotus/customers/{order.customer_id}/erase")).text
    assert "A part of a price is overdue. Let them off it on the order" in staffs
    assert "Money is still to go back" not in staffs


async def test_the_receipt_of_a_plan_adds_up(shop: Shop) -> None:
    """EUR 120: one part is paid, one is let go, and two are to come."""
    order = await buy_in_parts(shop)
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    here = f"/app/lotus/orders/{order.id}/parts/{(await parts_of(shop))[2].id}/waive"
    await send(client, here, {"reason": "Was ill"})
    await carl(shop)
    assert "€60.00 still to pay in parts" in await read(shop, "/b/lotus/me/receipts")
    receipt = await read(shop, f"/b/lotus/me/receipts/{order.id}")
    for line in ("Total €120.00", "Card €30.00", "Not asked any more €30.00"):
        assert line in receipt
    assert "Still to pay in parts €60.00" in receipt


async def test_parts_are_asked_at_the_address_that_was_corrected(shop: Shop) -> None:
    """Also once no credit is left, and nothing else of the purchase is to come."""
    order = await buy_in_parts(shop)
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    (lot,) = await rows(shop, CreditLot)
    typed = {"number": "10", "reason": "Used elsewhere"}
    assert (await send(client, f"/app/lotus/credits/{lot.id}/remove", typed)).status_code == 303
    await shop.work()
    details = CustomerDetails(name="Carl", email="carl@right.example")
    async with shop.services.uow_factory(shop.business.id) as uow:
        told = await correct_customer(
            uow, shop.business.ctx, order.customer_id, details, readdress=True
        )
    assert told.confirmations == 1
    (order,) = await rows(shop, Order)
    assert order.guest_email == "carl@right.example"
    await shop.work()
    sent = [mail for mail in await rows(shop, MailRow) if mail.to_address == order.guest_email]
    assert len(sent) == 1


async def test_who_takes_credits_off_reads_that_the_parts_stay(shop: Shop) -> None:
    await buy_in_parts(shop)
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    (lot,) = await rows(shop, CreditLot)
    shown = (await client.get(f"/app/lotus/credits/{lot.id}/remove")).text
    assert "The €90.00 that are still to be paid in parts stay to be paid." in shown
