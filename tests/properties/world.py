"""The real thing under the machine: commands on a PostgreSQL that commits, and what money does.

A state machine is synchronous, so it owns an event loop and runs each step in it to its end; the
stand-in for Stripe lives in the same loop. Each run of the machine has a business of its own. What
is looked at after every step comes over a connection of its own, in one round trip.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import uvloop
from redis.asyncio import Redis
from sqlalchemy import delete, text

from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import OrderState
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import unit_of_work_factory
from src.platform.errors import DomainError
from src.platform.ratelimit import RateLimiter
from src.platform.services import Services
from src.sandbox.postgres import Role
from src.sandbox.stripe.config import Config
from src.sandbox.stripe.serving import Running, serve
from src.tenants.models import Due
from tests.billing.conftest import open_account
from tests.billing.paying import gateway_to
from tests.billing.support import Business as BareBusiness
from tests.support.builders import Business, a_business
from tests.support.clock import MONDAY_MORNING, FrozenClock
from tests.support.databases import drop_database, own_database
from tests.support.mail import RememberingMailer
from tests.support.servers import test_servers
from tests.support.settings import settings_for

T = TypeVar("T")
_PAGE = text("SELECT id, processor_id FROM payment_pages WHERE order_id = :order_id")


class World:
    """Everything that outlives one run of the machine."""

    services: Services
    stripe: Running
    refusal = ""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.mailer = RememberingMailer()
        self.deeds: Counter[str] = Counter()
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._stack = AsyncExitStack()
        self._businesses = 0
        self._name, self._urls = own_database()
        self.run(self._start())

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(step)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self._runner.close()
        drop_database(self._name)

    async def _start(self) -> None:
        engine = make_engine(self._urls[Role.APP], pool_size=10, pool_timeout=60)
        self._stack.push_async_callback(engine.dispose)
        address = self._urls[Role.APP].replace("+asyncpg", "")
        # What is asked after each step is long: by default it would be planned anew every time.
        self._eye = await asyncpg.connect(address, max_cacheable_statement_size=0)
        self._stack.push_async_callback(self._eye.close)
        redis: Redis = Redis.from_url(test_servers().valkey_url)
        self._stack.push_async_callback(redis.aclose)
        clock = self.clock
        config = Config(secret_key="sk_test_seatline", clock=lambda: clock.now().timestamp())
        self.stripe = await self._stack.enter_async_context(serve(config))
        gateway = gateway_to(self.stripe)
        self._stack.push_async_callback(gateway.close)
        self.services = Services(
            settings_for(self._urls, test_servers().valkey_url),
            clock,
            unit_of_work_factory(make_sessions(engine), clock),
            redis,
            self.mailer,
            RateLimiter(redis, clock),
            {StripeGateway: gateway},
        )

    async def look(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the business that was opened last sees."""
        return [tuple(row) for row in await self._eye.fetch(statement, *values)]

    def open_shop(self) -> "Shop":
        """A new business that may charge, on a Monday morning."""
        self.clock.at = MONDAY_MORNING
        self.mailer.sent.clear()
        self._businesses += 1
        return self.run(self._open(f"lotus-{self._businesses}"))

    async def _open(self, slug: str) -> "Shop":
        business = await a_business(self.services.uow_factory, slug)
        await self._eye.execute(f"SET app.tenant_id = '{business.id}'")
        bare = BareBusiness(business.id, business.slug, business.id)
        account_id = await open_account(self.services, self.stripe, bare)
        return Shop(self, business, account_id)


class Shop:
    """One business, and how a step reaches it."""

    def __init__(self, world: World, business: Business, account_id: str) -> None:
        self.world = world
        self.business = business
        self.id = business.id
        self.services = world.services
        self.factory = world.services.uow_factory
        self.account_id = account_id

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.world.run(step)

    def attempt(self, step: Coroutine[Any, Any, T]) -> tuple[bool, T | None]:
        """Whether the step was allowed, and what it returned; anything but a refusal is raised."""
        try:
            return True, self.run(step)
        except DomainError as refusal:
            self.world.refusal = repr(refusal)
            return False, None

    async def page_of(self, order_id: UUID) -> tuple[UUID, str]:
        """The order's payment page: our id of it, and the processor's."""
        async with self.factory(self.id) as uow:
            row = (await uow.session.execute(_PAGE, {"order_id": order_id})).one()
        return row.id, row.processor_id

    async def pay(self, order_id: UUID) -> None:
        """The guest pays at the processor; nobody tells us."""
        _page_id, session_id = await self.page_of(order_id)
        await self.world.stripe.turn("pay", session=session_id)

    async def refuse_refunds(self, *, no_more: bool = False) -> None:
        """From now on what is to go back to a card fails."""
        status = "succeeded" if no_more else "failed"
        await self.world.stripe.turn("refund_status", status=status)

    async def lose_hold(self, order_id: UUID) -> None:
        """The hold ends although money was taken, as when the processor was out of reach."""
        async with self.factory(self.id) as uow:
            order = await lock_order(uow, order_id)
            now = self.world.clock.now()
            await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", now)

    def given_back_by_processor(self) -> dict[str, int]:
        """Minor units that went back, by payment, as the processor has it in its books."""
        charges = self.world.stripe.engine.store.every(self.account_id, "charge", {})
        return {one["payment_intent"]: one["amount_refunded"] for one in charges if one["paid"]}

    async def close(self) -> None:
        """Nothing of this business is due in the runs to come."""
        async with self.factory(None) as uow:
            await uow.session.execute(delete(Due).where(Due.tenant_id == self.id))
