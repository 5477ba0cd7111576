"""The form that gives money back offers what can go back, and says where it goes."""

import re

import pytest
from sqlalchemy import select

from src.billing.commands.vouchers import adjust_voucher
from src.billing.models import Order, Payment, Voucher
from src.billing.settlement import check_payment
from src.platform.mail.models import MailRow
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.pages import as_owner
from tests.booking.web.test_guest_vouchers import buys, pays
from tests.booking.web.test_place_package import buy, wish
from tests.booking.web.test_refunding_packages import used
from tests.support.builders import a_service, a_session
from tests.support.credits import a_package
from tests.support.visitor import Visitor, forms_of
from tests.support.vouchers import sells_vouchers

pytestmark = pytest.mark.anyio


async def refund_form(shop: Shop) -> Visitor:
    """Open, as the owner sees it."""
    await as_owner(shop.guest.client, shop.services, shop.business)
    [payment] = await rows(shop, Payment)
    owner = Visitor(shop.guest.client)
    await owner.open(f"/app/lotus/orders/{payment.order_id}/refund?payment={payment.id}")
    return owner


def words(owner: Visitor) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", owner.text).split())


def offered(owner: Visitor) -> list[list[str]]:
    """The amounts in the forms that give money back, normally one."""
    assert owner.page is not None
    forms = [one for one in forms_of(owner.page) if one.action.endswith("/refund")]
    return [one.filled({})["amount"] for one in forms]


async def a_package_by_card(shop: Shop) -> None:
    """Ten credits for 120.00."""
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await shop.pay(await buy(shop, wish(package.id)))
    [order] = await rows(shop, Order)
    await check_payment(shop.services, shop.business.id, order.id)


async def test_what_unused_credits_are_worth_is_not_offered(shop: Shop) -> None:
    await a_package_by_card(shop)
    await used(shop, 4)
    owner = await refund_form(shop)
    assert "Can still go back €48.00" in words(owner)
    assert "€72.00 more is what unused credits are worth." in words(owner)
    assert offered(owner) == [["48.00"]]
    answer = await owner.submit(to="/refund")
    assert "The money is on its way back." in answer.text


async def test_where_all_of_it_is_in_credits_there_is_no_form(shop: Shop) -> None:
    await a_package_by_card(shop)
    owner = await refund_form(shop)
    assert "Can still go back €0.00" in words(owner)
    assert "Nothing of this payment can go back from here: see above why." in words(owner)
    assert offered(owner) == []


async def test_no_more_is_offered_than_is_left_on_a_bought_voucher(shop: Shop) -> None:
    await sells_vouchers(shop.services.uow_factory, shop.business.id)
    await pays(shop, await buys(shop, amount="5000", to="me"))
    async with shop.services.uow_factory(shop.business.id) as uow:
        voucher = (await uow.session.scalars(select(Voucher))).one()
        await adjust_voucher(uow, shop.business.ctx, voucher.id, -1500, "Used at the desk")
    owner = await refund_form(shop)
    assert "Can still go back €35.00" in words(owner)
    assert offered(owner) == [["35.00"]]
    assert "goes back to the card it came from" in words(owner), "there is no other way"


async def test_who_gets_a_voucher_instead_reads_what_for(shop: Shop) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id)
    date = await a_session(shop.services.uow_factory, service)
    sent = await shop.book(subject("session", date.id))
    await shop.pay(sent.headers["location"])
    [order] = await rows(shop, Order)
    await check_payment(shop.services, shop.business.id, order.id)
    owner = await refund_form(shop)
    assert "The money goes back to the card" not in words(owner), "it may go another way"
    await owner.submit({"amount": "7.50", "back_as": "voucher"}, to="/refund")
    await shop.work()
    [mail] = [one for one in await rows(shop, MailRow) if one.kind == "billing.voucher"]
    why = f"You get it instead of money back for order {order.reference}: decided by the business."
    for text in (mail.text, mail.html):
        assert why in " ".join(text.split())
