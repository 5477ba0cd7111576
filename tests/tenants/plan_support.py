"""What the tests of plans begin with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.outbox.models import OutboxRow
from src.tenants.context import Actor, RequestContext, TenantSnapshot
from src.tenants.models import PlatformAudit
from src.tenants.queries.tenants import tenant_snapshot
from tests.support.builders import Business, a_business, a_user, plan_version_id
from tests.support.owner import make_platform_admin


async def an_admin(uow_factory: UowFactory, name: str = "Ada") -> RequestContext:
    """The context of a platform admin outside of any business; where commits are real, the
    `uow_factory` has to be the owner's.
    """
    user = await a_user(uow_factory, name)
    async with uow_factory(None) as uow:
        await make_platform_admin(uow, user.id)
    actor = Actor(kind="user", user_id=user.id, name=user.name, is_platform_admin=True)
    return RequestContext(actor=actor, request_id="test")


async def a_trying_business(
    uow_factory: UowFactory, ends_at: datetime, slug: str = "lotus"
) -> Business:
    """A business on Free that tries Growth until `ends_at`."""
    async with uow_factory(None) as uow:
        growth = await plan_version_id(uow, "growth")
    return await a_business(
        uow_factory, slug, plan="free", trial_version_id=growth, trial_ends_at=ends_at
    )


async def version_of(uow_factory: UowFactory, key: str) -> UUID:
    async with uow_factory(None) as uow:
        return await plan_version_id(uow, key)


async def now_of(uow_factory: UowFactory, business: Business) -> TenantSnapshot:
    """The business as it stands now."""
    async with uow_factory(business.id) as uow:
        return await tenant_snapshot(uow, business.id, uow.clock.now())


async def events_of(uow_factory: UowFactory, business: Business) -> list[tuple[str, Any]]:
    """Topic and payload of what waits in the outbox, oldest first."""
    async with uow_factory(business.id) as uow:
        rows = await uow.session.scalars(select(OutboxRow).order_by(OutboxRow.id))
        return [(row.topic, row.payload) for row in rows]


async def platform_log(uow_factory: UowFactory) -> list[tuple[str, str, Any]]:
    """Action, subject and detail, oldest first."""
    async with uow_factory(None) as uow:
        rows = await uow.session.scalars(select(PlatformAudit).order_by(PlatformAudit.id))
        return [(row.action, row.subject, row.detail) for row in rows]
