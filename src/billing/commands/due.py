"""Rows of `due`: work of billing that cron picks up later.

A row's id is that of the order, page or refund it is about, so that it is found again by its key.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import md5
from typing import cast
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from src.billing.domain.holds import TRANSFER_REMINDER_DUE
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Due

DUE = cast(Table, Due.__table__)
_DROP_SEVERAL = text("DELETE FROM due WHERE tenant_id = :tenant_id AND id = ANY(:refs)").bindparams(
    bindparam("refs", type_=ARRAY(Uuid))
)
"""One array, for a list of ids may be longer than a statement's parameters."""


def account_due_id(tenant_id: UUID) -> UUID:
    """The id of the row about a tenant's account: the tenant's own id names another one's."""
    return UUID(md5(f"account:{tenant_id}".encode(), usedforsecurity=False).hexdigest())


def transfer_reminder_id(order_id: UUID) -> UUID:
    """The id of the row that reminds of a transfer: the order's own names its hold's."""
    named = f"transfer_reminder:{order_id}"
    return UUID(md5(named.encode(), usedforsecurity=False).hexdigest())


async def add_transfer_reminder(uow: UnitOfWork, order_id: UUID, at: datetime) -> None:
    """Written when the unit of work settles."""
    row = {
        "id": transfer_reminder_id(order_id),
        "tenant_id": uow.tenant,
        "kind": TRANSFER_REMINDER_DUE,
        "at": at,
        "ref": order_id,
    }
    uow.insert(DUE, [row])


async def add_due(uow: UnitOfWork, kind: str, ref: UUID, at: datetime) -> None:
    """Written when the unit of work settles."""
    uow.insert(DUE, [{"id": ref, "tenant_id": uow.tenant, "kind": kind, "at": at, "ref": ref}])


async def move_due(uow: UnitOfWork, ref: UUID, at: datetime) -> None:
    await uow.session.execute(
        update(Due).where(Due.id == ref, Due.tenant_id == uow.tenant).values(at=at)
    )


async def drop_due(uow: UnitOfWork, ref: UUID) -> None:
    await uow.session.execute(delete(Due).where(Due.id == ref, Due.tenant_id == uow.tenant))


async def drop_several_due(uow: UnitOfWork, refs: Sequence[UUID]) -> None:
    await uow.session.execute(_DROP_SEVERAL, {"tenant_id": uow.tenant, "refs": list(refs)})


async def list_due(uow: UnitOfWork, kinds: tuple[str, ...], now: datetime, limit: int) -> list[Due]:
    """What is due, oldest first, of all tenants; for cron, outside of any tenant."""
    found = await uow.session.scalars(
        select(Due).where(Due.kind.in_(kinds), Due.at <= now).order_by(Due.at).limit(limit)
    )
    return list(found)


async def put_off(uow: UnitOfWork, due: Due, by: timedelta) -> None:
    """Tries the row again later, after an attempt that failed."""
    await uow.session.execute(update(Due).where(Due.id == due.id).values(at=uow.clock.now() + by))
