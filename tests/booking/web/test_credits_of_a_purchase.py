"""Credits that a purchase has brought, and what its cancelling makes of them."""

import re
from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.billing.commands.credit_acts import roll_over
from src.billing.commands.credits import SYSTEM, lock_lot, write_entry
from src.billing.domain.credits import EntryKind
from src.billing.models import Package
from src.booking.domain.cancelling import MoneyChoice
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_cancel_credits import (
    a_course_with_a_credit,
    cancels_purchase,
    lots,
)
from tests.booking.commands.test_cancel_money import UNDO, buys
from tests.booking.commands.test_cancel_takes_credits import by_the_dashboard
from tests.booking.commands.test_leave import leave
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.mail import RememberingMailer
from tests.support.policies import a_refund_package, gives_package, leaving
from tests.support.portal import sign_in_portal
from tests.support.vouchers import CODE, a_voucher
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def given(services: Services, lotus: Business) -> Package:
    return await a_refund_package(services.uow_factory, lotus.id)


async def test_the_page_says_when_the_credits_are_taken_back(
    services: Services, client: AsyncClient, lotus: Business, given: Package
) -> None:
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    await as_owner(client, services, lotus)
    page = (await client.get(f"/app/lotus/bookings/{booking_id}/cancel")).text
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Take back the unspent credit that this purchase brought" in words
    assert "Only where what it is worth goes back as money" in words
    assert "otherwise the guest keeps it." in words
    assert "€60.00" in words, "all that was paid, what the credit is worth among it"
    assert "Up to €40.00; more is for unspent credits too, which go only as a whole: €60.00." in (
        words
    )
    [second, _third] = [
        seat for seat in await seats_of(services.uow_factory, lotus.id) if seat.state != "cancelled"
    ]
    await leave(services, lotus, made, [second])
    page = (await client.get(f"/app/lotus/bookings/{booking_id}/cancel")).text
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "only as a whole: €40.00 or €60.00. Empty: as chosen above." in words


@pytest.mark.parametrize(
    ("paid_by", "as_voucher", "said"),
    [
        ("voucher", False, "€20.00 is on the voucher again that you paid with."),
        ("voucher", True, "€20.00 is on the voucher again that you paid with."),
        ("card", False, "€20.00 is on its way back as you paid it; banks take up to ten days."),
        ("card", True, "You get a voucher for €20.00."),
        ("cash", False, "You get €20.00 back from us."),
        ("cash", True, "You get a voucher for €20.00."),
    ],
)
async def test_who_loses_them_reads_what_they_get_for_them(
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
    paid_by: str,
    as_voucher: bool,
    said: str,
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    rules = leaving(course=gives_package(given))
    way = "online" if paid_by == "voucher" else "on_site"
    term = await a_series(services.uow_factory, service, price_type=way, leaving=rules)
    if paid_by == "voucher":
        await a_voucher(services.uow_factory, lotus.id, minor=6000)
        wish = a_wish("series", term.series.id, coupon=CODE)
        made = await booked(services.uow_factory, lotus, wish)
    else:
        made = await buys(services, lotus, term, "carl", by_card=paid_by == "card")
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    await cancels_purchase(
        services,
        lotus,
        made.booking_id,
        choice=MoneyChoice.FULL,
        revokes_credits=True,
        as_voucher=as_voucher,
    )
    await work_through(services, clock, lotus.id, UNDO)
    [mail] = [mail for mail in mailer.sent if "1 credit was taken off." in mail.body]
    words = " ".join(mail.body.split())
    assert f"The booking that it came from was cancelled. {said} Moves away" in words


async def test_who_loses_them_for_less_than_they_were_worth_reads_how_much_it_is(
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    _made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    await by_the_dashboard(services, lotus, 4500)
    await work_through(services, clock, lotus.id, UNDO)
    [mail] = [mail for mail in mailer.sent if "1 credit was taken off." in mail.body]
    assert "€15.00 is on its way back as you paid it" in mail.body


@pytest.mark.slow
async def test_who_loses_them_reads_why_and_nobody_reads_that_they_were_used(
    services: Services,
    client: AsyncClient,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    _made, booking_id, lot_id = await a_course_with_a_credit(services, lotus, given)
    await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    await work(services, lotus.id)
    await work_through(services, clock, lotus.id, UNDO)
    [mail] = [mail for mail in mailer.sent if "1 credit was taken off." in mail.body]
    assert "came from was cancelled. €20.00 is on its way back as you paid it;" in mail.body
    await as_owner(client, services, lotus)
    [lot] = await lots(services, lotus)
    for path in (f"customers/{lot.customer_id}", f"credits/{lot_id}"):
        page = (await client.get(f"/app/lotus/{path}")).text
        assert "Taken off" in page, path
        assert "0 of 0" not in page, path
        assert "Used up" not in page, path
    await sign_in_portal(client, services, lotus.id, lot.customer_id)
    own = (await client.get("/b/lotus/packages")).text
    assert "What was not used was taken off." in own
    assert "0 of 0" not in own


async def test_what_left_with_money_that_was_not_its_own_is_called_alike_by_both_sides(
    services: Services, client: AsyncClient, lotus: Business
) -> None:
    """A credit without a price left with a refund: it was neither used nor paid back itself."""
    customer_id, lot_id = await a_lot(services.uow_factory, lotus.id, number=1)
    async with services.uow_factory(lotus.id) as uow:
        lot = await lock_lot(uow, lot_id)
        await write_entry(uow, lot, EntryKind.REFUND, -1, SYSTEM)
    await as_owner(client, services, lotus)
    shown = (await client.get(f"/app/lotus/credits/{lot_id}")).text
    await sign_in_portal(client, services, lotus.id, customer_id)
    own = (await client.get("/b/lotus/packages")).text
    for page in (shown, own):
        assert "Taken off" in page
        assert "Used up" not in page


async def test_what_was_rolled_over_was_taken_off_nobody(
    services: Services, client: AsyncClient, lotus: Business, clock: FrozenClock
) -> None:
    customer_id, lot_id = await a_lot(
        services.uow_factory, lotus.id, number=1, expires_at=clock.now() - timedelta(days=1)
    )
    async with services.uow_factory(lotus.id) as uow:
        await roll_over(uow, lotus.ctx, lot_id, on=None, reason="She was ill")
    await sign_in_portal(client, services, lotus.id, customer_id)
    assert "Taken off" not in (await client.get("/b/lotus/packages")).text
