"""A transfer noted for the wrong package is taken off once its credits are, and nothing is owed."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.commands.credit_acts import (
    ChangeNumber,
    add_credits,
    change_end,
    remove_credits,
    roll_over,
)
from src.billing.commands.credit_ends import forfeit_ended
from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.commands.mistaken_transfers import TransferMistaken, take_off_transfer
from src.billing.commands.transfers import Outcome
from src.billing.models import CreditLot, Order, Payment, Refund
from src.billing.queries.credit_lists import get_credit_totals
from src.billing.queries.order_page import get_order_page
from src.billing.queries.orders import month_totals
from src.billing.queries.transfers import list_mistakable
from src.billing.sweeper import sweep_holds
from src.booking.guest_links import package_path
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.mail.models import MailRow
from tests.booking.commands.test_book_by_credit import by_credit, leave
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_paying_packages import (
    PRICE_MINOR,
    by_transfer,
    left,
    mails,
    receive,
    the_order,
)
from tests.booking.web.test_place_package import only_lot
from tests.support.builders import a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.lots import the_lot
from tests.support.vouchers import CODE, a_voucher
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def a_wrong_one(shop: Shop) -> Order:
    """Paid by somebody else's money; nobody noticed yet."""
    order = await by_transfer(shop)
    await receive(shop, order, PRICE_MINOR)
    return order


async def remove(shop: Shop, lot: CreditLot, number: int) -> None:
    cmd = ChangeNumber(lot_id=lot.id, number=number, reason="Not paid", token=new_id())
    async with shop.services.uow_factory(shop.business.id) as uow:
        await remove_credits(uow, shop.business.ctx, cmd)


async def mistakable(shop: Shop, order: Order) -> list[UUID]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return [one.id for one in await list_mistakable(uow, order.id)]


async def take_off(shop: Shop, order: Order, payment_id: UUID) -> None:
    cmd = TransferMistaken(order_id=order.id, payment_id=payment_id, reason="It was Bo's.")
    async with shop.services.uow_factory(shop.business.id) as uow:
        await take_off_transfer(uow, shop.business.ctx, cmd)


async def test_what_paid_for_credits_that_were_all_taken_off_is_taken_off(shop: Shop) -> None:
    order, factory = await a_wrong_one(shop), shop.services.uow_factory
    [payment] = await rows(shop, Payment)
    lot = await only_lot(shop)
    assert await mistakable(shop, order) == []
    await remove(shop, lot, 9)
    assert await mistakable(shop, order) == [], "one of them can still be used"
    with pytest.raises(Conflict):
        await take_off(shop, order, payment.id)
    await remove(shop, lot, 1)
    assert await mistakable(shop, order) == [payment.id]
    told = await mails(shop)
    await take_off(shop, order, payment.id)
    lot = await the_lot(factory, shop.business.id, lot.id)
    assert (lot.state, lot.balance, lot.activated_at) == ("void", 0, None)
    async with factory(shop.business.id) as uow:
        page = await get_order_page(uow, shop.business.tenant, order.id)
        month = await month_totals(uow, shop.business.tenant, shop.services.clock.now())
        totals = await get_credit_totals(uow, shop.business.tenant)
    assert (page.state, page.is_all_cancelled, page.closed_why) == ("confirmed", True, "cancelled")
    assert (page.paid_minor, page.refunded_minor, page.to_hand_back_minor) == (0, 0, 0)
    assert (page.payments, page.refunds, page.open_items) == ([], [], [])
    assert (month.paid_minor, month.refunded_minor, month.to_hand_back_minor) == (0, 0, 0)
    assert (totals.sold, totals.sold_minor) == (0, 0)
    said = [one.text for one in page.timeline]
    assert "€120.00 was noted as a bank transfer by mistake, and taken off: It was Bo's." in said
    assert "Cancelled, as it was never paid" in said
    assert await mails(shop) == [*told, "package_lapsed"], "that the purchase is off was not told"
    assert "voucher" not in (await rows(shop, MailRow))[-1].text
    with pytest.raises(Conflict):
        await take_off(shop, order, payment.id)
    more = ChangeNumber(lot_id=lot.id, number=1, reason="Sorry", token=new_id())
    with pytest.raises(Conflict):
        async with factory(shop.business.id) as uow:
            await add_credits(uow, shop.business.ctx, more)
    assert await receive(shop, order, PRICE_MINOR - 1) is Outcome.PAID_ALREADY


