"""The running program's connections and ports, opened by whichever process starts."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from src.billing.stripe_gateway import StripeGateway
from src.platform.clock import SystemClock
from src.platform.config import Settings
from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import UowFactory, unit_of_work_factory
from src.platform.mail.smtp import SmtpMailer
from src.platform.outages import make_redis
from src.platform.ratelimit import RateLimiter
from src.platform.services import Services


@dataclass(frozen=True, slots=True)
class Running:
    """Services, and the connections behind them."""

    services: Services
    engine: AsyncEngine
    gateway: StripeGateway
    mailer: SmtpMailer

    async def close(self) -> None:
        self.mailer.close()
        await self.gateway.close()
        await self.services.redis.aclose()
        await self.engine.dispose()


def open_services(settings: Settings) -> Running:
    """Binds everything the program holds on to; nothing connects before it is used."""
    clock = SystemClock()
    engine = make_engine(settings.database_url, pool_size=settings.database_pool_size)
    gateway = StripeGateway.from_settings(settings)
    redis = make_redis(settings.redis_url)
    mailer = SmtpMailer.from_settings(settings)
    services = Services(
        settings,
        clock,
        unit_of_work_factory(make_sessions(engine), clock),
        redis,
        mailer,
        RateLimiter(redis, clock),
        {StripeGateway: gateway},
    )
    return Running(services, engine, gateway, mailer)


@asynccontextmanager
async def owners_work(settings: Settings | str) -> AsyncIterator[UowFactory]:
    """Units of work as the owner of the tables, whom no policy binds: for the command line, and
    for what the program itself has no right to, such as making somebody a platform admin. The
    address alone does as well as all settings.
    """
    address = settings if isinstance(settings, str) else settings.migrator_database_url
    engine = make_engine(address, pool_size=1)
    try:
        yield unit_of_work_factory(make_sessions(engine), SystemClock())
    finally:
        await engine.dispose()


def settle_in() -> None:
    """Call once everything is loaded: what is there now stays, and is not looked through again
    whenever Python collects what is no longer used.
    """
    gc.collect()
    gc.freeze()
