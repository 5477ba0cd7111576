"""Balances that are kept beside a ledger: after every test each is the sum of its entries.

Whoever keeps another one adds a line here; nothing else is needed.
"""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


class Ledger(NamedTuple):
    """The table with a balance, its column, and the table whose rows add up to it."""

    table: str
    balance: str
    entries: str
    owner: str
    amount: str


LEDGERS = (
    Ledger("credit_lots", "balance", "credit_entries", "lot_id", "credits"),
    Ledger("vouchers", "balance_minor", "voucher_entries", "voucher_id", "amount_minor"),
)


async def ledgers_that_do_not_add_up(connection: AsyncConnection | AsyncSession) -> list[str]:
    """Who is asked has to see the rows of all businesses, or gets those of one."""
    wrong = []
    for one in LEDGERS:
        found = await connection.execute(text(_sums(one)))
        wrong += [f"{one.table} {row[0]}: {row[1]}, its entries {row[2]}" for row in found]
    return wrong


def _sums(one: Ledger) -> str:
    return (
        f"SELECT id, balance, entries FROM (SELECT id, {one.balance} AS balance, coalesce((SELECT"
        f" sum(e.{one.amount}) FROM {one.entries} e WHERE e.tenant_id = o.tenant_id"
        f" AND e.{one.owner} = o.id), 0) AS entries FROM {one.table} o) sums"
        " WHERE balance <> entries"
    )
