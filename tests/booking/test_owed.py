"""What is still to be paid on site: the same wherever it is asked, whatever was cancelled."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import update

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.owed import get_owed_minor
from src.billing.queries.order_page import get_order_page
from src.billing.queries.orders import OrderFilter, list_orders
from src.booking.commands.book import Booked
from src.booking.models import Seat, Session
from src.booking.queries.buyers import get_booking_detail, list_buyers
from src.booking.queries.guest_bookings import get_guest_booking
from src.booking.queries.roster import get_roster
from src.booking.queries.series import get_series_overview
from src.platform.db.uow import UnitOfWork
from src.platform.money import Money
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, Term, a_business, a_series, a_service

pytestmark = pytest.mark.anyio


@dataclass
class Sale:
    """A series of three dates for 60.00, to be paid on site by Carl."""

    services: Services
    business: Business
    term: Term
    made: Booked

    async def becomes(self, state: str, *dates: int) -> None:
        """What staff, guest or job make of the seats of these dates."""
        ids = [self.term.sessions[at].id for at in dates]
        async with self.services.uow_factory(self.business.id) as uow:
            await uow.session.execute(
                update(Seat).where(Seat.session_id.in_(ids)).values(state=state)
            )

    async def date_becomes(self, state: str, date: int) -> None:
        session_id = self.term.sessions[date].id
        async with self.services.uow_factory(self.business.id) as uow:
            await uow.session.execute(
                update(Session).where(Session.id == session_id).values(state=state)
            )

    async def ask(self, question: Callable[[UnitOfWork], Awaitable[int]]) -> int:
        async with self.services.uow_factory(self.business.id) as uow:
            return await question(uow)

    async def owed(self) -> int:
        return await self.ask(lambda uow: get_owed_minor(uow, self.made.order_id))

    async def press(self) -> Money:
        async with self.services.uow_factory(self.business.id) as uow:
            return await mark_paid_on_site(uow, self.business.ctx, self.made.order_id)

    async def payments_on_roster(self, date: int) -> list[str]:
        async with self.services.uow_factory(self.business.id) as uow:
            roster = await get_roster(uow, self.term.sessions[date].id)
        return [seat.payment for seat in (*roster.coming, *roster.gone)]

    async def everywhere(self) -> dict[str, int]:
        """The sum on every screen that has one."""
        tenant, now = self.business.tenant, self.services.clock.now()
        order_id, series_id = self.made.order_id, self.term.series.id
        async with self.services.uow_factory(self.business.id) as uow:
            orders = await list_orders(uow, tenant, OrderFilter(), now)
            order = await get_order_page(uow, tenant, order_id)
            guest = await get_guest_booking(uow, tenant, self.services.settings, order_id)
            series = await get_series_overview(uow, series_id, now)
            buyers = await list_buyers(uow, series_id, now)
            booking = await get_booking_detail(uow, self.made.booking_id, now)
            roster = await get_roster(uow, self.term.sessions[2].id)
        return {
            "list": orders.rows[0].owed_minor,
            "month": orders.totals.owed_minor,
            "order": order.owed_minor,
            "guest": guest.owed_minor,
            "series": series.head.owed_minor,
            "buyers": buyers.rows[0].owed_minor,
            "booking": booking.owed_minor,
            "roster": roster.coming[0].owed_minor,
        }


@pytest.fixture
async def sale(services: Services) -> Sale:
    factory = services.uow_factory
    business = await a_business(factory)
    service = await a_service(factory, business.id)
    term = await a_series(factory, service, price_type="on_site", price_minor=6000)
    made = await booked(factory, business, a_wish("series", term.series.id))
    return Sale(services, business, term, made)


@pytest.mark.parametrize(
    ("becomes", "owed_minor"),
    [
        ("confirmed", 6000),
        ("attended", 6000),
        ("no_show", 6000),
        ("late_cancelled", 6000),
        ("swapped", 6000),
        ("cancelled", 4000),
    ],
)
async def test_only_what_was_cancelled_in_time_is_owed_no_more(
    sale: Sale, becomes: str, owed_minor: int
) -> None:
    await sale.becomes(becomes, 0)
    found = await sale.everywhere()
    assert found == dict.fromkeys(found, owed_minor)
    assert await sale.press() == Money(owed_minor, "EUR")
    assert await sale.owed() == 0


async def test_who_left_late_owes_nothing_for_a_date_that_is_called_off(sale: Sale) -> None:
    await sale.becomes("late_cancelled", 0)
    await sale.date_becomes("cancelling", 0)
    assert await sale.owed() == 6000
    await sale.date_becomes("cancelled", 0)
    found = await sale.everywhere()
    assert found == dict.fromkeys(found, 4000)
    assert await sale.payments_on_roster(0) == ["waived"]
    assert await sale.payments_on_roster(1) == ["on_site"]


async def test_a_share_that_lies_in_a_credit_stays_owed_and_the_roster_says_so(sale: Sale) -> None:
    await sale.becomes("cancelled", 0, 1)
    session_id = sale.term.sessions[0].id
    async with sale.services.uow_factory(sale.business.id) as uow:
        await uow.session.execute(
            update(Seat).where(Seat.session_id == session_id).values(returned_as="credit")
        )
    found = await sale.everywhere()
    assert found == dict.fromkeys(found, 4000)
    assert await sale.payments_on_roster(0) == ["on_site"]
    assert await sale.payments_on_roster(1) == ["waived"]


async def test_when_all_is_cancelled_nothing_is_left_to_take(sale: Sale) -> None:
    await sale.becomes("cancelled", 0, 1, 2)
    assert await sale.owed() == 0
    assert await sale.press() == Money(0, "EUR")
    assert await sale.payments_on_roster(0) == ["waived"]


async def test_what_is_cancelled_after_it_was_paid_makes_no_new_debt(sale: Sale) -> None:
    await sale.press()
    await sale.becomes("cancelled", 0)
    assert await sale.owed() == 0
    assert await sale.payments_on_roster(0) == ["paid_on_site"]
    assert await sale.payments_on_roster(1) == ["paid_on_site"]


async def test_the_roster_says_of_each_seat_whether_it_is_to_be_paid(sale: Sale) -> None:
    await sale.becomes("cancelled", 0)
    assert await sale.payments_on_roster(0) == ["waived"]
    assert await sale.payments_on_roster(1) == ["on_site"]
    await sale.press()
    assert await sale.payments_on_roster(1) == ["paid_on_site"]


async def test_other_orders_owe_nothing_on_site(services: Services) -> None:
    factory = services.uow_factory
    business = await a_business(factory)
    term = await a_series(factory, await a_service(factory, business.id), price_type="online")
    made = await booked(factory, business, a_wish("series", term.series.id))
    async with factory(business.id) as uow:
        assert await get_owed_minor(uow, made.order_id) == 0
        assert await get_owed_minor(uow, UUID(int=1)) == 0
