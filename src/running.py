"""The running program's connections and ports, opened by whichever process starts."""

import gc
from dataclasses import dataclass

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from src.billing.stripe_gateway import StripeGateway
from src.platform.clock import SystemClock
from src.platform.config import Settings
from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import unit_of_work_factory
from src.platform.mail.smtp import SmtpMailer
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
    mailer = SmtpMailer.from_settings(settings)
    services = Services(
        settings,
        clock,
        unit_of_work_factory(make_sessions(engine), clock),
        Redis.from_url(settings.redis_url),
        mailer,
        {StripeGateway: gateway},
    )
    return Running(services, engine, gateway, mailer)


def settle_in() -> None:
    """Call once everything is loaded: what is there now stays, and is not looked through again
    whenever Python collects what is no longer used.
    """
    gc.collect()
    gc.freeze()
