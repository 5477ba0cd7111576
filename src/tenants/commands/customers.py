"""Guests as a tenant knows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, insert, text

from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.tenants.models import Customer, Participant

PARTICIPANTS = cast(Table, Participant.__table__)

# One round trip whether the address is known or not. The second arm's snapshot misses a row that
# somebody else commits while the first one waits for it; then there is no row, and we look again.
_FIND_OR_ADD = (
    text(
        "WITH added AS (INSERT INTO customers"
        " (tenant_id, id, email, name, phone, is_established, created_at)"
        " VALUES (:tenant_id, :id, :email, :name, :phone, false, :now)"
        " ON CONFLICT (tenant_id, email) WHERE email IS NOT NULL DO NOTHING RETURNING id)"
        " SELECT id FROM added UNION ALL"
        " SELECT id FROM customers WHERE tenant_id = :tenant_id AND email = :email LIMIT 1"
    )
    .bindparams(bindparam("tenant_id", type_=Uuid()), bindparam("id", type_=Uuid()))
    .columns(id=Uuid())
)
_FIND = (
    text("SELECT id FROM customers WHERE tenant_id = :tenant_id AND email = :email")
    .bindparams(bindparam("tenant_id", type_=Uuid()))
    .columns(id=Uuid())
)


def normalise_email(email: str) -> str:
    """The spelling under which an address is one person: blanks off, lower case."""
    return email.strip().lower()


async def find_or_add_customer(
    uow: UnitOfWork, email: str | None, name: str, phone: str, now: datetime
) -> UUID:
    """The customer with this address, or a new one; without an address always a new one.

    A known customer is left as it is: typing somebody's address proves nothing, so neither the
    stored name nor the stored phone changes, and a row that others hold is not waited for.
    """
    if not email:
        return await _add(uow, name, phone, now)
    known_as = {"tenant_id": uow.tenant, "email": normalise_email(email)}
    values = {**known_as, "id": new_id(), "name": name, "phone": phone, "now": now}
    found: UUID | None = await uow.session.scalar(_FIND_OR_ADD, values)
    if found is None:
        found = (await uow.session.execute(_FIND, known_as)).scalar_one()
    return found


async def _add(uow: UnitOfWork, name: str, phone: str, now: datetime) -> UUID:
    customer_id = new_id()
    await uow.session.execute(
        insert(Customer).values(
            tenant_id=uow.tenant, id=customer_id, name=name, phone=phone, created_at=now
        )
    )
    return customer_id


async def add_participants(uow: UnitOfWork, customer_id: UUID, names: Sequence[str]) -> list[UUID]:
    """One participant per name, in the same order, "" for a seat without a name."""
    ids = [new_id() for _name in names]
    if ids:
        rows = [
            {"tenant_id": uow.tenant, "id": one, "customer_id": customer_id, "name": name.strip()}
            for one, name in zip(ids, names, strict=True)
        ]
        uow.insert(PARTICIPANTS, rows)
    return ids
