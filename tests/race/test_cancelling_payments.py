"""The business cancels in the moment in which guests pay: each has the seat or the money, once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select

from src.billing.checkout import ensure_payment_page
from src.billing.commands.settle import apply_page
from src.billing.models import Order, Payment, PaymentPage, Refund
from src.billing.settlement import settle_page
from src.billing.stripe_gateway import StripeGateway
from src.booking.commands import cancel, cancel_marks
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase, cancel_session
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.cancel_series import cancel_series
from src.booking.domain.cancelling import MoneyChoice
from src.booking.models import Booking, Cancellation, Seat
from src.platform.db.uow import UnitOfWork
from src.platform.services import Services
from src.sandbox.stripe.serving import Running
from tests.billing.conftest import gateway, open_account, stripe
from tests.billing.support import Business as BareBusiness
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_claims_last import a_page, as_found
from tests.conftest import Committing
from tests.properties.invariants import WHAT_IS_BROKEN
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.work import work, work_together

__all__ = ["gateway", "stripe"]
pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
FULL = MoneyWanted(choice=MoneyChoice.FULL)
SCOPES = ("session", "series", "purchase")
GUESTS, PRICE_MINOR, SHARE_MINOR = 7, 6000, 2000


class Ticking(FrozenClock):
    """No two looks at it are the same moment, as on a real one."""

    def now(self) -> datetime:
        self.advance(timedelta(microseconds=1))
        return self.at


@pytest.fixture
def clock() -> FrozenClock:
    return Ticking()


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


@pytest.fixture
async def term(committing: Committing, lotus: Business) -> Term:
    """Three dates at EUR 60, paid online."""
    service = await a_service(committing.uow_factory, lotus.id)
    return await a_series(committing.uow_factory, service, capacity=GUESTS)


@pytest.fixture
async def services(
    committing: Committing, lotus: Business, stripe: Running, gateway: StripeGateway
) -> AsyncIterator[Services]:
    bound = replace(committing.services, ports={StripeGateway: gateway})
    await open_account(bound, stripe, BareBusiness(lotus.id, lotus.slug, lotus.id))
    yield bound


async def bought(committing: Committing, lotus: Business, term: Term, number: int = 0) -> Booked:
    """The whole series, held for its payment."""
    wish = a_wish("series", term.series.id, guest_email=f"g{number}@example.com")
    return await booked(committing.uow_factory, lotus, wish)


async def cancelling(
    uow: UnitOfWork,
    lotus: Business,
    term: Term,
    scope: str,
    made: Booked,
    money: MoneyWanted = FULL,
) -> None:
    """The middle date, all dates, or one guest's purchase; nobody can change their mind."""
    if scope == "session":
        date = term.sessions[1].id
        await cancel_session(uow, lotus.ctx, date, reason="", undo_seconds=0, money=money)
    elif scope == "series":
        await cancel_series(uow, lotus.ctx, term.series.id, reason="", undo_seconds=0, money=money)
    else:
        await cancel_purchase(
            uow, lotus.ctx, made.booking_id, reason="", undo_seconds=0, money=money
        )


async def at_the_payment_page(services: Services, lotus: Business, made: Booked) -> PaymentPage:
    url = f"https://{lotus.slug}.example/"
    await ensure_payment_page(services, lotus.id, made.order_id, success_url=url, cancel_url=url)
    async with services.uow_factory(lotus.id) as uow:
        found = select(PaymentPage).where(PaymentPage.order_id == made.order_id)
        return (await uow.session.scalars(found)).one()


async def check(committing: Committing, lotus: Business, *, chosen: MoneyChoice) -> None:
    """All invariants; and nobody has paid for a seat they do not have, but who had paid before and
    is to get nothing.
    """
    async with committing.uow_factory(lotus.id) as uow:
        connection = await uow.session.connection()
        assert (await connection.exec_driver_sql(WHAT_IS_BROKEN)).all() == []
        cancelled = (await uow.session.scalars(select(Cancellation))).all()
        assert {one.state for one in cancelled} == {"done"}
        for order in (await uow.session.scalars(select(Order).where(Order.paid_minor > 0))).all():
            seats = (await uow.session.scalars(select(Seat).where(Seat.order_id == order.id))).all()
            had_paid = await _had_paid(uow, order, cancelled)
            has_minor = sum(
                seat.share_minor
                for seat in seats
                if seat.state == "confirmed" or (had_paid and chosen is MoneyChoice.NOTHING)
            )
            assert order.paid_minor - order.refunded_minor == has_minor


