"""Who acts, and what was sold, in tests of what is done with money."""

from uuid import UUID

import pytest

from src.billing.settlement import settle_page
from src.platform.ids import new_id
from src.tenants.context import Actor, RequestContext
from src.tenants.domain.roles import Role
from src.tenants.queries.tenants import tenant_snapshot
from tests.billing.till import Till


@pytest.fixture
async def ctx(till: Till) -> RequestContext:
    async with till.services.uow_factory(till.business.id) as uow:
        tenant = await tenant_snapshot(uow, till.business.id, till.clock.now())
    actor = Actor(kind="user", user_id=new_id(), name="Olive", role=Role.OWNER)
    return RequestContext(actor=actor, tenant=tenant, request_id="test")


@pytest.fixture
async def sold(till: Till) -> UUID:
    """A confirmed order of 20.00, paid by card."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle_page(till.services, till.business.id, await till.page_id(order_id))
    return order_id
