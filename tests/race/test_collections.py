"""Managers who put a business's collections in order at the same moment."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands.collections import create_collection, move_collection
from src.booking.domain.collections import moved
from src.booking.models import Collection
from src.platform.ids import new_id
from tests.booking.commands.test_collections import REGULARS
from tests.conftest import Committing
from tests.support.builders import a_business
from tests.support.locks import held_until_all_wait

pytestmark = [pytest.mark.anyio, pytest.mark.race]


async def test_moves_at_once_all_happen_and_leave_no_place_twice(committing: Committing) -> None:
    lotus, made = await a_business(committing.uow_factory), [new_id() for _number in range(6)]
    for one in made:
        async with committing.uow_factory(lotus.id) as uow:
            await create_collection(uow, lotus.ctx, one, REGULARS)
    start = asyncio.Barrier(len(made))

    async def move(collection_id: UUID, *, up: bool) -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await uow.session.connection()
            await start.wait()
            await move_collection(uow, lotus.ctx, collection_id, up=up)

    for _round in range(5):
        await asyncio.gather(*(move(one, up=at % 2 == 0) for at, one in enumerate(made)))
    async with committing.uow_factory(lotus.id) as uow:
        places = list(await uow.session.scalars(select(Collection.position)))
    assert sorted(places) == [1, 2, 3, 4, 5, 6]


async def test_without_their_lock_two_moves_leave_a_place_twice(committing: Committing) -> None:
    """The control: who goes by an order that another is changing puts two on one place."""
    lotus, made = await a_business(committing.uow_factory), [new_id() for _number in range(3)]
    for one in made:
        async with committing.uow_factory(lotus.id) as uow:
            await create_collection(uow, lotus.ctx, one, REGULARS)

    async def move_down(collection_id: UUID) -> None:
        async with committing.uow_factory(lotus.id) as uow:
            found = {one.id: one for one in await uow.session.scalars(select(Collection))}
            before = sorted(found, key=lambda one: found[one].position)
            for position, one in enumerate(moved(before, collection_id, up=False), start=1):
                found[one].position = position

    async def both() -> None:
        await asyncio.gather(move_down(made[0]), move_down(made[1]))

    rows = select(Collection.id).where(Collection.tenant_id == lotus.id)
    await held_until_all_wait(committing.uow_factory, lotus.id, rows, many=2, acts=both())
    async with committing.uow_factory(lotus.id) as uow:
        places = list(await uow.session.scalars(select(Collection.position)))
    assert len(set(places)) < len(made)
