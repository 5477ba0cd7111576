"""Kept pages are right for whom they are shown to, and take no more room than they may."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from src.booking.web.page_cache import PageCache
from src.platform.web.pages import CachedPage
from src.tenants.context import TenantSnapshot

pytestmark = pytest.mark.anyio
FRESH = timedelta(seconds=1)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Shop:
    """A cache, and how often a page was made for it."""

    def __init__(self, tenant: TenantSnapshot, most_bytes: int = 100_000) -> None:
        self.cache = PageCache(fresh=FRESH, most_bytes=most_bytes)
        self.tenant = tenant
        self.made: list[object] = []

    async def ask(self, key: object, *, after: float = 0, size: int = 1_000) -> CachedPage:
        async def make() -> CachedPage:
            self.made.append(key)
            return CachedPage(b"x" * size)

        now = NOW + timedelta(seconds=after)
        return await self.cache.get(key, self.tenant, now, make)

    @property
    def kept(self) -> list[object]:
        return list(self.cache._entries)


@pytest.fixture
def snapshot() -> TenantSnapshot:
    """All that matters of it here is whether it is the same."""
    return cast(TenantSnapshot, object())


@pytest.fixture
def shop(snapshot: TenantSnapshot) -> Shop:
    return Shop(snapshot)


async def test_a_page_is_made_once_while_it_is_fresh(shop: Shop) -> None:
    assert await shop.ask("hub") is await shop.ask("hub", after=0.9)
    await shop.ask("hub", after=1.0)
    assert shop.made == ["hub", "hub"]


async def test_what_nobody_may_be_shown_any_more_goes(shop: Shop) -> None:
    for number in range(5):
        await shop.ask(number)
    await shop.ask("later", after=2)
    assert shop.kept == ["later"]


async def test_the_longest_unasked_goes_when_there_is_no_room(snapshot: TenantSnapshot) -> None:
    shop = Shop(snapshot, most_bytes=3_500)
    for key in ("a", "b", "c"):
        await shop.ask(key)
    await shop.ask("a")
    await shop.ask("d")
    assert shop.kept == ["c", "a", "d"]
    await shop.ask("large", size=5_000)
    assert shop.kept == ["large"], "what is too large by itself is kept till the next"
    await shop.ask("e")
    assert shop.kept == ["e"]


async def test_a_page_that_cannot_be_made_takes_no_place(shop: Shop) -> None:
    async def fail() -> CachedPage:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await shop.cache.get("broken", shop.tenant, NOW, fail)
    await shop.ask("hub")
    assert shop.kept == ["hub"]
