"""What hangs on a customer, told by the packages that own it, so that a merge can move all of it.

It is handed over and erased with the person too; see `person_rows.py`.

A test holds the list against the database's own catalogue: a table that refers to customers and is
not registered here would be left behind.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update

from src.platform.db.uow import UnitOfWork
from src.tenants.person_rows import PersonRows, register_person_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRows(PersonRows):
    """Rows of a tenant table with a `customer_id`; `words(count)` says how many of them.

    `is_contended`: others lock single rows of it, so they are locked by id and before all else.
    """

    words: Callable[[int], str]
    is_contended: bool = False

    async def count(self, uow: UnitOfWork, customer_id: UUID) -> int:
        columns = self.table.c
        found = await uow.session.scalar(
            select(func.count())
            .select_from(self.table)
            .where(columns.tenant_id == uow.tenant, columns.customer_id == customer_id)
        )
        return found or 0

    async def lock(self, uow: UnitOfWork, customer_id: UUID) -> None:
        """By id, as everybody does; rows that merely refer to them are not held up."""
        columns = self.table.c
        await uow.session.execute(
            select(columns.id)
            .where(columns.tenant_id == uow.tenant, columns.customer_id == customer_id)
            .order_by(columns.id)
            .with_for_update(key_share=True)
        )

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        """Gives the rows to another customer and returns their ids."""
        columns = self.table.c
        if self.is_contended:
            await self.lock(uow, gone_id)
        moved = await uow.session.execute(
            update(self.table)
            .where(columns.tenant_id == uow.tenant, columns.customer_id == gone_id)
            .values(customer_id=kept_id)
            .returning(columns.id)
        )
        return sorted(moved.scalars())


_registered: dict[str, CustomerRows] = {}


def register_customer_rows(rows: CustomerRows) -> None:
    """From now on these rows go with their customer; the same table again replaces it."""
    _registered[rows.table.name] = rows
    register_person_rows(rows)


def customer_rows() -> Iterable[CustomerRows]:
    """All that are registered, the contended ones first."""
    return sorted(_registered.values(), key=lambda rows: not rows.is_contended)
