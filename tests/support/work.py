"""Doing what the outbox holds, here and now, without a queue in between."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from src.platform.jobs.delivery import Delivery
from src.platform.outbox.events import registry
from src.platform.services import Services
from tests.support.clock import FrozenClock

CLAIM = text(
    "UPDATE outbox SET attempts = attempts + 1 WHERE parked_at IS NULL AND available_at <= :now"
    " RETURNING id, attempts"
)


async def work(services: Services, tenant_id: UUID, *, rounds: int = 50) -> int:
    """Delivers what is due for the tenant until nothing is. Returns how many rows it delivered.

    A row that fails is put back with its delay and so is not due again: the test moves the clock.
    """
    delivery = Delivery(registry, services.uow_factory, services.clock, services)
    delivered = 0
    for _round in range(rounds):
        async with services.uow_factory(tenant_id) as uow:
            rows = (await uow.session.execute(CLAIM, {"now": services.clock.now()})).all()
        if not rows:
            return delivered
        for row in sorted(rows):
            await delivery.deliver(tenant_id, row.id, row.attempts)
        delivered += len(rows)
    raise AssertionError("The outbox does not come to rest.")


async def work_together(services: Services, tenant_id: UUID) -> int:
    """Delivers all that is due for the tenant now at once, as a busy worker does."""
    async with services.uow_factory(tenant_id) as uow:
        rows = (await uow.session.execute(CLAIM, {"now": services.clock.now()})).all()
    delivery = Delivery(registry, services.uow_factory, services.clock, services)
    await delivery.deliver_all(tenant_id, {row.id: row.attempts for row in rows})
    return len(rows)


async def work_through(
    services: Services, clock: FrozenClock, tenant_id: UUID, span: timedelta
) -> int:
    """`work`, then once more at each half of `span`, for what was promised for later."""
    delivered = await work(services, tenant_id)
    for _half in range(2):
        clock.advance(span / 2)
        delivered += await work(services, tenant_id)
    return delivered


async def waiting(services: Services, tenant_id: UUID) -> list[str]:
    """The consumers whose rows are still in the outbox, parked ones included."""
    async with services.uow_factory(tenant_id) as uow:
        found = await uow.session.execute(text("SELECT consumer FROM outbox ORDER BY id"))
        return list(found.scalars())
