"""One code, many who type it at once, with real commits."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.platform.db.uow import UowFactory
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.commands.portal import (
    NotEntered,
    ask_for_code,
    enter_by_code,
    enter_by_link,
)
from src.tenants.domain.portal import MOST_TRIES, code_of
from src.tenants.models import PortalCode
from src.tenants.portal_links import PortalLink
from src.tenants.queries.portal import Proved, find_proved
from tests.conftest import Committing
from tests.support.builders import Business, a_business

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

CARL, SECRET, MANY = "carl@example.com", "secret", 12


async def asked(factory: UowFactory) -> tuple[Business, UUID]:
    business = await a_business(factory)
    async with factory(business.id) as uow:
        await find_or_add_customer(uow, CARL, "Carl", "", uow.clock.now())
        return business, await ask_for_code(uow, CARL)


async def type_in(
    factory: UowFactory, business: Business, code_id: UUID, typed: str
) -> Proved | NotEntered:
    async with factory(business.id) as uow:
        return await enter_by_code(uow, [SECRET], code_id, CARL, typed)


async def follow(factory: UowFactory, business: Business, code_id: UUID) -> Proved | NotEntered:
    async with factory(business.id) as uow:
        proved = await find_proved(uow, CARL)
        assert proved is not None
    try:
        async with factory(business.id) as uow:
            return await enter_by_link(uow, PortalLink(code_id=code_id, proved=proved))
    except Exception:
        return NotEntered(0)


async def test_of_many_with_the_right_code_or_link_one_enters(committing: Committing) -> None:
    factory = committing.uow_factory
    business, code_id = await asked(factory)
    code = code_of(SECRET, business.id, code_id)
    came = await asyncio.gather(
        *(type_in(factory, business, code_id, code) for _one in range(MANY)),
        *(follow(factory, business, code_id) for _one in range(MANY)),
    )
    assert sum(isinstance(one, Proved) for one in came) == 1


async def test_of_many_guesses_no_more_are_looked_at_than_may_be(committing: Committing) -> None:
    factory = committing.uow_factory
    business, code_id = await asked(factory)
    wrong = f"{(int(code_of(SECRET, business.id, code_id)) + 1) % 10**6:06d}"
    came = await asyncio.gather(
        *(type_in(factory, business, code_id, wrong) for _one in range(MANY))
    )
    left = Counter(one.tries_left for one in came if isinstance(one, NotEntered))
    assert left == {4: 1, 3: 1, 2: 1, 1: 1, 0: MANY - MOST_TRIES + 1}
    code = code_of(SECRET, business.id, code_id)
    assert await type_in(factory, business, code_id, code) == NotEntered(0, too_many=True)


async def test_without_the_guard_in_the_update_several_enter(committing: Committing) -> None:
    """The control: to look first and to write then is not enough."""
    factory = committing.uow_factory
    business, code_id = await asked(factory)
    all_looked = asyncio.Barrier(3)

    async def enter() -> bool:
        async with factory(business.id) as uow:
            row = PortalCode.tenant_id == business.id, PortalCode.id == code_id
            used_at = await uow.session.scalar(select(PortalCode.used_at).where(*row))
            await all_looked.wait()
            if used_at is not None:
                return False
            await uow.session.execute(
                update(PortalCode).where(*row).values(used_at=uow.clock.now())
            )
            return True

    assert await asyncio.gather(*(enter() for _one in range(3))) == [True] * 3
