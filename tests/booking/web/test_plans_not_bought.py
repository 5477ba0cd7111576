"""Parts of what was not bought, or not yet: nobody can pay, take or waive them."""

import pytest

from src.billing.commands.ending import end_locked_order
from src.billing.commands.instalments import list_parts
from src.billing.commands.orders import lock_order
from src.billing.commands.parts_by_staff import take_part_on_site, waive_part
from src.billing.domain.kinds import OrderState
from src.billing.models import PaymentPage, Refund
from src.billing.page_body import Addresses
from src.billing.part_pages import pay_parts_by_hand
from src.billing.settlement import settle_page
from src.booking.guest_links import package_path
from src.platform.errors import Conflict
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_plan_money_back import nothing_is_broken
from tests.support.clock import FrozenClock
from tests.support.plans import (
    a_plan_package,
    begin_plan,
    buy_in_parts,
    charges,
    pages_of,
    parts_of,
    states,
    the_order,
)
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio

HERE = "http://testserver.local/b/lotus/packages/bought/x"
ADDRESSES = Addresses(success_url=f"{HERE}?paid=1", cancel_url=HERE)


async def begun(shop: Shop) -> str:
    """Bought in parts, and the first not paid: the address of its payment page."""
    package = await a_plan_package(shop)
    return await begin_plan(shop, package.id)


@pytest.mark.parametrize("typed", [{}, {"all": "1"}])
async def test_a_form_made_by_hand_opens_no_page_before_the_first_is_paid(
    shop: Shop, typed: dict[str, str]
) -> None:
    await begun(shop)
    path = package_path(shop.services.settings, "lotus", await the_order(shop))
    await shop.guest.open(path)
    filled = forms_of(shop.guest.page)[0].filled(typed)
    sent = await shop.guest.client.post(f"{path}/parts", data=filled)
    assert "/c/pay/" not in sent.headers.get("location", "")
    (page,) = await pages_of(shop)
    assert page.parts is None


@pytest.mark.parametrize("everything", [True, False])
async def test_no_part_is_paid_of_what_ended_unpaid(
    shop: Shop, clock: FrozenClock, everything: bool
) -> None:
    await begun(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, (await the_order(shop)).id)
        await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", clock.now())
    with pytest.raises(Conflict, match="not bought"):
        await pay_parts_by_hand(
            shop.services,
            shop.business.id,
            order.id,
            everything=everything,
            addresses=ADDRESSES,
        )
    assert len(await rows(shop, PaymentPage)) == 1


async def test_the_desk_neither_takes_nor_waives_a_part_before_the_first_is_paid(
    shop: Shop,
) -> None:
    url = await begun(shop)
    order, second = await the_order(shop), (await parts_of(shop))[1]
    with pytest.raises(Conflict, match="first part has to be paid"):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await take_part_on_site(uow, shop.business.ctx, order.id, second.id)
    with pytest.raises(Conflict, match="first part has to be paid"):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await waive_part(uow, shop.business.ctx, order.id, second.id, "Was ill")
    assert await states(shop) == ["due"] * 4
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[0].id)
    assert await states(shop) == ["paid", "due", "due", "due"]


async def test_money_for_parts_of_an_order_that_does_not_stand_goes_back(
    shop: Shop, clock: FrozenClock
) -> None:
    """As it could only come of a page that was made while the order stood."""
    order = await buy_in_parts(shop)
    url = await pay_parts_by_hand(
        shop.services, shop.business.id, order.id, everything=False, addresses=ADDRESSES
    )
    await shop.pay(url)
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await lock_order(uow, order.id)
        found.state, found.closed_at, found.closed_why = "expired", clock.now(), "not_paid"
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[-1].id)
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        parts = await list_parts(uow, order.id)
    assert [part.state for part in parts] == ["paid", "due", "due", "due"]
    (refund,) = await rows(shop, Refund)
    assert (refund.amount_minor, refund.cause, refund.state) == (3000, "too_late", "succeeded")
    assert await charges(shop) == [3000, 3000]


async def test_a_first_part_begins_only_those_that_wait(shop: Shop) -> None:
    """Whatever was decided of the others meanwhile stays so."""
    url = await begun(shop)
    order = await the_order(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        third = (await list_parts(uow, order.id))[2]
        third.state, third.why = "waived", "Was ill"
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[0].id)
    assert await states(shop) == ["paid", "due", "waived", "due"]
    await nothing_is_broken(shop)
