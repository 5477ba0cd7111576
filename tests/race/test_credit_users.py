"""Somebody is taken off the list of who may use credits in the moment in which they are booked.

The control takes the credits without the guard, and shows the race.
"""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from src.billing.commands import credits as credit_commands
from src.billing.commands.credits import lock_lot
from src.billing.commands.lot_users import choose_users, set_users
from src.billing.domain.lot_users import LotUsers
from src.booking.commands import book as book_command
from src.booking.domain.drop_in import PayWay
from src.platform.db.uow import UnitOfWork
from src.platform.errors import DomainError, InvalidInput
from src.tenants.commands.own_people import keep_person, remove_person
from src.tenants.queries.own_people import list_own_people
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.race.test_credits import UNGUARDED
from tests.support.builders import a_business, a_service, a_session
from tests.support.credits import a_lot, balance_of
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def booked_while_taken_off(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, int]:
    """Carl is judged to be on the list, then taken off it, then the credits are taken."""
    factory = committing.uow_factory
    business = await a_business(factory)
    session = await a_session(factory, await a_service(factory, business.id))
    customer_id, lot_id = await a_lot(factory, business.id)
    is_judged, is_changed = asyncio.Event(), asyncio.Event()
    claim = book_command.claim_quoted

    async def waiting(*args: Any, **more: Any) -> None:
        is_judged.set()
        await is_changed.wait()
        await claim(*args, **more)

    monkeypatch.setattr(book_command, "claim_quoted", waiting)

    async def take_off() -> None:
        await is_judged.wait()
        async with factory(business.id) as uow:
            await _only_mia(uow, customer_id, lot_id)
        is_changed.set()

    async def book() -> str:
        wish = a_wish(
            "session",
            session.id,
            way=PayWay.CREDIT,
            customer_id=customer_id,
            credit_lot_id=lot_id,
            guest_name="Carl",
            party=("Carl",),
        )
        try:
            await booked(factory, business, wish)
        except DomainError as refused:
            return refused.code
        return "booked"

    outcome, _done = await asyncio.gather(book(), take_off())
    return outcome, await balance_of(factory, business.id, customer_id)


async def _only_mia(uow: UnitOfWork, customer_id: UUID, lot_id: UUID) -> None:
    await keep_person(uow, customer_id, "Mia", "")
    [mia] = await list_own_people(uow, customer_id)
    await choose_users(uow, customer_id, lot_id, LotUsers(people=frozenset({mia.id})))


async def test_who_was_taken_off_meanwhile_is_not_booked(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = await booked_while_taken_off(committing, monkeypatch)
    assert outcome == ("credits_gone", 10)


async def test_control_without_the_guard_they_are(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credit_commands, "_TAKE", UNGUARDED)
    outcome = await booked_while_taken_off(committing, monkeypatch)
    assert outcome == ("booked", 9)


@pytest.mark.parametrize("by", ["guest", "staff"])
async def test_nobody_is_named_who_is_removed_meanwhile(committing: Committing, by: str) -> None:
    factory = committing.uow_factory
    business = await a_business(factory)
    customer_id, lot_id = await a_lot(factory, business.id)
    async with factory(business.id) as uow:
        await keep_person(uow, customer_id, "Mia", "")
    async with factory(business.id) as uow:
        [mia] = await list_own_people(uow, customer_id)
    for_mia = LotUsers(people=frozenset({mia.id}))

    async def names() -> None:
        async with factory(business.id) as uow:
            if by == "guest":
                await choose_users(uow, customer_id, lot_id, for_mia)
            else:
                await set_users(uow, business.ctx, lot_id, for_mia, "She rang up.")

    async with factory(business.id) as uow:
        await remove_person(uow, customer_id, mia.id)
        await uow.settle()
        naming = asyncio.create_task(names())
        await until_somebody_waits(factory)
    with pytest.raises(InvalidInput):
        await naming
    async with factory(business.id) as uow:
        assert (await lock_lot(uow, lot_id)).users == []