async def test_its_buyer_reads_that_it_was_cancelled_and_staff_where_it_is_done(shop: Shop) -> None:
    order = await a_wrong_one(shop)
    client, lot = shop.guest.client, await only_lot(shop)
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}"
    page = (await client.get(here)).text
    assert "Then take all its credits off, and the transfer here." in page
    assert f"{here}/transfer/mistake" not in page
    await remove(shop, lot, 10)
    page = (await client.get(here)).text
    assert "Then take all its credits off" not in page
    assert f"{here}/transfer/mistake" in page
    asked = await shop.guest.open(f"{here}/transfer/mistake")
    assert "the package counts as never paid" in asked.text
    assert "add the credits again" in asked.text
    await shop.guest.submit({"reason": "It was Bo's."}, to="/mistake")
    assert "€120.00 is taken off; it never came." in shop.guest.text
    page = (await client.get(f"/app/lotus/credits/{lot.id}")).text
    assert "Never paid" in page
    assert ">Paid</dt>" not in page
    assert ">Price</dt>" in page
    bought = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "This package was cancelled" in bought.text
    assert "you owe nothing" in bought.text


async def test_while_a_place_keeps_a_credit_its_money_did_come(shop: Shop) -> None:
    order, lot = await a_wrong_one(shop), await only_lot(shop)
    service = await a_service(shop.services.uow_factory, shop.business.id)
    session = await a_session(shop.services.uow_factory, service)
    ids = (lot.customer_id, lot.id)
    made = await by_credit(shop.services, shop.business, "session", session.id, ids)
    await remove(shop, lot, 9)
    assert await mistakable(shop, order) == []
    await leave(shop.services, shop.business, made)
    await remove(shop, lot, 1)
    assert len(await mistakable(shop, order)) == 1


async def test_credits_that_ended_or_were_rolled_over_were_delivered(
    shop: Shop, clock: FrozenClock
) -> None:
    order, lot = await a_wrong_one(shop), await only_lot(shop)
    factory, ctx = shop.services.uow_factory, shop.business.ctx
    clock.advance(timedelta(days=100))
    async with factory(shop.business.id) as uow:
        await forfeit_ended(uow, 10)
    assert await mistakable(shop, order) == []
    ends_on = to_local(clock.now() + timedelta(days=30), shop.business.tenant.zone).date()
    async with factory(shop.business.id) as uow:
        await change_end(uow, ctx, lot.id, ends_on, "Ill", new_id())
    clock.advance(timedelta(days=40))
    ends_on += timedelta(days=60)
    async with factory(shop.business.id) as uow:
        new_id_of_lot = await roll_over(uow, ctx, lot.id, ends_on, "Ill again")
    assert await mistakable(shop, order) == []
    await remove(shop, await the_lot(factory, shop.business.id, new_id_of_lot), 10)
    assert await mistakable(shop, order) == []


async def test_what_is_promised_to_go_back_for_them_did_come(shop: Shop) -> None:
    order, lot = await a_wrong_one(shop), await only_lot(shop)
    cmd = RefundCredits(lot_id=lot.id, amount_minor=12_000, seen=10, reason="Ill", token=new_id())
    async with shop.services.uow_factory(shop.business.id) as uow:
        await refund_credits(uow, shop.business.ctx, cmd)
    assert await mistakable(shop, order) == []


