"""Managers who put a business's collections in order at the same moment."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands.collections import create_collection, move_collection
from src.booking.models import Collection
from src.platform.ids import new_id
from tests.booking.commands.test_collections import REGULARS
from tests.conftest import Committing
from tests.support.builders import a_business

pytestmark = [pytest.mark.anyio, pytest.mark.race]


async def test_moves_at_once_all_happen_and_leave_no_place_twice(committing: Committing) -> None:
    lotus = await a_business(committing.uow_factory)
    made = [new_id() for _number in range(6)]
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
