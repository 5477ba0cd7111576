"""What the tests of bolt-ons begin with."""

from uuid import UUID

from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.tenants.commands.bolt_ons import GiveBoltOn, RemoveBoltOn, give_bolt_on, remove_bolt_on
from src.tenants.commands.plan_requests import RequestBoltOn, request_bolt_on
from src.tenants.context import RequestContext
from src.tenants.domain.bolt_ons import OfferedBoltOn
from src.tenants.models import PlanRequest, TenantBoltOn
from src.tenants.queries.bolt_ons import find_bolt_on
from tests.support.builders import Business

REFUNDS, MORE = "auto_refund", "bookings_100"


async def bolt_on_of(uow_factory: UowFactory, key: str) -> OfferedBoltOn:
    async with uow_factory(None) as uow:
        found = await find_bolt_on(uow, key)
    assert found is not None
    return found


async def ask_for(
    uow_factory: UowFactory, business: Business, key: str, ctx: RequestContext | None = None
) -> UUID:
    async with uow_factory(business.id) as uow:
        cmd = RequestBoltOn(key=key, wanted_for="Courses")
        return await request_bolt_on(uow, ctx or business.ctx, cmd)


async def given(
    uow_factory: UowFactory, admin: RequestContext, business: Business, key: str
) -> UUID:
    """What the business has of the bolt-on from now on."""
    bolt_on = await bolt_on_of(uow_factory, key)
    async with uow_factory(business.id) as uow:
        return await give_bolt_on(uow, admin, GiveBoltOn(key=key, version_id=bolt_on.version_id))


async def removed(
    uow_factory: UowFactory, ctx: RequestContext, business: Business, key: str, held_id: UUID
) -> None:
    async with uow_factory(business.id) as uow:
        await remove_bolt_on(uow, ctx, RemoveBoltOn(key=key, held_id=held_id))


async def holdings(uow_factory: UowFactory, business: Business) -> list[TenantBoltOn]:
    """What the business has and had, oldest first."""
    async with uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(TenantBoltOn).order_by(TenantBoltOn.id)))


async def request_states(uow_factory: UowFactory) -> list[str]:
    async with uow_factory(None) as uow:
        return list(await uow.session.scalars(select(PlanRequest.state).order_by(PlanRequest.id)))
