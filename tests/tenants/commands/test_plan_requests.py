"""A business asks for a plan."""

from uuid import UUID

import pytest
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.tenants.commands.plan_requests import RequestPlan, decline_request, request_plan
from src.tenants.commands.plans import MoveTenant, move_tenant
from src.tenants.models import PlanRequest
from tests.support.builders import Business, a_business
from tests.tenants.plan_support import an_admin, version_of

pytestmark = pytest.mark.anyio


async def ask(uow_factory: UowFactory, business: Business, key: str, what: str = "") -> UUID:
    async with uow_factory(business.id) as uow:
        return await request_plan(uow, business.ctx, RequestPlan(plan_key=key, wanted_for=what))


async def states(uow_factory: UowFactory) -> list[str]:
    async with uow_factory(None) as uow:
        rows = await uow.session.scalars(select(PlanRequest.state).order_by(PlanRequest.id))
        return list(rows)


async def test_asking_twice_asks_once(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="free")
    first = await ask(uow_factory, business, "growth", "series")
    assert await ask(uow_factory, business, "growth") == first
    assert await ask(uow_factory, business, "scale") != first
    assert await states(uow_factory) == ["open", "open"]


@pytest.mark.parametrize("key", ["internal", "nonsense"])
async def test_only_public_plans_can_be_asked_for(uow_factory: UowFactory, key: str) -> None:
    business = await a_business(uow_factory, plan="free")
    with pytest.raises(NotFound):
        await ask(uow_factory, business, key)


async def test_nobody_asks_for_what_they_have(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="growth")
    with pytest.raises(InvalidInput):
        await ask(uow_factory, business, "growth")


async def test_a_move_answers_the_request_for_that_plan_only(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    await ask(uow_factory, business, "growth")
    await ask(uow_factory, business, "scale")
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=await version_of(uow_factory, "growth"),
        expected_version_id=await version_of(uow_factory, "free"),
    )
    async with uow_factory(business.id) as uow:
        await move_tenant(uow, ada, cmd)
    assert await states(uow_factory) == ["done", "open"]


async def test_a_move_past_a_request_closes_it_too(uow_factory: UowFactory) -> None:
    """Answered later it would take the business down again."""
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    await ask(uow_factory, business, "starter")
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=await version_of(uow_factory, "growth"),
        expected_version_id=await version_of(uow_factory, "free"),
    )
    async with uow_factory(business.id) as uow:
        await move_tenant(uow, ada, cmd)
    assert await states(uow_factory) == ["done"]


async def test_a_declined_request_can_be_made_again(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    request_id = await ask(uow_factory, business, "growth")
    async with uow_factory(business.id) as uow:
        await decline_request(uow, ada, request_id, "Please call us first.")
    assert await ask(uow_factory, business, "growth") != request_id
    assert await states(uow_factory) == ["declined", "open"]


async def test_a_plan_is_asked_for_again_and_again_over_one_connection(
    uow_factory: UowFactory,
) -> None:
    """After five times the server plans a statement for any value at all."""
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    for _time in range(8):
        request_id = await ask(uow_factory, business, "growth")
        async with uow_factory(business.id) as uow:
            await decline_request(uow, ada, request_id, "")
    assert await states(uow_factory) == ["declined"] * 8


async def test_a_request_is_answered_once(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    request_id = await ask(uow_factory, business, "growth")
    async with uow_factory(business.id) as uow:
        await decline_request(uow, ada, request_id, "")
    with pytest.raises(Conflict):
        async with uow_factory(business.id) as uow:
            await decline_request(uow, ada, request_id, "")


async def test_another_business_request_is_not_there(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    other = await a_business(uow_factory, "tennis", plan="free", owner="Eve")
    request_id = await ask(uow_factory, business, "growth")
    for wrong in (request_id, new_id()):
        with pytest.raises(NotFound):
            async with uow_factory(other.id) as uow:
                await decline_request(uow, ada, wrong, "")
