"""Bolt-ons given, taken and asked for at the same moment, with real commits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.ids import new_id
from src.running import owners_work
from src.tenants.commands.bolt_ons import GiveBoltOn, RemoveBoltOn, give_bolt_on, remove_bolt_on
from src.tenants.commands.plan_requests import RequestBoltOn, request_bolt_on
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.models import TenantBoltOn
from tests.conftest import Committing
from tests.support.builders import Business, a_business
from tests.tenants.bolt_on_support import MORE, REFUNDS, bolt_on_of, holdings, request_states
from tests.tenants.plan_support import an_admin, now_of

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

Step = Callable[[UnitOfWork], Awaitable[object]]


async def at_once(committing: Committing, business: Business, *steps: Step) -> list[bool]:
    """Whether each step went through; all begin when all have their connection."""
    start = asyncio.Barrier(len(steps))

    async def make(step: Step) -> bool:
        try:
            async with committing.uow_factory(business.id) as uow:
                await uow.session.connection()
                await start.wait()
                await step(uow)
        except (Conflict, InvalidInput):
            return False
        return True

    return list(await asyncio.gather(*(make(step) for step in steps)))


@pytest.fixture
async def ada(committing: Committing) -> RequestContext:
    async with owners_work(committing.settings) as owners:
        return await an_admin(owners)


async def giving(committing: Committing, admin: RequestContext, key: str) -> Step:
    version_id = (await bolt_on_of(committing.uow_factory, key)).version_id
    return lambda uow: give_bolt_on(uow, admin, GiveBoltOn(key=key, version_id=version_id))


async def bookings(committing: Committing, business: Business) -> int | None:
    now = await now_of(committing.uow_factory, business)
    return now.entitlements.limit(Limit.BOOKINGS_PER_MONTH)


async def test_of_two_admins_who_give_the_same_one_does(
    committing: Committing, ada: RequestContext
) -> None:
    business = await a_business(committing.uow_factory, plan="free")
    give = await giving(committing, ada, MORE)
    made = await at_once(committing, business, give, give, give)
    assert sorted(made) == [False, False, True]
    assert len(await holdings(committing.uow_factory, business)) == 1
    assert await bookings(committing, business) == 130


async def test_looking_first_would_not_keep_it_to_one(committing: Committing) -> None:
    """The control: both find that there is none, and what holds the line is the index."""
    business = await a_business(committing.uow_factory, plan="free")
    bolt_on = await bolt_on_of(committing.uow_factory, MORE)
    looked = asyncio.Barrier(2)

    async def look_and_give(uow: UnitOfWork) -> None:
        assert await uow.session.scalar(select(func.count()).select_from(TenantBoltOn)) == 0
        await looked.wait()
        uow.session.add(
            TenantBoltOn(
                tenant_id=business.id,
                id=new_id(),
                bolt_on_id=bolt_on.bolt_on_id,
                version_id=bolt_on.version_id,
                since=uow.clock.now(),
            )
        )

    with pytest.raises(IntegrityError, match="uq_tenant_bolt_ons_held"):
        await at_once(committing, business, look_and_give, look_and_give)


async def test_two_bolt_ons_at_once_are_both_in_the_snapshot(
    committing: Committing, ada: RequestContext
) -> None:
    business = await a_business(committing.uow_factory, plan="free")
    one, other = await giving(committing, ada, MORE), await giving(committing, ada, REFUNDS)
    assert await at_once(committing, business, one, other) == [True, True]
    assert await bookings(committing, business) == 130
    now = await now_of(committing.uow_factory, business)
    assert now.entitlements.has(Feature.AUTO_REFUND)


async def test_owner_and_admin_who_remove_the_same_remove_it_once(
    committing: Committing, ada: RequestContext
) -> None:
    business = await a_business(committing.uow_factory, plan="free")
    await at_once(committing, business, await giving(committing, ada, MORE))
    (held,) = await holdings(committing.uow_factory, business)
    cmd = RemoveBoltOn(key=MORE, held_id=held.id)
    made = await at_once(
        committing,
        business,
        lambda uow: remove_bolt_on(uow, ada, cmd),
        lambda uow: remove_bolt_on(uow, business.ctx, cmd),
    )
    assert sorted(made) == [False, True]
    assert await bookings(committing, business) == 30


async def test_nobody_waits_for_what_they_have(committing: Committing, ada: RequestContext) -> None:
    """Asked and given at once: either the wish is answered, or it is refused."""
    give = await giving(committing, ada, MORE)
    for number in range(5):
        business = await a_business(
            committing.uow_factory, f"lotus-{number}", plan="free", owner=f"Olive{number}"
        )
        before = len(await request_states(committing.uow_factory))
        made = await at_once(committing, business, give, asking(business))
        states = (await request_states(committing.uow_factory))[before:]
        assert made[0]
        assert states == (["done"] if made[1] else [])


def asking(business: Business) -> Step:
    return lambda uow: request_bolt_on(uow, business.ctx, RequestBoltOn(key=MORE))
