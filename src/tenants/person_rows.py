"""What the tables say of one person, told by the packages that own them, so that all of it can be
handed over and erased.

Tests hold this against the database's own catalogue: a table that refers to customers, or a column
of words that is told of nowhere, is found there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, update

from src.platform.db.uow import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer with those who were merged into them, and every address they had, in lower case.

    Of `former` ones only the log tells, for they were corrected, and others may be there by now:
    what was written there is about them when it is under one of their `names`, which are told then,
    in lower case. `at` is the moment of the act; `called` is what stands for the name once it is
    erased.
    """

    tenant_id: UUID
    customer_ids: Sequence[UUID]
    addresses: Sequence[str]
    at: datetime
    former: Sequence[str] = ()
    names: Sequence[str] = ()
    called: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRows:
    """Rows of a tenant table that are about a person: those `whose` says, or else those with a
    `customer_id` of theirs.

    `shown` are the columns that are handed over, and `named` what other rows say by whose ids alone
    nobody could read them, under names of their own. `erased` says what becomes of columns when the
    person is erased; nothing at all where the rows tell of nobody without the others, and None
    where the rows themselves go. `name` tells two of one table apart.
    """

    table: Table
    shown: Sequence[str]
    erased: Callable[[Person], Mapping[str, Any]] | None
    whose: Callable[[Person], ColumnElement[bool]] | None = None
    name: str = ""
    named: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.name or self.table.name

    async def read(self, uow: UnitOfWork, person: Person) -> list[dict[str, Any]]:
        """What is handed over, oldest first."""
        if not self.shown:
            return []
        columns: list[ColumnElement[Any]] = [self.table.c[name] for name in self.shown]
        columns += [said.label(name) for name, said in self.named.items()]
        found = await uow.session.execute(
            select(*columns).where(self._theirs(person)).order_by(self.table.c.id)
        )
        return [dict(row) for row in found.mappings()]

    async def count_of(self, uow: UnitOfWork, person: Person) -> int:
        found = await uow.session.scalar(
            select(func.count()).select_from(self.table).where(self._theirs(person))
        )
        return found or 0

    async def erase(self, uow: UnitOfWork, person: Person) -> None:
        """For good, with COMMIT."""
        if self.erased is None:
            await uow.session.execute(delete(self.table).where(self._theirs(person)))
            return
        values = dict(self.erased(person))
        if values:
            await uow.session.execute(update(self.table).where(self._theirs(person)).values(values))

    def _theirs(self, person: Person) -> ColumnElement[bool]:
        columns = self.table.c
        if self.whose is None:
            whose: ColumnElement[bool] = columns.customer_id.in_(person.customer_ids)
        else:
            whose = self.whose(person)
        return and_(columns.tenant_id == person.tenant_id, whose)


def under_their_name(person: Person, address: Any, name: Any) -> ColumnElement[bool]:
    """Whether what was written at one of their addresses is not somebody else's there."""
    return or_(func.lower(address).not_in(person.former), func.lower(name).in_(person.names))


_registered: dict[str, PersonRows] = {}


def nothing(_person: Person) -> Mapping[str, Any]:
    """`erased` of rows that tell of nobody once the others are."""
    return {}


def register_person_rows(rows: PersonRows) -> None:
    """From now on these are handed over and erased; the same key again replaces them."""
    _registered[rows.key] = rows


def person_rows() -> Sequence[PersonRows]:
    """All that are registered, in that order."""
    return list(_registered.values())
