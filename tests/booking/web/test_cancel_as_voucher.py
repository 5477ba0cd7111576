"""Staff cancel, and what goes back is a voucher for each guest where they chose that."""

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.models import OpenItem, Order, Refund, Voucher
from src.booking.models import Cancellation
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, shop
from tests.booking.web.pages import fields_of
from tests.booking.web.test_cancellation_money import UNDO, buys, owner, path_to, term
from tests.support.builders import Term, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.policies import a_refund_package
from tests.support.visitor import Visitor
from tests.support.vouchers import CODE, a_voucher
from tests.support.work import work_through

__all__ = ["owner", "shop", "term"]
pytestmark = pytest.mark.anyio


@pytest.mark.slow
async def test_each_guest_gets_one_and_no_card_is_asked(
    shop: Shop,
    term: Term,
    owner: Visitor,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    for guest in ("Carl", "Dora"):
        await buys(shop, term, guest)
    await shop.work()
    mailer.sent.clear()
    await owner.open(path_to(term))
    await owner.submit({"money": "full", "as_voucher": "on"}, to="/cancel")
    await work_through(shop.services, clock, shop.business.id, UNDO)
    async with shop.services.uow_factory(shop.business.id) as uow:
        vouchers = list(await uow.session.scalars(select(Voucher)))
        refunds = list(await uow.session.scalars(select(Refund)))
        orders = list(await uow.session.scalars(select(Order)))
    assert [(one.source, one.balance_minor) for one in vouchers] == [("refund", 2000)] * 2
    assert {one.customer_id for one in vouchers} == {one.customer_id for one in orders}
    assert [(one.state, one.amount_minor, one.body) for one in refunds] == [
        ("succeeded", 2000, {})
    ] * 2
    assert [one.refunded_minor for one in orders] == [2000] * 2
    said = [mail.body for mail in mailer.sent]
    assert sum("You get €20.00 as a voucher, in a mail of its own." in one for one in said) == 2
    assert sum(any(v.code in one for v in vouchers) for one in said) == 2


@pytest.mark.parametrize("money", ["nothing", "credit", "terms"])
async def test_without_money_there_is_nothing_to_give_as_a_voucher(
    shop: Shop, owner: Visitor, money: str
) -> None:
    package = await a_refund_package(shop.services.uow_factory, shop.business.id)
    service = await a_service(shop.services.uow_factory, shop.business.id)
    term = await a_series(shop.services.uow_factory, service)
    carl = await buys(shop, term, "Carl")
    await owner.open(path_to(term))
    chosen = {"money": money, "package": str(package.id), "as_voucher": "on"}
    await owner.submit({**chosen, "reason": "Flood"}, to="/cancel", status=422)
    assert "No money goes back, so there is nothing to give as a voucher." in owner.text
    assert 'id="f-as_voucher-error"' in owner.text
    assert "Flood" in owner.text
    await owner.submit({f"back.{carl}": "10"}, to="/cancel")
    assert "10.00 to 1 guest" in owner.text


async def test_a_voucher_of_nothing_is_refused_at_its_field(
    shop: Shop, term: Term, owner: Visitor
) -> None:
    await buys(shop, term, "Carl")
    await shop.work()
    await owner.open(path_to(term))
    asked = {"money": "nothing", "as_voucher": "on"}
    refused = await owner.submit(asked, to="/cancel", status=422)
    assert "so there is nothing to give as a voucher." in refused.text
    assert fields_of(refused)["as_voucher"] == ["on"], "what was chosen is kept"
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await uow.session.scalar(select(Cancellation.id)) is None


async def test_what_was_paid_on_site_is_one_too_and_a_voucher_gets_its_own_back(
    shop: Shop, owner: Visitor, clock: FrozenClock
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service = await a_service(factory, business.id, slug="pilates", price_type="on_site")
    term = await a_series(factory, service, price_type="on_site")
    paying = await a_voucher(factory, business.id, minor=1500)
    made = await booked(factory, business, a_wish("series", term.series.id, coupon=CODE))
    async with factory(business.id) as uow:
        await mark_paid_on_site(uow, business.ctx, made.order_id)
    await owner.open(path_to(term))
    await owner.submit({"money": "full", "as_voucher": "on"}, to="/cancel")
    await work_through(shop.services, clock, business.id, UNDO)
    async with factory(business.id) as uow:
        found = await uow.session.execute(select(Voucher.id, Voucher.balance_minor))
        left = {row[0]: row[1] for row in found}
        by_hand = list(await uow.session.scalars(select(OpenItem.id)))
    assert left.pop(paying.id) == 1500
    assert list(left.values()) == [500], "the rest of a date at EUR 20"
    assert by_hand == []
