"""A business whose payments run against the stand-in for Stripe, as tests drive it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update

from src.billing.checkout import ensure_payment_page
from src.billing.commands.orders import get_order, insert_order
from src.billing.models import OpenItem, Order, Payment, PaymentPage, Refund
from src.billing.stripe_gateway import StripeGateway
from src.platform.jobs.delivery import Delivery
from src.platform.outbox.events import registry
from src.platform.outbox.models import OutboxRow
from src.platform.services import Services
from src.sandbox.stripe.serving import Running
from tests.billing.places import Places
from tests.billing.support import Business, new_order
from tests.support.clock import FrozenClock

Row = TypeVar("Row")

SUCCESS_URL = "http://testserver.local/b/harbour/thanks"
CANCEL_URL = "http://testserver.local/b/harbour/back"


@dataclass
class Till:
    """What a test needs to sell something and to look at what became of it."""

    business: Business
    services: Services
    stripe: Running
    places: Places
    clock: FrozenClock
    account_id: str

    async def order(self, **changes: Any) -> UUID:
        """An order that waits for its money, and its place held."""
        new = new_order(self.business, **changes)
        async with self.services.uow_factory(self.business.id) as uow:
            await insert_order(uow, new, month="2027-03", now=self.clock.now())
        self.places.hold(new.order_id)
        return new.order_id

    async def page(self, order_id: UUID) -> str:
        return await ensure_payment_page(
            self.services,
            self.business.id,
            order_id,
            success_url=SUCCESS_URL,
            cancel_url=CANCEL_URL,
        )

    async def order_with_page(self, **changes: Any) -> tuple[UUID, str]:
        """An order and the processor's id of its open payment page."""
        order_id = await self.order(**changes)
        await self.page(order_id)
        (page,) = await self.rows(PaymentPage, order_id)
        assert page.processor_id is not None
        return order_id, page.processor_id

    async def pay(self, session_id: str, **how: Any) -> dict[str, Any]:
        return await self.stripe.turn("pay", session=session_id, **how)

    async def state(self, order_id: UUID) -> Order:
        async with self.services.uow_factory(self.business.id) as uow:
            return await get_order(uow, order_id)

    async def rows(self, model: type[Row], order_id: UUID) -> list[Row]:
        """The order's rows of a table, oldest first."""
        table: Any = model
        async with self.services.uow_factory(self.business.id) as uow:
            found = await uow.session.scalars(
                select(table).where(table.order_id == order_id).order_by(table.id)
            )
            return list(found)

    async def page_id(self, order_id: UUID) -> UUID:
        return (await self.rows(PaymentPage, order_id))[-1].id

    async def payments(self, order_id: UUID) -> list[Payment]:
        return await self.rows(Payment, order_id)

    async def refunds(self, order_id: UUID) -> list[Refund]:
        return await self.rows(Refund, order_id)

    async def open_items(self, order_id: UUID) -> list[OpenItem]:
        return [item for item in await self.rows(OpenItem, order_id) if item.closed_at is None]

    async def work(self) -> list[str]:
        """Delivers what the outbox has due, as relay and worker would; returns the topics."""
        delivery = Delivery(registry, self.services.uow_factory, self.clock, self.services)
        done: list[str] = []
        while row := await self._next_row():
            await delivery.deliver(self.business.id, row.id, row.attempts)
            done.append(row.topic)
        return done

    async def _next_row(self) -> OutboxRow | None:
        async with self.services.uow_factory(self.business.id) as uow:
            row = await uow.session.scalar(
                select(OutboxRow)
                .where(
                    OutboxRow.available_at <= self.clock.now(),
                    OutboxRow.consumer.startswith("billing."),
                    OutboxRow.parked_at.is_(None),
                )
                .order_by(OutboxRow.id)
                .limit(1)
            )
            if row is not None:
                row.attempts += 1
                await uow.session.flush()
            return row

    async def due_again(self) -> None:
        """Makes every outbox row due now, as the passing of time would."""
        async with self.services.uow_factory(self.business.id) as uow:
            await uow.session.execute(update(OutboxRow).values(available_at=self.clock.now()))

    async def lose_outbox(self) -> None:
        """As if every job had been tried in vain and parked."""
        async with self.services.uow_factory(self.business.id) as uow:
            await uow.session.execute(delete(OutboxRow))

    def take_fee(self, fee_bp: int) -> None:
        """From now on the platform takes its share of what is sold."""
        settings = msgspec.structs.replace(self.services.settings, platform_fee_bp=fee_bp)
        self.services = replace(self.services, settings=settings)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Calls that hang are given up at once inside the block, as after a long time-out."""
        http = self.services.port(StripeGateway)._http
        patience, http._timeout = http._timeout, 0.3
        try:
            yield
        finally:
            http._timeout = patience

    async def stripe_objects(self, kind: str) -> list[dict[str, Any]]:
        return self.stripe.engine.store.every(self.account_id, kind, {})
