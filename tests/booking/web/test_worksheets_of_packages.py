"""A package all of whose money went back asks for nothing any more, until that has failed."""

import pytest

from src.billing.commands.refunds import fail_refund
from src.billing.jobs.refunds import lock_refund
from src.billing.models import Refund
from src.billing.settlement import check_payment
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, only_lot, wish
from tests.booking.web.test_refunding_packages import give
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.worksheets import a_worksheet, copies_of

pytestmark = pytest.mark.anyio


async def test_what_a_package_asked_for_ends_with_its_refund_and_comes_back_with_it(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    ten = await a_package(factory, business.id)
    await a_worksheet(factory, business, package_ids=[ten.id])
    await shop.pay(await buy(shop, wish(ten.id)))
    lot = await only_lot(shop)
    assert lot.order_id is not None
    await check_payment(shop.services, business.id, lot.order_id)
    await shop.work()
    (copy,) = await copies_of(factory, business)
    assert copy.order_id == lot.order_id
    await give(shop, await only_lot(shop), 12_000)
    await shop.work()
    assert await copies_of(factory, business) == []
    (refund,) = await rows(shop, Refund)
    async with factory(business.id) as uow:
        order, locked = await lock_refund(uow, refund.id)
        await fail_refund(uow, order, locked, "expired_or_canceled_card")
    await shop.work()
    (again,) = await copies_of(factory, business)
    assert (again.order_id, again.state) == (lot.order_id, "asked")
    assert sum("To fill in" in mail.subject for mail in mailer.sent) == 2