async def _had_paid(uow: UnitOfWork, order: Order, cancelled: Sequence[Cancellation]) -> bool:
    """Before anything of the order was cancelled."""
    booking_id = await uow.session.scalar(select(Booking.id).where(Booking.order_id == order.id))
    paid_at = await uow.session.scalar(
        select(func.min(Payment.received_at)).where(Payment.order_id == order.id)
    )
    asked_at = [
        one.requested_at
        for one in cancelled
        if one.scope != "purchase" or one.subject_id == booking_id
    ]
    return paid_at is not None and paid_at < min(asked_at)


@pytest.mark.parametrize(
    ("scope", "money"), [("session", NOTHING), ("series", FULL), ("purchase", NOTHING)]
)
async def test_who_pays_while_it_is_cancelled_has_the_seat_or_the_money(
    committing: Committing,
    lotus: Business,
    term: Term,
    services: Services,
    stripe: Running,
    clock: FrozenClock,
    scope: str,
    money: MoneyWanted,
) -> None:
    """Whatever was chosen: nobody could choose about money that was not there yet. Some pay before,
    some beside the business, some when it has asked, and one never.
    """
    orders = [await bought(committing, lotus, term, number) for number in range(GUESTS)]
    pages = [await at_the_payment_page(services, lotus, made) for made in orders]
    at_once, heard, asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
    at_once.set()

    async def pays(page: PaymentPage, when: asyncio.Event) -> None:
        """The processor refuses on a page that has been ended meanwhile."""
        await when.wait()
        with suppress(httpx.HTTPStatusError):
            await stripe.turn("pay", session=page.processor_id)
        await settle_page(services, lotus.id, page.id)
        heard.set()

    async def cancels(made: Booked) -> None:
        await heard.wait()
        async with services.uow_factory(lotus.id) as uow:
            await cancelling(uow, lotus, term, scope, made, money)
        asked.set()
        await work_together(services, lotus.id)

    called_off = orders if scope == "purchase" else orders[:1]
    moments = [at_once, at_once, heard, heard, asked, asked]
    await asyncio.gather(*map(pays, pages, moments), *map(cancels, called_off))
    for _wait in range(2):
        await work(services, lotus.id)
        clock.advance(timedelta(minutes=1))
    await work(services, lotus.id)
    await check(committing, lotus, chosen=money.choice or MoneyChoice.NOTHING)


async def in_the_middle_of_paying(
    committing: Committing, lotus: Business, term: Term, scope: str, *, waits: bool
) -> tuple[list[int], set[str]]:
    """The payment has written, and commits when the business is cancelling; with `waits`, when that
    waits for it. Returns what went back, and what became of the seats.
    """
    factory = committing.uow_factory
    made = await bought(committing, lotus, term)
    page = await a_page(factory, lotus, made.order)

    async def cancels() -> None:
        async with factory(lotus.id) as uow:
            await cancelling(uow, lotus, term, scope, made)

    async with factory(lotus.id) as uow:
        await apply_page(uow, page.id, as_found(page, made.order))
        running = asyncio.create_task(cancels())
        await (until_somebody_waits(factory) if waits else running)
    await running
    await work_together(committing.services, lotus.id)
    async with factory(lotus.id) as uow:
        back = await uow.session.scalars(select(Refund.amount_minor))
        return list(back), set(await uow.session.scalars(select(Seat.state)))


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_payment_that_has_begun_is_waited_for_and_goes_back_as_chosen(
    committing: Committing, lotus: Business, term: Term, scope: str
) -> None:
    back, states = await in_the_middle_of_paying(committing, lotus, term, scope, waits=True)
    assert back == [SHARE_MINOR if scope == "session" else PRICE_MINOR]
    assert states == ({"cancelled", "confirmed"} if scope == "session" else {"cancelled"})
    await check(committing, lotus, chosen=MoneyChoice.FULL)


# A purchase's own order is locked in any case, for whoever completes it.
@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope != "purchase"])
async def test_a_control_without_the_wait_a_guest_has_neither_the_seat_nor_the_money(
    committing: Committing,
    lotus: Business,
    term: Term,
    scope: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def waits_for_nobody(*_args: object) -> None:
        return None

    for module in (cancel, cancel_marks):
        monkeypatch.setattr(module, "wait_for_payments", waits_for_nobody)
    back, states = await in_the_middle_of_paying(committing, lotus, term, scope, waits=False)
    assert back == []
    assert "cancelled" in states
    with pytest.raises(AssertionError):
        await check(committing, lotus, chosen=MoneyChoice.FULL)
