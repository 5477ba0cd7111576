"""A consumer that only waits: what it was told stays in the outbox, to be looked at."""

from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.events import OrderConfirmed, OrderExpired, OrderRefunded, PaymentCameTooLate
from src.platform.db.uow import UowFactory
from src.platform.jobs.context import JobContext
from src.platform.outbox.events import Event, registry
from src.platform.outbox.models import OutboxRow

TOLD = (OrderConfirmed, OrderExpired, OrderRefunded, PaymentCameTooLate)
NAME = "tests.recorder"


class Recorder:
    """The committed events of one business, in the order in which they were recorded."""

    def __init__(self, uow_factory: UowFactory, tenant_id: UUID) -> None:
        self._uow_factory = uow_factory
        self._tenant_id = tenant_id
        for event in TOLD:
            registry.on(event, NAME, self._wait)

    async def seen(self) -> list[Event]:
        async with self._uow_factory(self._tenant_id) as uow:
            rows = await uow.session.scalars(
                select(OutboxRow).where(OutboxRow.consumer == NAME).order_by(OutboxRow.id)
            )
            return [registry.event(row.topic, row.payload) for row in rows]

    async def _wait(self, job: JobContext, event: msgspec.Struct) -> None:
        raise AssertionError("The recorder's rows are read, never delivered.")

    def stop(self) -> None:
        for event in TOLD:
            registry._consumers[event.topic].pop(NAME)
