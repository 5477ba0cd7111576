"""Staff mark a place as paid in the moment in which it is called off: the business takes money only
for what nobody is cancelling, and what it took goes back by hand, never through the processor.
"""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.models import OpenItem, Order, Payment, Refund
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase, cancel_session
from src.booking.commands.cancel_dates import cancel_dates
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.cancel_series import cancel_series
from src.booking.commands.holds import SeatLines
from src.booking.domain.cancelling import MoneyChoice
from src.booking.held_places import take_held
from src.booking.models import Cancellation
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.conftest import Committing
from tests.properties.invariants import WHAT_IS_BROKEN
from tests.race.test_cancelling_payments import Ticking
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.work import work_together
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
FULL = MoneyWanted(choice=MoneyChoice.FULL)
PRICE_MINOR, SHARE_MINOR = 6000, 2000
SCOPES = ("session", "dates", "series", "purchase")


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
    return await a_series(committing.uow_factory, service, capacity=8)


async def held(committing: Committing, lotus: Business, term: Term, number: int = 0) -> Booked:
    """By staff, for a guest who is to pay by a link."""
    factory, email = committing.uow_factory, f"g{number}@example.com"
    guest = await a_customer(factory, lotus, email=email)
    wish = for_anna("series", term.series.id, guest, pays="link", guest_email=email)
    return await by_staff(factory, lotus, wish)


async def calling_off(
    uow: UnitOfWork, lotus: Business, term: Term, scope: str, booking_id: UUID
) -> None:
    """The middle date, in two ways; all dates; or one guest's purchase."""
    date = term.sessions[1].id
    how: dict[str, Any] = {"reason": "", "undo_seconds": 0, "money": FULL}
    if scope == "session":
        await cancel_session(uow, lotus.ctx, date, **how)
    elif scope == "dates":
        await cancel_dates(uow, lotus.ctx, [date], **how)
    elif scope == "series":
        await cancel_series(uow, lotus.ctx, term.series.id, **how)
    else:
        await cancel_purchase(uow, lotus.ctx, booking_id, **how)


async def marking(committing: Committing, lotus: Business, order_id: UUID) -> str:
    """What became of the press: done, or the code of its refusal."""
    try:
        async with committing.uow_factory(lotus.id) as uow:
            await take_held(uow, lotus.ctx, order_id)
    except Conflict as refusal:
        return refusal.code
    return "done"


async def what_went_back(committing: Committing, lotus: Business) -> list[tuple[str, int]]:
    """Through the processor and by hand; no invariant is broken, and the business took no money
    for what it was cancelling.
    """
    async with committing.uow_factory(lotus.id) as uow:
        connection = await uow.session.connection()
        assert (await connection.exec_driver_sql(WHAT_IS_BROKEN)).all() == []
        asked_at = (await uow.session.scalars(select(Cancellation.requested_at))).one()
        paid_at = (await uow.session.scalars(select(Payment.received_at))).all()
        assert [late for late in paid_at if late > asked_at] == []
        refunds = (await uow.session.scalars(select(Refund.amount_minor))).all()
        items = (await uow.session.scalars(select(OpenItem).order_by(OpenItem.id))).all()
        by_card = [("refund", minor) for minor in refunds]
        return by_card + [(item.kind, item.facts["amount_minor"]) for item in items]


async def marked_while_it_is_called_off(
    committing: Committing, lotus: Business, term: Term, scope: str
) -> str:
    """The press comes when the cancelling is written, and waits for it: what became of it."""
    made = await held(committing, lotus, term)
    async with committing.uow_factory(lotus.id) as uow:
        await calling_off(uow, lotus, term, scope, made.booking_id)
        press = asyncio.create_task(marking(committing, lotus, made.order_id))
        await until_somebody_waits(committing.uow_factory)
    said = await press
    await work_together(committing.services, lotus.id)
    return said


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_is_being_called_off_just_now_is_not_marked(
    committing: Committing, lotus: Business, term: Term, scope: str
) -> None:
    said = await marked_while_it_is_called_off(committing, lotus, term, scope)
    assert said == "being_cancelled"
    assert await what_went_back(committing, lotus) == []


async def test_a_control_without_the_question_the_price_of_a_cancelled_date_is_taken(
    committing: Committing, lotus: Business, term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asks_nobody(*_args: object) -> bool:
        return False

    monkeypatch.setattr(SeatLines, "is_being_cancelled", asks_nobody)
    said = await marked_while_it_is_called_off(committing, lotus, term, "session")
    assert said == "done"
    with pytest.raises(AssertionError):
        await what_went_back(committing, lotus)


@pytest.mark.parametrize("scope", SCOPES)
async def test_who_calls_off_what_is_just_marked_waits_and_hands_it_back(
    committing: Committing, lotus: Business, term: Term, scope: str
) -> None:
    made = await held(committing, lotus, term)

    async def calls_off() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await calling_off(uow, lotus, term, scope, made.booking_id)

    async with committing.uow_factory(lotus.id) as uow:
        await take_held(uow, lotus.ctx, made.order_id)
        running = asyncio.create_task(calls_off())
        await until_somebody_waits(committing.uow_factory)
    await running
    await work_together(committing.services, lotus.id)
    minor = SHARE_MINOR if scope in ("session", "dates") else PRICE_MINOR
    assert await what_went_back(committing, lotus) == [("hand_back", minor)]


async def test_no_price_is_taken_of_what_the_job_is_freeing(
    committing: Committing, lotus: Business, term: Term
) -> None:
    """Eight guests' places, marked while a date is called off and while its job frees it: each is
    paid for, and its share handed back, or was never paid.
    """
    orders = [(await held(committing, lotus, term, number)).order_id for number in range(8)]
    asked = asyncio.Event()

    async def presses(order_id: UUID, late: bool) -> str:
        if late:
            await asked.wait()
        return await marking(committing, lotus, order_id)

    async def calls_off() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await calling_off(uow, lotus, term, "session", orders[0])
        asked.set()
        await work_together(committing.services, lotus.id)

    acts = [presses(order_id, at % 2 > 0) for at, order_id in enumerate(orders)]
    *said, _none = await asyncio.gather(*acts, calls_off())
    await work_together(committing.services, lotus.id)
    back = await what_went_back(committing, lotus)
    assert {one for one in back if one != ("hand_back", SHARE_MINOR)} == set()
    async with committing.uow_factory(lotus.id) as uow:
        paid = (await uow.session.scalars(select(Order.paid_minor))).all()
    assert Counter(paid)[PRICE_MINOR] == Counter(said)["done"] == len(back)
