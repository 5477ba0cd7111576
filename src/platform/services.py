"""What the running program holds on to: settings, time, transactions, and the bound ports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from redis.asyncio import Redis

from src.platform.clock import Clock
from src.platform.config import Settings
from src.platform.db.uow import UowFactory
from src.platform.mail.sender import Mailer
from src.platform.ratelimit import RateLimiter

Port = TypeVar("Port")


@dataclass(frozen=True, slots=True)
class Services:
    """Bound once by the composition root; handlers and jobs receive it, commands get its parts."""

    settings: Settings
    clock: Clock
    uow_factory: UowFactory
    redis: Redis
    mailer: Mailer
    limiter: RateLimiter
    ports: Mapping[type[Any], object] = field(default_factory=dict)

    def port(self, kind: type[Port]) -> Port:
        """The adapter bound to the port `kind`. Raises: KeyError when wiring forgot it."""
        return cast(Port, self.ports[kind])
