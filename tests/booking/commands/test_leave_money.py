"""What the command for leaving says has come back: of this leaving alone, and each way of it."""

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.models import Refund
from src.booking.commands.leave import leave_dates
from src.booking.commands.leave_money import CameBack
from src.platform.db.uow import UowFactory
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_leave import TERMS
from tests.support.builders import a_business, a_series, a_service
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio


async def test_each_leaving_tells_of_what_it_gives_back_and_which_way(
    uow_factory: UowFactory,
) -> None:
    """Of 60 a voucher has paid 30, and the business took the rest."""
    lotus = await a_business(uow_factory)
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, price_type="on_site", leaving=TERMS)
    await a_voucher(uow_factory, lotus.id, minor=3000)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    async with uow_factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, made.order_id)
    came = []
    for seat in await seats_of(uow_factory, lotus.id):
        async with uow_factory(lotus.id) as uow:
            came.append(await leave_dates(uow, lotus.tenant, made.order_id, [seat.id]))
            # Again it leaves nothing, and tells of nothing that came before.
            again = await leave_dates(uow, lotus.tenant, made.order_id, [seat.id])
        assert again == CameBack()
    assert came == [CameBack(2000, 2000), CameBack(1000, 1000, 1000), CameBack(by_hand_minor=2000)]
    async with uow_factory(lotus.id) as uow:
        assert sum(await uow.session.scalars(select(Refund.amount_minor))) == 3000
