"""What is to go back of what came by transfer is paid, and no part of what was earned."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import close_item_by_hand
from src.billing.commands.transfers import TransferReceived, mark_transfer_received
from src.billing.domain.kinds import PaymentMode
from src.billing.models import OpenItem, Order
from src.billing.queries.order_page import get_order_page
from src.billing.queries.orders import month_totals
from src.billing.queries.weeks import weekly_totals
from src.billing.sweeper import sweep_holds
from src.booking.commands.book import book
from src.booking.domain.drop_in import PayWay
from src.booking.queries.series import get_series_overview
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.commands.test_book import a_wish
from tests.booking.commands.test_transfers import receive, takes_transfers
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, wish
from tests.support.builders import a_series, a_service, as_guest
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.portal import sign_in_portal

pytestmark = pytest.mark.anyio

ME = "/b/lotus/me"


async def signed_in(shop: Shop, order: Order) -> None:
    await sign_in_portal(
        shop.guest.client, shop.services, shop.business.id, order.customer_id, order.guest_email
    )


async def test_what_came_by_transfer_beyond_the_price_is_no_part_of_it(shop: Shop) -> None:
    factory, lotus = shop.services.uow_factory, shop.business
    await takes_transfers(shop.services, lotus, days=7)
    package = await a_package(factory, lotus.id, pays=["online"])
    await buy(shop, wish(package.id, way=PaymentMode.TRANSFER))
    (order,) = await rows(shop, Order)
    now = shop.services.clock.now()
    came = TransferReceived(
        order_id=order.id,
        amount_minor=12_500,
        arrived_on=to_local(now, lotus.tenant.zone).date(),
        token=new_id(),
    )
    async with factory(lotus.id) as uow:
        await mark_transfer_received(uow, lotus.ctx, came)
    async with factory(lotus.id) as uow:
        [week] = await weekly_totals(uow, lotus.tenant, now, weeks=1)
    assert week.kept_minor == 12_000
    await signed_in(shop, order)
    await shop.guest.open(f"{ME}/receipts/{order.id}")
    assert shop.guest.text.count("more than was due, so it goes back") == 1
    assert await counted(shop, order) == (12_500, 0, 500), "on the order and for its month alike"
    why = await hand_back(shop, order)
    assert why == "More came than was due"
    assert await counted(shop, order) == (12_500, 500, 0), "what was paid stays what it was"
    await shop.guest.open(f"{ME}/receipts")
    assert "€5.00 back that was more than was due" in shop.guest.text
    assert "€5.00 back<" not in shop.guest.text


async def counted(shop: Shop, order: Order) -> tuple[int, int, int]:
    """Paid, given back, and still to give back: of the order's page, which those of its month
    equal.
    """
    tenant = shop.business.tenant
    async with shop.services.uow_factory(tenant.id) as uow:
        page = await get_order_page(uow, tenant, order.id)
        month = await month_totals(uow, tenant, shop.services.clock.now())
    of_page = (page.paid_minor, page.refunded_minor, page.to_hand_back_minor)
    assert (month.paid_minor, month.refunded_minor, month.to_hand_back_minor) == of_page
    return of_page


async def hand_back(shop: Shop, order: Order) -> str:
    """Returns why, as the order's page says it."""
    business = shop.business
    async with shop.services.uow_factory(business.id) as uow:
        item_id = (await uow.session.scalars(select(OpenItem.id))).one()
        await close_item_by_hand(uow, business.ctx, order.id, item_id)
    async with shop.services.uow_factory(business.id) as uow:
        [refund] = (await get_order_page(uow, business.tenant, order.id)).refunds
    return refund.why


async def test_what_came_beyond_the_price_of_a_course_is_no_money_of_it(shop: Shop) -> None:
    factory, lotus = shop.services.uow_factory, shop.business
    await takes_transfers(shop.services, lotus)
    service = await a_service(factory, lotus.id)
    term = await a_series(factory, service, first_in_days=30)
    wish = a_wish("series", term.series.id, way=PayWay.TRANSFER)
    async with factory(lotus.id) as uow:
        made = await book(uow, as_guest(lotus), wish)
    price_minor = made.order.total_minor
    assert price_minor > 0
    await receive(shop.services, lotus, made.order.id, price_minor + 500)
    async with factory(lotus.id) as uow:
        head = (await get_series_overview(uow, term.series.id, uow.clock.now())).head
    assert (head.sold, head.paid_minor) == (1, price_minor)


async def test_a_part_that_came_for_what_has_ended_is_income_neither_before_nor_after_it_went_back(
    shop: Shop, clock: FrozenClock
) -> None:
    factory, lotus = shop.services.uow_factory, shop.business
    await takes_transfers(shop.services, lotus)
    term = await a_series(factory, await a_service(factory, lotus.id), first_in_days=30)
    wish = a_wish("series", term.series.id, way=PayWay.TRANSFER)
    async with factory(lotus.id) as uow:
        made = await book(uow, as_guest(lotus), wish)

    async def earned() -> tuple[int, int, int]:
        """Of the month less what went back, of its weeks, of the course."""
        now = clock.now()
        async with factory(lotus.id) as uow:
            month = await month_totals(uow, lotus.tenant, now)
            weeks = await weekly_totals(uow, lotus.tenant, now, weeks=4)
            head = (await get_series_overview(uow, term.series.id, now)).head
        in_weeks = sum(week.kept_minor for week in weeks)
        kept_minor = month.paid_minor - month.refunded_minor - month.to_hand_back_minor
        return kept_minor, in_weeks, head.paid_minor

    await receive(shop.services, lotus, made.order_id, 1000)
    assert await earned() == (1000, 1000, 1000), "the order still waits for the rest"
    assert made.order.hold_expires_at is not None
    clock.advance(made.order.hold_expires_at - clock.now() + timedelta(seconds=1))
    await sweep_holds(shop.services)
    assert await earned() == (0, 0, 0)
    assert await hand_back(shop, made.order) == "Nothing was bought with it"
    assert await earned() == (0, 0, 0)
    assert await counted(shop, made.order) == (1000, 1000, 0)
