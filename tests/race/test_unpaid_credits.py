"""Money goes back in the moment in which a place gives the credit back that it had bought.

Whoever comes first, the credit comes back as one of the two. The control gives credits back without
looking whether anything pays for them, and shows the race.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.billing.commands.credits import give_back_credits, lock_lot, set_end
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.models import Payment
from src.billing.processor import Dispute
from src.billing.queries.uncovered import Judged
from src.booking.commands import credit_returns
from src.booking.commands import leave as leaving
from src.booking.commands.lapsed_credits import ComingBack, bring_back
from src.booking.commands.leave import LessComesBack, Promised, leave_dates
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_leave import TERMS
from tests.booking.commands.test_unpaid_credits import (
    PRICE,
    it_has_ended,
    left,
    lots,
    pay_back,
    two_used,
)
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

Act = Callable[[UnitOfWork], Awaitable[object]]


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


async def at_once(
    committing: Committing,
    lotus: Business,
    *,
    first: str,
    money: str = "money",
    has_ended: bool = False,
    is_promised: bool = False,
) -> tuple[int, BaseException | None]:
    """How many credits are left once both are through, and what was said to who came second. Where
    the lot `has_ended`, the date was moved, so that a new credit comes. Where it `is_promised`, the
    page of who leaves told them that each of their credits comes back. `money` is what happens
    beside it: the money goes back, a bank takes it, or staff are "extending" the lot.
    """
    services: Services = committing.services
    service = await a_service(committing.uow_factory, lotus.id, leaving=TERMS)
    made = await two_used(services, lotus, await a_session(committing.uow_factory, service))
    seats = await seats_of(committing.uow_factory, lotus.id)
    if has_ended:
        await it_has_ended(services, lotus)
        async with committing.uow_factory(lotus.id) as uow:
            await uow.session.execute(update(Session).values(sequence=1, moved_sequence=1))

    async def leave(uow: UnitOfWork) -> None:
        tenant, own = await tenant_snapshot(uow, lotus.id, uow.clock.now()), [s.id for s in seats]
        promised = Promised({}, 0, credits=frozenset(own if is_promised else ()))
        await leave_dates(uow, tenant, made.order_id, own, promised)

    async def refund(uow: UnitOfWork) -> None:
        await pay_back(uow, lotus, PRICE)

    async def lose(uow: UnitOfWork) -> None:
        payment = (await uow.session.scalars(select(Payment))).one()
        lost = Dispute(
            id="dp_1",
            payment_intent_id=payment.payment_intent_id,
            amount_minor=PRICE,
            currency="EUR",
            outcome="lost",
        )
        await take_dispute_news(uow, payment.id, payment.order_id, "R", lost)

    async def extend(uow: UnitOfWork) -> None:
        [lot] = await lots(services, lotus)
        set_end(uow, await lock_lot(uow, lot.id), uow.clock.now() + timedelta(days=9))

    others: dict[str, Act] = {"money": refund, "dispute": lose, "extending": extend}
    acts: dict[str, Act] = {"leaving": leave, money: others[money]}
    [second] = acts.keys() - {first}

    async def follows() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await acts[second](uow)

    async with committing.uow_factory(lotus.id) as uow:
        await acts[first](uow)
        await uow.settle()
        following = asyncio.create_task(follows())
        await until_somebody_waits(committing.uow_factory)
    [said] = await asyncio.gather(following, return_exceptions=True)
    return await left(services, lotus), said


async def test_who_leaves_while_the_money_goes_gets_no_credit(
    committing: Committing, lotus: Business
) -> None:
    assert await at_once(committing, lotus, first="money") == (0, None)


async def test_control_without_a_look_at_the_money_they_get_both(
    committing: Committing, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def give_back(
        uow: UnitOfWork, credited: Mapping[UUID, UUID], judged: Judged | None = None
    ) -> set[UUID]:
        await give_back_credits(uow, Counter(credited.values()))
        return set()

    monkeypatch.setattr(credit_returns, "return_to_lots", give_back)
    assert await at_once(committing, lotus, first="money") == (2, None)


@pytest.mark.parametrize("has_ended", [False, True])
@pytest.mark.parametrize("money", ["money", "dispute"])
async def test_who_was_promised_their_credit_stays_where_the_money_was_faster(
    committing: Committing, lotus: Business, money: str, has_ended: bool
) -> None:
    """They are told to look again, and nothing has happened to their places."""
    left_over, said = await at_once(
        committing, lotus, first=money, money=money, has_ended=has_ended, is_promised=True
    )
    assert isinstance(said, LessComesBack)
    assert left_over == 0
    assert await places(committing, lotus) == [("confirmed", None), ("confirmed", None)]


async def test_control_judged_before_the_lots_are_locked_they_have_neither(
    committing: Committing, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_judged(uow: UnitOfWork, coming: ComingBack) -> set[UUID]:
        await bring_back(uow, coming)
        return set()

    monkeypatch.setattr(leaving, "bring_back", not_judged)
    assert await at_once(committing, lotus, first="money", is_promised=True) == (0, None)
    assert await places(committing, lotus) == [("cancelled", None), ("cancelled", None)]


async def places(committing: Committing, lotus: Business) -> list[tuple[str, str | None]]:
    """What became of the places, and what came back for them."""
    async with committing.uow_factory(lotus.id) as uow:
        found = await uow.session.execute(select(Seat.state, Seat.returned_as).order_by(Seat.id))
        return [(row.state, row.returned_as) for row in found]


async def test_who_left_first_has_their_credits_and_the_money_stays(
    committing: Committing, lotus: Business
) -> None:
    """Unused credits go back by a refund of their own, with which they leave."""
    credits_left, said = await at_once(committing, lotus, first="leaving")
    assert credits_left == 2
    assert isinstance(said, InvalidInput)


@pytest.mark.parametrize("money", ["money", "dispute"])
async def test_no_new_credit_comes_while_the_money_of_the_ended_one_goes(
    committing: Committing, lotus: Business, money: str
) -> None:
    """Nor is it overlooked by who takes the money and has waited for it."""
    assert await at_once(committing, lotus, first=money, money=money, has_ended=True) == (0, None)


@pytest.mark.parametrize("money", ["money", "dispute"])
async def test_a_new_credit_that_came_first_leaves_with_the_money(
    committing: Committing, lotus: Business, money: str
) -> None:
    assert await at_once(committing, lotus, first="leaving", money=money, has_ended=True) == (
        0,
        None,
    )


async def test_who_leaves_while_the_ended_lot_is_extended_has_its_credits(
    committing: Committing, lotus: Business
) -> None:
    """It had ended when they pressed, and has not when their turn comes: nothing is replaced."""
    said = await at_once(committing, lotus, first="extending", money="extending", has_ended=True)
    assert said == (2, None)
    [lot] = await lots(committing.services, lotus)
    assert lot.balance == 2
    assert {came_as for _state, came_as in await places(committing, lotus)} == {"credit"}
