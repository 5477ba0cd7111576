"""Many inserts in one round trip.

A command writes into half a dozen tables, and a statement for each would cost the program more than
the database. Rows whose values are all at hand go together as one statement, `WITH w0 AS
(INSERT ...), w1 AS (INSERT ...) INSERT ...`, in whatever order they were added: foreign keys are
checked at its end. It holds no INSERT ... SELECT, so that tenant tables can be distributed.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncSession

Row = Mapping[str, Any]
Rows = tuple[Table, Sequence[Row]]
Shape = tuple[tuple[Table, tuple[str, ...], int], ...]

MOST_VALUES = 20_000
"""PostgreSQL takes 65,535 parameters at most; the rest goes in further statements."""

_DIALECT = dialect()  # type: ignore[no-untyped-call]  # a class without annotations


async def insert_together(session: AsyncSession, pending: Sequence[Rows]) -> None:
    """Inserts every row. All rows of one entry have the same columns, and defaults of the model
    are not filled in: each row names what it holds.
    """
    connection = await session.connection()
    for statement in _statements(pending):
        await connection.exec_driver_sql(_sql(_shape(statement)), _values(statement))


async def insert_unless_taken(
    session: AsyncSession, table: Table, rows: Sequence[Row], constraint: str
) -> set[UUID]:
    """Inserts the rows, but for those that the unique `constraint` has no room for.

    Returns the ids of those that were inserted.
    """
    if not rows:
        return set()
    connection = await session.connection()
    statement = [(table, rows)]
    unless_taken = f" ON CONFLICT ON CONSTRAINT {constraint} DO NOTHING RETURNING id"
    inserted = await connection.exec_driver_sql(
        _sql(_shape(statement)) + unless_taken, _values(statement)
    )
    return set(inserted.scalars())


def _shape(statement: Sequence[Rows]) -> Shape:
    return tuple((table, tuple(rows[0]), len(rows)) for table, rows in statement)


def _values(statement: Sequence[Rows]) -> tuple[Any, ...]:
    return tuple(value for table, rows in statement for row in rows for value in _bound(table, row))


def _statements(pending: Sequence[Rows]) -> Iterator[list[Rows]]:
    """The rows in portions that fit into a statement each; nearly always it is one."""
    portion: list[Rows] = []
    room = MOST_VALUES
    for table, rows in pending:
        width, start = len(rows[0]), 0
        while start < len(rows):
            taken = rows[start : start + max(room // width, 1)]
            portion.append((table, taken))
            start, room = start + len(taken), room - len(taken) * width
            if room < width:
                yield portion
                portion, room = [], MOST_VALUES
    if portion:
        yield portion


def _bound(table: Table, row: Row) -> Iterator[Any]:
    """Values as the driver wants them: documents as text."""
    documents = _documents(table)
    for name, value in row.items():
        is_document = name in documents and value is not None
        yield msgspec.json.encode(value).decode() if is_document else value


@lru_cache(maxsize=256)
def _documents(table: Table) -> frozenset[str]:
    return frozenset(column.name for column in table.columns if isinstance(column.type, JSONB))


@lru_cache(maxsize=512)
def _sql(shape: Shape) -> str:
    number = iter(range(1, 65_536))
    inserts = [_insert(table, names, count, number) for table, names, count in shape]
    earlier = ", ".join(f"w{place} AS ({one})" for place, one in enumerate(inserts[:-1]))
    return f"WITH {earlier} {inserts[-1]}" if earlier else inserts[-1]


def _insert(table: Table, names: tuple[str, ...], count: int, number: Iterator[int]) -> str:
    types = [table.columns[name].type.compile(_DIALECT) for name in names]
    rows = (
        "(" + ", ".join(f"${next(number)}::{kind}" for kind in types) + ")" for _row in range(count)
    )
    # Only names of the model's tables and columns are written out; every value is a parameter.
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join(rows)}"  # noqa: S608  names of our tables
