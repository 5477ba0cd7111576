"""How often something may be tried, counted in Valkey for all processes together.

A sliding window: the present window's count plus the share of the last one that still overlaps.
One round trip, decided and counted at once in a script; a refused try is not counted, so that
whoever waits as told gets through.

While Valkey is down, `Outage.ALLOW` lets tries pass (booking: a business that cannot sell for want
of a counter is hurt more than one that is asked too often), and `Outage.COUNT_HERE` counts in this
process alone (signing in and codes: guessing stays slow, and nobody is locked out).
"""

from collections import OrderedDict
from datetime import datetime
from enum import Enum
from hashlib import sha256

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from src.platform.clock import Clock
from src.platform.errors import TooManyRequests
from src.platform.i18n import ngettext

MAX_KEYS_HERE = 10_000
KEY_PREFIX = "limit:"
"""Of every counter's key in the store, which holds other things too."""

_SCRIPT = """
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local elapsed = now % window
local present = tonumber(redis.call('GET', KEYS[1]) or '0')
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
local overlap = before * (window - elapsed) / window
if present + overlap + 1 <= limit then
  redis.call('INCR', KEYS[1])
  redis.call('PEXPIRE', KEYS[1], window * 2)
  return 0
end
local room = limit - present - 1
if room >= 0 and before > 0 then
  return math.max(1, math.ceil(window - elapsed - room * window / before))
end
local wait = window - elapsed
local next_room = limit - 1
if present > next_room then
  wait = wait + window - next_room * window / present
end
return math.max(1, math.ceil(wait))
"""

log = structlog.get_logger(__name__)


class Outage(Enum):
    """What a limit does while the counter cannot be reached."""

    ALLOW = "allow"
    COUNT_HERE = "count here"


class Limit(msgspec.Struct, frozen=True):
    """`times` in any `window_seconds`, counted by `bucket` and key."""

    bucket: str
    times: int
    window_seconds: int
    outage: Outage = Outage.ALLOW


SIGN_IN_BY_ACCOUNT = Limit("sign-in-account", 10, 15 * 60, Outage.COUNT_HERE)
SIGN_IN_BY_ADDRESS = Limit("sign-in-address", 60, 15 * 60, Outage.COUNT_HERE)
SIGN_UP_BY_ADDRESS = Limit("sign-up-address", 10, 60 * 60, Outage.COUNT_HERE)
NEW_BUSINESS_BY_USER = Limit("new-business-user", 5, 24 * 60 * 60, Outage.COUNT_HERE)
INVITATIONS_BY_TENANT = Limit("invitations-tenant", 50, 24 * 60 * 60, Outage.COUNT_HERE)
CODE_TRIES = Limit("code-tries", 5, 10 * 60, Outage.COUNT_HERE)
CODE_MAILS = Limit("code-mails", 5, 15 * 60, Outage.COUNT_HERE)
BOOKING_BY_ADDRESS = Limit("booking-address", 60, 10 * 60)
API_BY_KEY = Limit("api-key", 1_200, 60)


class RateLimiter:
    """Counts tries and refuses those that are too many."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._script = redis.register_script(_SCRIPT)
        self._here: OrderedDict[str, list[int]] = OrderedDict()

    async def hit(
        self,
        bucket: str,
        key: str,
        limit: int,
        window_seconds: int,
        outage: Outage = Outage.ALLOW,
    ) -> None:
        """Counts one try. An empty key (no address known) is not limited.

        Raises: TooManyRequests, with the seconds after which the next try passes.
        """
        if not key:
            return
        now_ms = _milliseconds(self._clock.now())
        wait_ms = await self._wait_ms(bucket, key, limit, window_seconds * 1000, now_ms, outage)
        if wait_ms > 0:
            raise too_many((wait_ms + 999) // 1000)

    async def check(self, limit: Limit, key: str) -> None:
        """`hit` with a named limit."""
        await self.hit(limit.bucket, key, limit.times, limit.window_seconds, limit.outage)

    async def sign_in(self, address: str, account: str) -> None:
        """One try to sign in, by where it comes from and by whom it is for.

        The account is counted whether or not it exists, so that the answer tells nothing.
        """
        await self.check(SIGN_IN_BY_ADDRESS, address)
        await self.check(SIGN_IN_BY_ACCOUNT, account.strip().casefold())

    async def forget(self, limit: Limit, key: str) -> None:
        """Starts the count anew, as after a right password."""
        number = self._window_number(limit.window_seconds * 1000)
        names = [_name(limit.bucket, key, number), _name(limit.bucket, key, number - 1)]
        for name in names:
            self._here.pop(name, None)
        try:
            await self._redis.delete(*names)
        except RedisError as error:
            log.warning("rate_limit_not_forgotten", bucket=limit.bucket, reason=repr(error))

    async def _wait_ms(
        self, bucket: str, key: str, limit: int, window_ms: int, now_ms: int, outage: Outage
    ) -> int:
        number = now_ms // window_ms
        names = [_name(bucket, key, number), _name(bucket, key, number - 1)]
        try:
            return int(await self._script(keys=names, args=[now_ms, window_ms, limit]))
        except RedisError as error:
            log.warning("rate_limit_unavailable", bucket=bucket, reason=repr(error))
        if outage is Outage.ALLOW:
            return 0
        return self._count_here(names[0], limit, window_ms, now_ms)

    def _count_here(self, name: str, limit: int, window_ms: int, now_ms: int) -> int:
        count = self._here.setdefault(name, [0])
        self._here.move_to_end(name)
        while len(self._here) > MAX_KEYS_HERE:
            self._here.popitem(last=False)
        if count[0] >= limit:
            return window_ms - now_ms % window_ms
        count[0] += 1
        return 0

    def _window_number(self, window_ms: int) -> int:
        return _milliseconds(self._clock.now()) // window_ms


def too_many(seconds: int) -> TooManyRequests:
    minutes = (seconds + 59) // 60
    message = (
        ngettext(
            "Too many tries. Please wait %(num)s second.",
            "Too many tries. Please wait %(num)s seconds.",
            seconds,
        )
        if seconds < 60
        else ngettext(
            "Too many tries. Please wait %(num)s minute.",
            "Too many tries. Please wait %(num)s minutes.",
            minutes,
        )
    )
    return TooManyRequests(message, retry_after_seconds=seconds)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _name(bucket: str, key: str, window_number: int) -> str:
    """The key by its hash: addresses of people are not readable in the store."""
    digest = sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
    return f"{KEY_PREFIX}{bucket}:{{{digest}}}:{window_number}"
