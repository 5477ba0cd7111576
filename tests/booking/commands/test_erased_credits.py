"""Erasing a person ends the credits that they have left, and keeps the ledger."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.credit_acts import (
    ChangeNumber,
    add_credits,
    change_end,
    remove_credits,
    roll_over,
)
from src.billing.models import CreditEntry
from src.billing.queries.credit_lists import get_credit_totals
from src.booking.commands.erase_customer import erase_customer
from src.booking.queries.credits import get_lot_view
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.platform.services import Services
from tests.support.builders import a_business
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.lots import lot_of, the_lot
from tests.support.work import work

pytestmark = pytest.mark.anyio


async def test_their_credits_end_in_the_ledger_with_its_reason(
    services: Services, clock: FrozenClock
) -> None:
    lotus = await a_business(services.uow_factory)
    customer_id, lot_id = await a_lot(services.uow_factory, lotus.id)
    more = {"name": "Used up", "expires_at": clock.now() + timedelta(days=30)}
    used = await lot_of(services.uow_factory, lotus.id, customer_id, **more)
    async with services.uow_factory(lotus.id) as uow:
        await remove_credits(uow, lotus.ctx, _number(used.id, 10))
    await work(services, lotus.id)
    clock.advance(timedelta(days=1))
    async with services.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, customer_id, "carl@example.com")
    ended = await the_lot(services.uow_factory, lotus.id, lot_id)
    empty = await the_lot(services.uow_factory, lotus.id, used.id)
    assert (ended.balance, ended.forfeited, ended.expires_at) == (0, 10, clock.now())
    assert (empty.balance, empty.forfeited, empty.expires_at) == (0, 0, clock.now())
    clock.advance(timedelta(seconds=1))
    async with services.uow_factory(lotus.id) as uow:
        written = select(CreditEntry).where(CreditEntry.at == clock.now() - timedelta(seconds=1))
        entry = (await uow.session.scalars(written)).one()
        assert (entry.lot_id, entry.kind, entry.credits) == (lot_id, "expire", -10)
        assert (entry.by, entry.reason) == ("system", "Its customer was erased.")
        totals = await get_credit_totals(uow, lotus.ctx.here)
        assert (totals.outstanding, totals.outstanding_minor) == (0, 0)
        view = await get_lot_view(uow, lot_id)
        assert view.is_of_nobody and view.is_over and not view.may_change and not view.may_roll_over
    acts: list[Callable[[UnitOfWork], Awaitable[object]]] = [
        lambda uow: add_credits(uow, lotus.ctx, _number(lot_id, 1)),
        lambda uow: change_end(uow, lotus.ctx, lot_id, None, "Why not", new_id()),
        lambda uow: roll_over(uow, lotus.ctx, lot_id, None, "Why not"),
    ]
    for act in acts:
        with pytest.raises(Conflict, match="was erased"):
            async with services.uow_factory(lotus.id) as uow:
                await act(uow)


def _number(lot_id: UUID, number: int) -> ChangeNumber:
    return ChangeNumber(lot_id=lot_id, number=number, reason="Why not", token=new_id())
