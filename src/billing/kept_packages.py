"""Which packages are kept for established customers: told by the package that keeps collections."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from src.platform.db.uow import UnitOfWork

Find = Callable[[UnitOfWork], Awaitable[frozenset[UUID]]]

_finders: dict[str, Find] = {}


def register_kept_packages(name: str, find: Find) -> None:
    """From now on what `find` gives is for established customers; the same name replaces it."""
    _finders[name] = find


async def find_kept_packages(uow: UnitOfWork) -> frozenset[UUID]:
    """The business's own ones, by all that keep any."""
    return frozenset[UUID]().union(*[await find(uow) for find in _finders.values()])
