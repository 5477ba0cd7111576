"""Money for unused credits that a voucher paid in part: to it first, the rest as it came."""

import pytest

from src.billing.commands.by_staff import close_item_by_hand, mark_paid_on_site
from src.billing.commands.credit_refunds import RefundCredits, Refunded, refund_credits
from src.billing.commands.credits import SYSTEM, lock_lot, write_entry
from src.billing.commands.refunds import retry_refund
from src.billing.domain.credits import EntryKind
from src.billing.domain.kinds import PaymentMode
from src.billing.jobs.refunds import lock_refund
from src.billing.models import CreditLot, OpenItem, Payment, Refund
from src.billing.settlement import check_payment
from src.booking.queries.credits import get_lot_view
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, only_lot, wish
from tests.support.credits import a_package
from tests.support.vouchers import CODE, a_voucher, on_it
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def left(shop: Shop) -> int:
    return await on_it(shop.services.uow_factory, shop.business.id)


async def used(shop: Shop, number: int) -> CreditLot:
    """The one lot, after so many of its ten credits were used."""
    lot = await only_lot(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        locked = await lock_lot(uow, lot.id)
        await write_entry(uow, locked, EntryKind.REDEEM, -number, SYSTEM)
    return await only_lot(shop)


async def by_both(shop: Shop) -> CreditLot:
    """Ten credits for 120.00, 50.00 of it by voucher and the rest by card; four are used."""
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    url = await buy(shop, wish(package.id, coupon=CODE))
    await shop.pay(url)
    lot = await only_lot(shop)
    assert lot.order_id is not None
    await check_payment(shop.services, shop.business.id, lot.order_id)
    await shop.work()
    return await used(shop, 4)


async def give(shop: Shop, lot: CreditLot, amount_minor: int) -> Refunded | None:
    cmd = RefundCredits(
        lot_id=lot.id,
        amount_minor=amount_minor,
        seen=lot.balance,
        reason="She moves away",
        token=new_id(),
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        done = await refund_credits(uow, shop.business.ctx, cmd)
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await refund_credits(uow, shop.business.ctx, cmd) is None
    return done


async def refunds(shop: Shop) -> list[tuple[bool, str, int]]:
    """Whether to the voucher, how they stand, and how much they are."""
    found = [(one.voucher_id is not None, one.state, one.amount_minor) for one in await of(shop)]
    return sorted(found, reverse=True)


async def of(shop: Shop) -> list[Refund]:
    return await rows(shop, Refund)


async def test_to_the_voucher_first_and_the_rest_to_the_card(shop: Shop) -> None:
    lot = await by_both(shop)
    assert await give(shop, lot, 7200) == Refunded(7200)
    lot = await only_lot(shop)
    assert (lot.balance, lot.refunded_minor) == (0, 7200)
    await shop.work()
    assert await refunds(shop) == [(True, "succeeded", 5000), (False, "succeeded", 2200)]
    assert await left(shop) == 5000
    paid = {one.method: one.refunded_minor for one in await rows(shop, Payment)}
    assert paid == {"voucher": 5000, "card": 2200}
    said = " ".join((await mail_about_them(shop)).split())
    assert (
        "6 credits that you had not used are gone. €50.00 is on the voucher again that you paid"
        " with. €22.00 is on its way back as you paid it; banks take up to ten days." in said
    )
    assert "Left:" not in said, "nothing is left, and so nothing is good until a day"
    assert "Good until" not in said


async def test_a_small_refund_is_the_vouchers_alone(shop: Shop) -> None:
    lot = await by_both(shop)
    assert await give(shop, lot, 3000) == Refunded(3000)
    await shop.work()
    assert await refunds(shop) == [(True, "succeeded", 3000)]
    assert await left(shop) == 3000


async def test_what_a_voucher_paid_alone_goes_back_to_it_alone(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=12_000)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, coupon=CODE))
    lot = await used(shop, 3)
    await give(shop, lot, 8400)
    await shop.work()
    assert await refunds(shop) == [(True, "succeeded", 8400)]
    assert await left(shop) == 8400
    said = await mail_about_them(shop)
    assert "€84.00 is on the voucher again" in said
    assert "banks" not in said


