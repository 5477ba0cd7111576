"""What came beyond the price is no part of it."""

import pytest

from src.billing.commands.transfers import TransferReceived, mark_transfer_received
from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.billing.queries.orders import month_totals
from src.billing.queries.weeks import weekly_totals
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
        totals = await month_totals(uow, lotus.tenant, now)
        [week] = await weekly_totals(uow, lotus.tenant, now, weeks=1)
    assert (totals.paid_minor, totals.refunded_minor) == (12_000, 0)
    assert week.kept_minor == 12_000
    await signed_in(shop, order)
    await shop.guest.open(f"{ME}/receipts/{order.id}")
    assert shop.guest.text.count("more than was due, so it goes back") == 1


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
