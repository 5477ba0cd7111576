"""New lots of credits, with what is granted in their ledgers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from src.billing.commands.credits import ENTRIES, LOTS, Author, entry_row, scope_columns
from src.billing.domain.credits import EntryKind, LotSource, LotState, Scope
from src.billing.domain.lot_users import EVERYONE, LotUsers
from src.billing.events import CreditEndSet
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id


class NewLot(msgspec.Struct, frozen=True, kw_only=True):
    """Credits to be owned by a customer. `credits` are granted at once unless it is `pending`;
    `bought` of them are paid for. `expires_at` is None for what never ends, or is worked out from
    `validity_days` when it is paid. `lot_id` is of a form that can be sent twice.
    """

    customer_id: UUID
    source: LotSource
    name: str
    credits: int
    scope: Scope
    currency: str
    package_id: UUID | None = None
    order_id: UUID | None = None
    source_seat_id: UUID | None = None
    rolled_from_id: UUID | None = None
    stands_for_id: UUID | None = None
    bought: int = 0
    paid_minor: int = 0
    single_minor: int = 0
    value_minor: int = 0
    refund_rule: str = "linear"
    validity_days: int = 0
    expires_at: datetime | None = None
    pending: bool = False
    lot_id: UUID | None = None
    users: LotUsers = EVERYONE


def insert_lots(
    uow: UnitOfWork, lots: Sequence[NewLot], author: Author, now: datetime
) -> list[UUID]:
    """Writes the lots, and what is granted with them into their ledgers. Nothing is read; the rows
    are in the database after `uow.settle()`. Returns their ids, in order.
    """
    rows = [_lot_row(uow.tenant, lot, now) for lot in lots]
    uow.insert(LOTS, rows)
    for row in rows:
        if row["expires_at"] is not None:
            uow.record(CreditEndSet(lot_id=row["id"]))
    granted = [(row, lot) for row, lot in zip(rows, lots, strict=True) if not lot.pending]
    uow.insert(
        ENTRIES,
        [
            entry_row(
                uow.tenant,
                row["id"],
                EntryKind.GRANT,
                lot.credits,
                author,
                now,
                order_id=lot.order_id,
            )
            for row, lot in granted
        ],
    )
    return [row["id"] for row in rows]


def _lot_row(tenant_id: UUID, lot: NewLot, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": lot.lot_id or new_id(),
        "customer_id": lot.customer_id,
        "package_id": lot.package_id,
        "order_id": lot.order_id,
        "source": str(lot.source),
        "source_seat_id": lot.source_seat_id,
        "rolled_from_id": lot.rolled_from_id,
        "stands_for_id": lot.stands_for_id,
        "state": str(LotState.PENDING if lot.pending else LotState.ACTIVE),
        "name": lot.name,
        **scope_columns(lot.scope),
        "users": lot.users.stored(),
        "balance": 0 if lot.pending else lot.credits,
        "forfeited": 0,
        "bought": lot.bought,
        "paid_minor": lot.paid_minor,
        "single_minor": lot.single_minor,
        "value_minor": lot.value_minor,
        "refunded_minor": 0,
        "refund_rule": lot.refund_rule,
        "currency": lot.currency,
        "validity_days": lot.validity_days,
        "expires_at": lot.expires_at,
        "end_set_at": now if lot.expires_at is not None else None,
        "created_at": now,
        "activated_at": None if lot.pending else now,
    }