async def test_of_two_parts_the_one_that_came_can_still_go_back(shop: Shop) -> None:
    """The credits can be given again, and refunded, until nothing is left of the money."""
    order, factory = await by_transfer(shop), shop.services.uow_factory
    await receive(shop, order, 5000)
    await receive(shop, order, 7000)
    lot = await only_lot(shop)
    await remove(shop, lot, 10)
    newest, oldest = await mistakable(shop, order)
    await take_off(shop, order, newest)
    lot = await the_lot(factory, shop.business.id, lot.id)
    assert (lot.state, (await the_order(shop)).paid_minor) == ("active", 5000)
    async with factory(shop.business.id) as uow:
        again = ChangeNumber(lot_id=lot.id, number=10, reason="Back", token=new_id())
        await add_credits(uow, shop.business.ctx, again)
    cmd = RefundCredits(lot_id=lot.id, amount_minor=5000, seen=10, reason="Ill", token=new_id())
    async with factory(shop.business.id) as uow:
        given = await refund_credits(uow, shop.business.ctx, cmd)
    assert given is not None
    assert given.by_hand_minor == 5000
    assert await mistakable(shop, order) == []
    assert oldest in [one.id for one in await rows(shop, Payment)]


async def test_what_a_voucher_paid_beside_it_goes_back_onto_it(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=7000)
    await receive(shop, order, 7000)
    await remove(shop, await only_lot(shop), 10)
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    asked = await shop.guest.open(f"/app/lotus/orders/{order.id}/transfer/mistake")
    assert "A voucher paid €50.00 of it. With the last transfer that goes back" in asked.text
    assert f"{order.guest_email} then gets a mail that the purchase is cancelled" in asked.text
    [transfer] = await mistakable(shop, order)
    await take_off(shop, order, transfer)
    assert (await only_lot(shop)).state == "void"
    await shop.work()
    [payment], [refund] = await rows(shop, Payment), await rows(shop, Refund)
    assert (refund.amount_minor, refund.voucher_id) == (5000, payment.voucher_id)
    assert await left(shop) == 5000
    told = await rows(shop, MailRow)
    assert "billing.refunded" not in [one.kind for one in told], "one mail says both"
    [mail] = [one for one in told if one.kind == "package_lapsed"]
    assert mail.subject == "Cancelled: 10 sessions"
    for text in (mail.text, mail.html):
        assert "has cancelled this purchase, since your transfer for it has not come" in text
        assert "There are no credits, and you owe nothing. €50.00 is on your voucher again." in text


async def test_nobody_is_told_that_it_is_theirs_once_it_never_was(shop: Shop) -> None:
    """The mail about the purchase had not left when it was taken off."""
    order, lot = await a_wrong_one(shop), await only_lot(shop)
    await remove(shop, lot, 10)
    [payment] = await rows(shop, Payment)
    await take_off(shop, order, payment.id)
    kinds = await mails(shop)
    assert "package_bought" not in kinds
    assert "billing.credits_changed" in kinds
    assert not any("are yours" in mail.text for mail in await rows(shop, MailRow))


async def test_who_was_mailed_that_it_goes_back_has_to_be_told(shop: Shop) -> None:
    order = await a_wrong_one(shop)
    await receive(shop, order, 500)
    here = f"/app/lotus/orders/{order.id}/transfer/mistake"
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    told = f"{order.guest_email} had a mail that it came and goes back."
    assert told not in (await shop.guest.client.get(here)).text, "it has not left yet"
    assert "billing.transfer_not_due" in await mails(shop)
    page = (await shop.guest.client.get(here)).text
    assert f"{told} Please tell them that it did not come." in page
    assert "The guest had a mail that it goes back" in page
    await remove(shop, await only_lot(shop), 10)
    page = (await shop.guest.client.get(here)).text
    assert f"Of one of them {order.guest_email} had a mail that it came and goes back." in page
    assert page.count("The guest had a mail that it goes back") == 1, "not of what was due"
    [first, _due] = await mistakable(shop, order)
    await take_off(shop, order, first)
    assert "had a mail" not in (await shop.guest.client.get(here)).text


async def test_so_has_who_was_mailed_of_what_had_ended(shop: Shop, clock: FrozenClock) -> None:
    order = await by_transfer(shop)
    clock.advance(timedelta(days=30))
    await sweep_holds(shop.services)
    await receive(shop, order, 500)
    assert "billing.transfer_not_due" in await mails(shop)
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    page = (await shop.guest.client.get(f"/app/lotus/orders/{order.id}/transfer/mistake")).text
    assert f"{order.guest_email} had a mail that it came and goes back." in page