async def test_where_the_card_fails_its_own_credits_alone_are_back(shop: Shop) -> None:
    """Never more credits than the money that did not come back, and the next try takes them."""
    lot = await by_both(shop)
    await give(shop, lot, 7200)
    error = {"message": "Insufficient funds in your balance."}
    await shop.stripe.turn(
        "api_faults", kind="refuse", path_contains="refunds", method="POST", error=error
    )
    await shop.work()
    assert await refunds(shop) == [(True, "succeeded", 5000), (False, "failed", 2200)]
    lot = await only_lot(shop)
    assert (lot.balance, lot.refunded_minor) == (1, 5000)
    waits = "€22.00 that was to go back for unused credits did not go through"
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    await shop.guest.open(f"/app/lotus/credits/{lot.id}")
    assert waits in shop.guest.text
    assert "See the order" in shop.guest.text
    failed = next(one for one in await of(shop) if one.state == "failed")
    async with shop.services.uow_factory(shop.business.id) as uow:
        order, refund = await lock_refund(uow, failed.id)
        await retry_refund(uow, order, refund)
    assert waits not in (await shop.guest.open(f"/app/lotus/credits/{lot.id}")).text
    await shop.work()
    lot = await only_lot(shop)
    assert (lot.balance, lot.refunded_minor) == (0, 7200)
    assert await refunds(shop) == [(True, "succeeded", 5000), (False, "succeeded", 2200)]


async def paid_by_voucher_and_at_the_desk(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE))
    lot = await only_lot(shop)
    assert lot.order_id is not None
    async with shop.services.uow_factory(shop.business.id) as uow:
        await mark_paid_on_site(uow, shop.business.ctx, lot.order_id)


async def test_what_the_desk_took_comes_last_and_by_hand(shop: Shop) -> None:
    await paid_by_voucher_and_at_the_desk(shop)
    lot = await used(shop, 4)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    shown = (await client.get(f"/app/lotus/credits/{lot.id}/refund")).text
    assert "The first €50.00 goes back to the voucher that paid." in shown
    assert "you took €22.00 yourself, which comes last" in shown
    assert await give(shop, lot, 7200) == Refunded(7200, by_hand_minor=2200)
    await shop.work()
    assert await refunds(shop) == [(True, "succeeded", 5000)]
    assert await left(shop) == 5000
    (item,) = await rows(shop, OpenItem)
    assert (item.kind, item.facts["amount_minor"]) == ("hand_back", 2200)
    order = (await client.get(f"/app/lotus/orders/{lot.order_id}")).text
    assert "To the credits" in order
    assert "To the cancellation" not in order
    assert (await only_lot(shop)).balance == 0
    said = await mail_about_them(shop)
    assert "€50.00 is on the voucher again" in said
    assert "on its way back" not in said
    assert "You get another €22.00 back from us." in said


async def test_the_history_tells_all_that_went_back_for_credits_that_left_in_one(
    shop: Shop,
) -> None:
    """The voucher's part is for so many of them that none is left for what the desk took."""
    await paid_by_voucher_and_at_the_desk(shop)
    lot = await used(shop, 5)
    assert await give(shop, lot, 6000) == Refunded(6000, by_hand_minor=1000)
    [item] = await rows(shop, OpenItem)
    for is_closed in (False, True):
        async with shop.services.uow_factory(shop.business.id) as uow:
            if is_closed:
                await close_item_by_hand(uow, shop.business.ctx, lot.order_id, item.id)
            view = await get_lot_view(uow, lot.id)
        told = [
            (one.words, one.credits, one.amount_minor) for one in view.entries if one.amount_minor
        ]
        assert told == [("Refunded", -5, 6000)]


async def mail_about_them(shop: Shop) -> str:
    return next(one.text for one in await rows(shop, MailRow) if "not used" in one.text)


async def test_a_package_that_was_refunded_in_full_has_no_place_to_free(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=20_000)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, coupon=CODE))
    lot = await only_lot(shop)
    await give(shop, lot, lot.paid_minor)
    await shop.work()
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    shown = (await client.get(f"/app/lotus/orders/{lot.order_id}")).text
    assert "stays booked" not in shown
    assert "stay booked" not in shown
