"""What the log's entries are about, by the names that things have in their own rows.

The log keeps ids, and erasing keeps them there: a name that is looked up is gone with its row.
Each package registers the kinds of things that it knows.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.tenants.models import Customer, Location, Performer, Plan


class LogSubject(NamedTuple):
    """A thing that is there still. `path` is its page below the business's.

    A date has `starts_at`, and `moves` say until when it was to start when, the earliest first.
    """

    words: str
    path: str
    starts_at: datetime | None = None
    moves: Sequence[tuple[datetime, datetime]] = ()

    def starts_as_of(self, moment: datetime) -> datetime | None:
        """When it was to start, as it stood at the moment."""
        later = (start for until, start in self.moves if until > moment)
        return next(later, self.starts_at)


Subjects = Mapping[UUID, LogSubject]
SubjectFinder = Callable[[UnitOfWork, Collection[UUID]], Awaitable[Subjects]]
_finders: dict[str, SubjectFinder] = {}


def register_log_subject(kind: str, finder: SubjectFinder) -> None:
    """`finder(uow, ids)` names those of the kind that there are, in as many queries as it needs
    whatever their number.
    """
    _finders[kind] = finder


async def find_log_subjects(
    uow: UnitOfWork, wanted: Iterable[tuple[str, UUID]]
) -> dict[tuple[str, UUID], LogSubject]:
    """Those that there are, of kinds that are known."""
    by_kind: dict[str, set[UUID]] = {}
    for kind, subject_id in wanted:
        if kind in _finders:
            by_kind.setdefault(kind, set()).add(subject_id)
    found: dict[tuple[str, UUID], LogSubject] = {}
    for kind, ids in by_kind.items():
        named = await _finders[kind](uow, ids)
        found |= {(kind, subject_id): subject for subject_id, subject in named.items()}
    return found


async def names_of_plans(uow: UnitOfWork) -> dict[str, str]:
    """By key."""
    found = await uow.session.execute(select(Plan.key, Plan.name))
    return {row.key: row.name for row in found}


def register_own_log_subjects() -> None:
    register_log_subject("customer", _customers)
    register_log_subject("performer", _performers)
    register_log_subject("location", _locations)


async def _customers(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Customer.id, Customer.name).where(
            Customer.tenant_id == uow.tenant, Customer.id.in_(ids)
        )
    )
    return {row.id: LogSubject(row.name, f"customers/{row.id}") for row in found}


async def _performers(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Performer.id, Performer.name).where(
            Performer.tenant_id == uow.tenant, Performer.id.in_(ids)
        )
    )
    return {row.id: LogSubject(row.name, f"settings/performers/{row.id}") for row in found}


async def _locations(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Location.id, Location.name).where(
            Location.tenant_id == uow.tenant, Location.id.in_(ids)
        )
    )
    return {row.id: LogSubject(row.name, f"settings/locations/{row.id}") for row in found}
