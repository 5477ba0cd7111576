"""A transfer is marked as received in the moment in which its time is over, its guest gives it up,
staff wait longer, or the business calls the date off: it stands or its money goes back, never both.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing import settlement
from src.billing.commands.transfers import (
    Outcome,
    Received,
    TransferReceived,
    extend_transfer,
    mark_transfer_received,
)
from src.billing.domain.kinds import NotHad
from src.billing.models import OpenItem, Order
from src.billing.settlement import give_up_order
from src.billing.sweeper import sweep_holds
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_session
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.holds import SeatLines
from src.booking.domain.cancelling import MoneyChoice
from src.booking.models import Seat, Session
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.commands.test_transfers import PRICE_MINOR, by_transfer, takes_transfers
from tests.conftest import Committing
from tests.properties.invariants import WHAT_IS_BROKEN
from tests.race.test_cancelling_payments import Ticking
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.work import work_together

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


@pytest.fixture
def clock() -> FrozenClock:
    return Ticking()


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    business = await a_business(committing.uow_factory)
    await takes_transfers(committing.services, business)
    return business


def received(committing: Committing, lotus: Business, order_id: UUID) -> TransferReceived:
    today = to_local(committing.services.clock.now(), lotus.tenant.zone).date()
    return TransferReceived(
        order_id=order_id, amount_minor=PRICE_MINOR, arrived_on=today, token=new_id()
    )


async def mark(committing: Committing, lotus: Business, order_id: UUID) -> Received:
    async with committing.uow_factory(lotus.id) as uow:
        return await mark_transfer_received(uow, lotus.ctx, received(committing, lotus, order_id))


async def what_became(committing: Committing, lotus: Business) -> tuple[str, str, int, list[int]]:
    """The order's and the seat's state, seats taken, and what is to go back; nothing is broken."""
    async with committing.uow_factory(lotus.id) as uow:
        connection = await uow.session.connection()
        assert (await connection.exec_driver_sql(WHAT_IS_BROKEN)).all() == []
        order = (await uow.session.scalars(select(Order))).one()
        seat = (await uow.session.scalars(select(Seat))).one()
        taken = (await uow.session.scalars(select(Session.seats_taken))).one()
        found = await uow.session.scalars(select(OpenItem).where(OpenItem.closed_at.is_(None)))
        back = [item.facts["amount_minor"] for item in found]
    return order.state, seat.state, taken, back


async def over(committing: Committing, clock: FrozenClock, booked: Booked) -> None:
    assert booked.order.hold_expires_at is not None
    clock.advance(booked.order.hold_expires_at - clock.at + timedelta(seconds=1))


async def test_the_sweeper_waits_for_who_marks_it_and_frees_nothing(
    committing: Committing, lotus: Business, clock: FrozenClock
) -> None:
    booked = await by_transfer(committing.services, lotus)
    await over(committing, clock, booked)
    async with committing.uow_factory(lotus.id) as uow:
        cmd = received(committing, lotus, booked.order_id)
        await mark_transfer_received(uow, lotus.ctx, cmd)
        sweeping = asyncio.create_task(sweep_holds(committing.services))
        await until_somebody_waits(committing.uow_factory)
    await sweeping
    assert await what_became(committing, lotus) == ("confirmed", "confirmed", 1, [])


async def test_whoever_marks_it_meanwhile_gets_the_place_back_or_the_money(
    committing: Committing, lotus: Business, clock: FrozenClock
) -> None:
    """Both at once, in whichever order the database takes them: the place is there, and had."""
    booked = await by_transfer(committing.services, lotus)
    await over(committing, clock, booked)
    marked, _swept = await asyncio.gather(
        mark(committing, lotus, booked.order_id), sweep_holds(committing.services)
    )
    assert marked.outcome is Outcome.CONFIRMED
    assert await what_became(committing, lotus) == ("confirmed", "confirmed", 1, [])


async def test_of_two_presses_at_once_the_second_is_to_go_back(
    committing: Committing, lotus: Business
) -> None:
    """Two forms, so two transfers: one pays, the other is not waited for."""
    booked = await by_transfer(committing.services, lotus)
    both = await asyncio.gather(*(mark(committing, lotus, booked.order_id) for _ in range(2)))
    assert {one.outcome for one in both} == {Outcome.CONFIRMED, Outcome.PAID_ALREADY}
    assert await what_became(committing, lotus) == ("confirmed", "confirmed", 1, [PRICE_MINOR])


async def test_a_guest_who_gives_up_what_is_just_marked_keeps_it(
    committing: Committing, lotus: Business
) -> None:
    booked = await by_transfer(committing.services, lotus)
    async with committing.uow_factory(lotus.id) as uow:
        cmd = received(committing, lotus, booked.order_id)
        await mark_transfer_received(uow, lotus.ctx, cmd)
        leaving = asyncio.create_task(give_up_order(committing.services, lotus.id, booked.order_id))
        await until_somebody_waits(committing.uow_factory)
    assert await leaving == "confirmed"
    assert await what_became(committing, lotus) == ("confirmed", "confirmed", 1, [])


async def test_what_was_just_given_up_is_not_had_and_its_money_goes_back(
    committing: Committing, lotus: Business
) -> None:
    booked = await by_transfer(committing.services, lotus)
    await give_up_order(committing.services, lotus.id, booked.order_id)
    marked = await mark(committing, lotus, booked.order_id)
    assert marked == Received(Outcome.TO_HAND_BACK, PRICE_MINOR, NotHad.ENDED)
    assert await what_became(committing, lotus) == ("cancelled", "expired", 0, [PRICE_MINOR])


async def test_the_sweeper_does_not_free_what_is_waited_for_longer_since_it_looked(
    committing: Committing, lotus: Business, clock: FrozenClock
) -> None:
    assert await swept_while_extended(committing, lotus, clock) == ("open", "held", 1, [])


async def test_a_control_without_the_second_look_what_is_waited_for_is_freed(
    committing: Committing,
    lotus: Business,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settlement, "_was_prolonged", lambda *_args: False)
    assert await swept_while_extended(committing, lotus, clock) == ("expired", "expired", 0, [])


async def swept_while_extended(
    committing: Committing, lotus: Business, clock: FrozenClock
) -> tuple[str, str, int, list[int]]:
    """The sweeper has seen that its time is over, and waits for who gives it more."""
    booked = await by_transfer(committing.services, lotus)
    await over(committing, clock, booked)
    day = to_local(clock.at, lotus.tenant.zone).date() + timedelta(days=2)
    async with committing.uow_factory(lotus.id) as uow:
        await extend_transfer(uow, lotus.ctx, booked.order_id, day)
        await uow.session.flush()
        sweeping = asyncio.create_task(sweep_holds(committing.services))
        await until_somebody_waits(committing.uow_factory)
    await sweeping
    return await what_became(committing, lotus)


async def marked_while_called_off(committing: Committing, lotus: Business, booked: Booked) -> str:
    """The press comes when the cancelling of its date is written, and waits for it."""

    async def press() -> str:
        try:
            return str((await mark(committing, lotus, booked.order_id)).outcome)
        except Conflict as refusal:
            return refusal.code

    async with committing.uow_factory(lotus.id) as uow:
        session_id = (await uow.session.scalars(select(Seat.session_id))).one()
        full = MoneyWanted(choice=MoneyChoice.FULL)
        await cancel_session(uow, lotus.ctx, session_id, reason="", undo_seconds=0, money=full)
        pressing = asyncio.create_task(press())
        await until_somebody_waits(committing.uow_factory)
    said = await pressing
    await work_together(committing.services, lotus.id)
    return said


async def test_what_is_being_called_off_is_not_marked_and_its_money_goes_back_afterwards(
    committing: Committing, lotus: Business
) -> None:
    booked = await by_transfer(committing.services, lotus)
    assert await marked_while_called_off(committing, lotus, booked) == "being_cancelled"
    assert await what_became(committing, lotus) == ("cancelled", "expired", 0, [])
    await mark(committing, lotus, booked.order_id)
    assert await what_became(committing, lotus) == ("cancelled", "expired", 0, [PRICE_MINOR])


async def test_a_control_without_the_question_what_is_called_off_is_paid_for(
    committing: Committing, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asks_nobody(*_args: object) -> bool:
        return False

    monkeypatch.setattr(SeatLines, "is_being_cancelled", asks_nobody)
    booked = await by_transfer(committing.services, lotus)
    assert await marked_while_called_off(committing, lotus, booked) == "confirmed"
