"""Receipts on a guest's own pages say once what was bought, and what has become of it."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.commands.by_staff import RefundByHand
from src.billing.commands.vouchers import refund_as_voucher
from src.billing.models import Payment
from src.booking.commands.book import Booked
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_price_tiers import CHILD
from tests.booking.web.money_back import gives_back_in_vain, pays_back, words_of
from tests.booking.web.pages import as_owner
from tests.booking.web.test_disputes import lotus, sold
from tests.support.builders import Business, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.portal import sign_in_portal
from tests.support.visitor import Visitor

pytestmark = pytest.mark.anyio
__all__ = ["lotus", "sold"]
RECEIPTS = "/b/lotus/me/receipts"


async def signed_in(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> Visitor:
    await sign_in_portal(client, services, lotus.id, made.order.customer_id)
    return Visitor(client)


async def a_parent_with_child(services: Services, lotus: Business) -> Booked:
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", price_tiers=[CHILD]
    )
    session = await a_session(services.uow_factory, service)
    party = {"party": ("Carl", "Dora"), "tiers": ("full", CHILD["key"])}
    return await booked(services.uow_factory, lotus, a_wish("session", session.id, **party))


async def test_one_date_at_two_prices_is_one_thing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    made = await a_parent_with_child(services, lotus)
    guest = await signed_in(client, services, lotus, made)
    await guest.open(RECEIPTS)
    assert made.order.reference in guest.text
    assert "and 1 more" not in guest.text


async def test_how_many_places_are_left_of_those_that_were_sold(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    made = await a_parent_with_child(services, lotus)
    guest = await signed_in(client, services, lotus, made)
    pages = (RECEIPTS, f"{RECEIPTS}/{made.order_id}")
    for page in pages:
        await guest.open(page)
        assert "By now" not in guest.text
    [first, _second] = await seats_of(services.uow_factory, lotus.id)
    await seats_taken_back(services.uow_factory, lotus, [first.id])
    # The list tells it of the order, the receipt of each kind of price.
    for page, left in zip(pages, ("1 of 2 places", "0 of 1 place"), strict=True):
        await guest.open(page)
        assert words_of(guest).count(left) == 1
        assert words_of(guest).count("By now") == 1


async def test_what_was_cancelled_and_never_paid_explains_the_rest(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """What is still to be paid is less than the total, though nothing was paid."""
    made = await a_parent_with_child(services, lotus)
    guest = await signed_in(client, services, lotus, made)
    await guest.open(f"{RECEIPTS}/{made.order_id}")
    assert "Cancelled, so not to be paid" not in words_of(guest)
    first, second = await seats_of(services.uow_factory, lotus.id)
    await seats_taken_back(services.uow_factory, lotus, [first.id])
    await guest.open(f"{RECEIPTS}/{made.order_id}")
    off, left = (f"€{one.share_minor / 100:.2f}" for one in (first, second))
    assert f"Cancelled, so not to be paid {off} Still to pay on site {left}" in words_of(guest)
    await as_owner(client, services, lotus)
    await guest.open(f"/app/lotus/orders/{made.order_id}")
    assert f"Cancelled, so not to be paid {off} Still to take on site {left}" in words_of(guest)


async def test_a_refund_that_did_not_arrive_stands_until_it_is_dealt_with(
    client: AsyncClient, services: Services, lotus: Business, sold: Booked
) -> None:
    guest = await signed_in(client, services, lotus, sold)
    await gives_back_in_vain(services, lotus, sold, 700)
    await guest.open(f"{RECEIPTS}/{sold.order_id}")
    assert "The refund did not arrive." in guest.text
    await pays_back(services, lotus, sold, 700)
    await guest.open(f"{RECEIPTS}/{sold.order_id}")
    assert "The refund did not arrive" not in guest.text
    assert "Given back" in guest.text
    await gives_back_in_vain(services, lotus, sold, 300)
    async with services.uow_factory(lotus.id) as uow:
        payment_id = (await uow.session.scalars(select(Payment.id))).one()
        cmd = RefundByHand(
            order_id=sold.order_id,
            payment_id=payment_id,
            amount_minor=300,
            token="once",
            instead=True,
        )
        await refund_as_voucher(uow, lotus.ctx, cmd)
    await guest.open(f"{RECEIPTS}/{sold.order_id}")
    assert "The refund did not arrive" not in guest.text
    assert "Given back as a voucher" in guest.text
