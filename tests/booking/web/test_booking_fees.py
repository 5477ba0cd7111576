"""The money of a booking as its business sees it: fees are named beside the sums, never in them."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from src.billing.commands.fees import forgive_fee, take_fee_on_site
from src.billing.models import Fee
from src.booking.domain.kinds import SeatState
from src.booking.models import Booking
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import as_owner
from tests.booking.web.test_fees import a_date, a_day_later, fees, leave, mark, missed
from tests.booking.web.test_guest_page import own_page
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio
ON_TOP = "On top of the sums above: a fee is paid with an order of its own."


async def money_panel(shop: Shop) -> str:
    """What "Money" says, in words, and the links in it."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        booking_id = (await uow.session.scalars(select(Booking.id))).one()
    await as_owner(shop.guest.client, shop.services, shop.business)
    text = (await shop.guest.client.get(f"/app/lotus/bookings/{booking_id}")).text
    panel = text[text.index(">Money<") : text.index(">Note<")]
    links = re.findall(r'href="([^"]+)"', panel)
    return " ".join([*re.sub(r"<[^>]+>", " ", panel).split(), *links])


async def test_a_fee_that_is_asked_stands_in_the_money_of_its_booking_with_the_way_to_it(
    shop: Shop, clock: FrozenClock
) -> None:
    await missed(shop, clock)
    [fee] = await fees(shop)
    panel = await money_panel(shop)
    assert ON_TOP in panel
    assert "€7.50 Asked Did not come" in panel
    assert "The guest is asked to pay on" in panel
    assert f"/app/lotus/fees/{fee.id}" in panel
    assert "Price €15.00 Received €0.00" in panel, "the fee is in none of the booking's own sums"
    assert "To pay on site €15.00" in panel
    await a_day_later(shop, clock)
    assert "The guest is asked to pay on" not in await money_panel(shop)
    guests = (await shop.guest.open(await own_page(shop))).text
    assert "A fee of €7.50 is asked for not coming." in guests


async def test_a_fee_that_is_paid_leads_to_its_order_and_leaves_the_sums_as_they_were(
    shop: Shop, clock: FrozenClock
) -> None:
    session, own = await a_date(shop), await own_page(shop)
    clock.at = session.starts_at - timedelta(hours=2)
    await leave(shop, session)
    before = (await money_panel(shop)).split(" Fees ")
    assert "€5.00 Asked Cancelled late" in before[1]
    [fee] = await fees(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await take_fee_on_site(uow, shop.business.ctx, fee.id)
    after = (await money_panel(shop)).split(" Fees ")
    assert after[0] == before[0]
    assert "€5.00 Paid Cancelled late" in after[1]
    async with shop.services.uow_factory(shop.business.id) as uow:
        pays_id = (await uow.session.scalars(select(Fee.pays_id))).one()
    assert f"/app/lotus/orders/{pays_id}" in after[1]
    guests = (await shop.guest.open(own)).text
    assert "The fee of €5.00 for cancelling late is paid." in guests


async def test_a_fee_that_is_forgiven_says_why_and_its_guest_reads_nothing_of_it(
    shop: Shop, clock: FrozenClock
) -> None:
    await missed(shop, clock)
    [fee] = await fees(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await forgive_fee(uow, shop.business.ctx, fee.id, "She was ill.")
    panel = await money_panel(shop)
    assert "€7.50 Forgiven Did not come" in panel
    assert "She was ill." in panel
    assert f"/app/lotus/fees/{fee.id}" in panel
    assert "fee of" not in (await shop.guest.open(await own_page(shop))).text


async def test_a_fee_that_was_a_mistake_stands_nowhere(shop: Shop, clock: FrozenClock) -> None:
    session = await missed(shop, clock)
    await mark(shop, session, SeatState.ATTENDED)
    assert ON_TOP not in await money_panel(shop)
