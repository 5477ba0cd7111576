"""Owners and guests at the same session in the same moment."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands.book import book
from src.booking.commands.edit_plan import EditSeveral
from src.booking.commands.edit_several import edit_several
from src.booking.commands.repeat import publish_repeat
from src.booking.commands.session_deleting import delete_session
from src.booking.commands.sessions import (
    CreateSession,
    UpdateSession,
    create_session,
    update_session,
)
from src.booking.domain.kinds import DateScope
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import DomainError
from src.platform.ids import new_id
from src.tenants.models import PerformerBusy
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish
from tests.booking.commands.test_repeat import a_repeat
from tests.booking.commands.test_sessions import HOUR, times
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

Act = Callable[[UnitOfWork], Awaitable[object]]


async def at_once(committing: Committing, tenant_id: UUID, acts: list[Act]) -> Counter[str]:
    """Every act in a transaction of its own, started together."""
    start = asyncio.Event()

    async def one(act: Act) -> str:
        await start.wait()
        try:
            async with committing.uow_factory(tenant_id) as uow:
                await act(uow)
        except DomainError as refused:
            return refused.code
        return "done"

    tasks = [asyncio.create_task(one(act)) for act in acts]
    start.set()
    return Counter(await asyncio.gather(*tasks))


async def sessions(committing: Committing, business: Business) -> list[Session]:
    async with committing.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Session)))


async def test_a_repeat_sent_ten_times_at_once_is_published_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    cmd = a_repeat(service, title_pattern="Lesson {n}")
    acts: list[Act] = [lambda uow: publish_repeat(uow, business.ctx, cmd)] * 10
    assert await at_once(committing, business.id, acts) == {"done": 10}
    assert len(await sessions(committing, business)) == 4


async def test_a_form_sent_ten_times_at_once_publishes_one_session(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    cmd = CreateSession(service_id=service.id, session_id=new_id(), capacity=10, **times())
    acts: list[Act] = [lambda uow: create_session(uow, business.ctx, cmd)] * 10
    outcomes = await at_once(committing, business.id, acts)
    assert set(outcomes) <= {"done", "already_submitted"}
    assert len(await sessions(committing, business)) == 1


async def test_one_performer_is_taken_by_one_of_ten_sessions(committing: Committing) -> None:
    """Row 2-9: staff could let somebody be in two places."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    performer = await a_performer(committing.uow_factory, business)
    cmd = CreateSession(service_id=service.id, capacity=10, performer_id=performer.id, **times())
    acts: list[Act] = [lambda uow: create_session(uow, business.ctx, cmd)] * 10
    outcomes = await at_once(committing, business.id, acts)
    assert outcomes["done"] == 1
    assert set(outcomes) <= {"done", "performer_busy", "invalid_input"}
    assert len(await sessions(committing, business)) == 1


@pytest.mark.parametrize("turn", range(5))
async def test_an_owner_never_takes_seats_that_guests_get_meanwhile(
    committing: Committing, turn: int
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service, capacity=10)

    def guest(number: int) -> Act:
        wish = a_wish("session", session.id, guest_email=f"g{number}@example.com")
        return lambda uow: book(uow, as_guest(business), wish)

    def owner(uow: UnitOfWork) -> Awaitable[object]:
        if turn == 0:
            return delete_session(uow, business.ctx, session.id)
        moved = {"starts_at": session.starts_at + HOUR, "ends_at": session.ends_at + HOUR}
        same = {"starts_at": session.starts_at, "ends_at": session.ends_at}
        change = {"capacity": 3, **same} if turn % 2 else {"capacity": 10, **moved}
        return update_session(uow, business.ctx, UpdateSession(session_id=session.id, **change))

    await at_once(committing, business.id, [owner, *(guest(n) for n in range(8)), owner])
    async with committing.uow_factory(business.id) as uow:
        seats = len((await uow.session.scalars(select(Seat))).all())
    left = await sessions(committing, business)
    if not left:
        assert seats == 0
        return
    [now] = left
    assert now.seats_taken == seats <= now.capacity


def _single(business: Business, session: Session, **more: Any) -> Act:
    same = {"starts_at": session.starts_at, "ends_at": session.ends_at, "capacity": 10}
    cmd = UpdateSession(session_id=session.id, **{**same, **more})
    return lambda uow: update_session(uow, business.ctx, cmd)


def _several(business: Business, session: Session, **more: Any) -> Act:
    cmd = EditSeveral(session_id=session.id, scope=DateScope.CHOSEN, chosen=(session.id,), **more)
    return lambda uow: edit_several(uow, business.ctx, cmd)


@pytest.mark.parametrize("leads_first", [True, False])
@pytest.mark.parametrize("is_single", [True, False])
async def test_a_leader_is_given_to_a_date_that_is_moved_in_that_moment(
    committing: Committing, is_single: bool, leads_first: bool
) -> None:
    """The second of both is refused, or the leader's time would be taken where the date was."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    session = await a_session(committing.uow_factory, service)
    ivy = await a_performer(committing.uow_factory, business, "Ivy")
    if is_single:
        lead = _single(business, session, performer_id=ivy.id)
        later = {"starts_at": session.starts_at + 48 * HOUR, "ends_at": session.ends_at + 48 * HOUR}
        move = _single(business, session, **later)
    else:
        lead = _several(business, session, changes_performer=True, performer_id=ivy.id)
        move = _several(business, session, shift_days=2)
    first, second = (lead, move) if leads_first else (move, lead)
    async with committing.uow_factory(business.id) as uow:
        await first(uow)
        waiting = asyncio.create_task(at_once(committing, business.id, [second]))
        await until_somebody_waits(committing.uow_factory)
    assert await waiting == {"session_changed": 1}
    [now] = await sessions(committing, business)
    async with committing.uow_factory(business.id) as uow:
        taken = list(await uow.session.scalars(select(PerformerBusy.during)))
    assert [(one.lower, one.upper) for one in taken] == [(now.starts_at, now.ends_at)] * leads_first
