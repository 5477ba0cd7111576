"""Rendered public pages, kept for a moment by the process that rendered them."""

from asyncio import Lock
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta

from src.platform.web.pages import CachedPage
from src.tenants.context import TenantSnapshot

MOST_BYTES = 4_000_000


class _Entry:
    """A place for one page; the lock lets one request render while the others wait for it."""

    __slots__ = ("lock", "made_at", "page", "tenant")

    @property
    def size(self) -> int:
        return self.page.size if self.page is not None else 0

    def __init__(self) -> None:
        self.lock = Lock()
        self.made_at: datetime | None = None
        self.page: CachedPage | None = None
        self.tenant: TenantSnapshot | None = None


class PageCache:
    """Pages by key, none older than `fresh`, and none made from another state of its tenant.

    The key holds the tenant's id, so that nobody is ever shown another business's page; the
    snapshot is compared too. What is too old to be shown is dropped when another page is made, and
    so are the least recently used ones once all together are larger than `most_bytes`.
    """

    def __init__(self, *, fresh: timedelta, most_bytes: int = MOST_BYTES) -> None:
        self._fresh = fresh
        self._most_bytes = most_bytes
        self._bytes = 0
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    async def get(
        self,
        key: Hashable,
        tenant: TenantSnapshot,
        now: datetime,
        make: Callable[[], Awaitable[CachedPage]],
    ) -> CachedPage:
        """The page under the key; rendered by `make` when there is none that may be shown."""
        entry = self._entry(key)
        if (found := self._usable(entry, tenant, now)) is not None:
            return found
        async with entry.lock:
            if (found := self._usable(entry, tenant, now)) is not None:
                return found
            made = await make()
            self._bytes -= entry.size if self._entries.get(key) is entry else 0
            entry.page, entry.made_at, entry.tenant = made, now, tenant
            self._bytes += entry.size if self._entries.get(key) is entry else 0
            self._tidy(now)
            return made

    def _usable(self, entry: _Entry, tenant: TenantSnapshot, now: datetime) -> CachedPage | None:
        if entry.page is None or entry.made_at is None or entry.tenant != tenant:
            return None
        return entry.page if abs(now - entry.made_at) < self._fresh else None

    def _entry(self, key: Hashable) -> _Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
        else:
            self._entries.move_to_end(key)
        return entry

    def _tidy(self, now: datetime) -> None:
        """From the one that was longest not asked for; a page that is being made stays."""
        for key, entry in list(self._entries.items()):
            is_old = entry.made_at is None or abs(now - entry.made_at) >= self._fresh
            if not is_old and self._bytes <= self._most_bytes:
                return
            if not entry.lock.locked():
                self._bytes -= entry.size
                del self._entries[key]
