"""What the stand-in for Stripe is started with."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Endpoint = Literal["platform", "connect"]


@dataclass(frozen=True)
class Hook:
    """One webhook endpoint: where events go, and the secret that signs them."""

    url: str
    secret: str


@dataclass(frozen=True)
class Config:
    """Without `data_dir` everything is kept in memory and gone with the process.

    `public_url` is the root of the pages that people are sent to; without it, it is taken from
    each request's own address. `clock` gives epoch seconds; the clock knob moves it further.
    """

    secret_key: str
    data_dir: Path | None = None
    public_url: str | None = None
    hooks: dict[Endpoint, Hook] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    webhook_timeout_seconds: float = 10.0
    webhook_retry_base_seconds: float = 1.0
    webhook_attempts: int = 12
