"""Limits count for all processes together, slide, and have a plan for the day Valkey is down."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from src.platform.errors import TooManyRequests
from src.platform.ratelimit import SIGN_IN_BY_ACCOUNT, Limit, Outage, RateLimiter
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def limiter(redis: Redis, clock: FrozenClock) -> RateLimiter:
    return RateLimiter(redis, clock)


@pytest.fixture
async def cut_off(clock: FrozenClock) -> AsyncIterator[RateLimiter]:
    """A limiter whose Valkey does not answer."""
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")
    yield RateLimiter(nowhere, clock)
    await nowhere.aclose()


async def passes(limiter: RateLimiter, key: str = "ann", limit: int = 3) -> bool:
    try:
        await limiter.hit("test", key, limit, 60)
    except TooManyRequests:
        return False
    return True


async def test_so_many_tries_pass_and_no_more(limiter: RateLimiter) -> None:
    assert [await passes(limiter) for _try in range(5)] == [True, True, True, False, False]


async def test_each_key_and_bucket_is_counted_alone(limiter: RateLimiter) -> None:
    for _try in range(3):
        assert await passes(limiter, "ann")
    assert await passes(limiter, "bob")
    await limiter.hit("other", "ann", 1, 60)


async def test_count_is_shared_between_processes(
    limiter: RateLimiter, redis: Redis, clock: FrozenClock
) -> None:
    other_process = RateLimiter(redis, clock)
    tries = [await passes(process) for process in (limiter, other_process, limiter, other_process)]
    assert tries == [True, True, True, False]


async def test_whoever_waits_as_told_passes(limiter: RateLimiter, clock: FrozenClock) -> None:
    for offset_seconds in (0, 17, 31):
        clock.advance(timedelta(seconds=offset_seconds))
        while await passes(limiter, limit=7):
            pass
        with pytest.raises(TooManyRequests) as refusal:
            await limiter.hit("test", "ann", 7, 60)
        clock.advance(timedelta(seconds=refusal.value.retry_after_seconds))
        assert await passes(limiter, limit=7)


async def test_window_slides_so_that_its_edge_gives_no_second_round(
    limiter: RateLimiter, clock: FrozenClock
) -> None:
    clock.advance(timedelta(seconds=59))
    for _try in range(3):
        assert await passes(limiter)
    clock.advance(timedelta(seconds=2))
    assert not await passes(limiter)


async def test_burst_from_many_tasks_is_counted_exactly(limiter: RateLimiter) -> None:
    results = await asyncio.gather(*(passes(limiter, limit=10) for _task in range(40)))
    assert sum(results) == 10


async def test_store_forgets_counts_and_never_sees_addresses(
    limiter: RateLimiter, redis: Redis
) -> None:
    await limiter.sign_in("203.0.113.9", "Ann@Example.com")
    keys = await redis.keys("*")
    assert len(keys) == 2
    assert all(b"nn@" not in key and b"203" not in key for key in keys)
    assert all([0 < await redis.ttl(key) <= 1800 for key in keys])


async def test_account_is_limited_whatever_address_tries_it(limiter: RateLimiter) -> None:
    for number in range(SIGN_IN_BY_ACCOUNT.times):
        await limiter.sign_in(f"203.0.113.{number}", "ann@example.com")
    with pytest.raises(TooManyRequests):
        await limiter.sign_in("198.51.100.1", "ANN@example.com ")
    await limiter.forget(SIGN_IN_BY_ACCOUNT, "ann@example.com")
    await limiter.sign_in("198.51.100.1", "ann@example.com")


async def test_unknown_address_is_not_limited(limiter: RateLimiter) -> None:
    for _try in range(5):
        await limiter.hit("test", "", 1, 60)


async def test_refusal_says_how_long_in_words(limiter: RateLimiter) -> None:
    limit = Limit("slow", 1, 600)
    await limiter.check(limit, "ann")
    with pytest.raises(TooManyRequests) as refusal:
        await limiter.check(limit, "ann")
    assert refusal.value.message.startswith("Too many tries. Please wait ")
    assert refusal.value.message.endswith(" minutes.")


async def test_booking_goes_on_while_valkey_is_down(cut_off: RateLimiter) -> None:
    for _try in range(5):
        await cut_off.hit("booking", "ann", 1, 60)


async def test_guessing_stays_slow_while_valkey_is_down(
    cut_off: RateLimiter, clock: FrozenClock
) -> None:
    limit = Limit("codes", 2, 60, Outage.COUNT_HERE)
    await cut_off.check(limit, "ann")
    await cut_off.check(limit, "ann")
    with pytest.raises(TooManyRequests) as refusal:
        await cut_off.check(limit, "ann")
    await cut_off.check(limit, "bob")
    await cut_off.forget(limit, "ann")
    await cut_off.check(limit, "ann")
    clock.advance(timedelta(seconds=refusal.value.retry_after_seconds))
    await cut_off.check(limit, "ann")
