"""Guests as a tenant knows them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Executable, Table, Uuid, bindparam, exists, insert, select, text

from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound, Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.domain.parties import named_twice
from src.tenants.models import Customer, Participant

PARTICIPANTS = cast(Table, Participant.__table__)

# The customer that an address leads to: its own, or the one that has swallowed it. The lock lasts
# until COMMIT, so that a merge waits for whoever is about to write something under the customer; it
# is the one that the foreign keys take anyway. Who waited for a merge finds no row: the customer
# that was read is no longer the one to take.
_LIVING = (
    "SELECT living.id FROM customers AS named JOIN customers AS living"
    " ON living.tenant_id = named.tenant_id"
    " AND living.id = coalesce(named.merged_into, named.id) AND living.erased_at IS NULL"
    " WHERE named.tenant_id = :tenant_id"
)
_LOCK = " FOR KEY SHARE OF named, living"

# One round trip whether the address is known or not. The second arm's snapshot misses a row that
# somebody else commits while the first one waits for it; then there is no row, and we look again.
# The address may also have been taken from its customer meanwhile: then it is added anew.
_FIND_OR_ADD = (
    text(
        "WITH added AS (INSERT INTO customers"
        " (tenant_id, id, email, name, phone, is_established, created_at)"
        " VALUES (:tenant_id, :id, :email, :name, :phone, false, :now)"
        " ON CONFLICT (tenant_id, email) WHERE email IS NOT NULL DO NOTHING RETURNING id)"
        " SELECT id FROM added UNION ALL"
        " SELECT id FROM (SELECT living.id FROM customers AS named JOIN customers AS living"
        " ON living.tenant_id = named.tenant_id"
        " AND living.id = coalesce(named.merged_into, named.id) WHERE named.tenant_id = :tenant_id"
        " AND named.email = :email FOR KEY SHARE OF named, living) AS known LIMIT 1"
    )
    .bindparams(bindparam("tenant_id", type_=Uuid()), bindparam("id", type_=Uuid()))
    .columns(id=Uuid())
)
_KEEP = (
    text(f"{_LIVING} AND named.id = :id{_LOCK}")
    .bindparams(bindparam("tenant_id", type_=Uuid()), bindparam("id", type_=Uuid()))
    .columns(id=Uuid())
)
_KEEP_ALL = text(
    "SELECT id, merged_into FROM customers WHERE tenant_id = :tenant_id AND id = ANY(:ids)"
    " AND erased_at IS NULL ORDER BY id FOR KEY SHARE"
).columns(id=Uuid(), merged_into=Uuid())
LOOKS = 4
"""How often we look. One merge makes us look twice; more at once is a business in trouble."""


def normalise_email(email: str) -> str:
    """The spelling under which an address is one person: blanks off, lower case."""
    return email.strip().lower()


async def find_or_add_customer(
    uow: UnitOfWork, email: str | None, name: str, phone: str, now: datetime
) -> UUID:
    """The customer with this address, or a new one; without an address always a new one.

    A known customer is left as it is: typing somebody's address proves nothing, so neither the
    stored name nor the stored phone changes. An address of one who was merged leads to who is left.
    Until COMMIT the customer stays the right one; only a merge of it is waited for.
    Raises: Unavailable while one merge follows another.
    """
    if not email:
        return await _add(uow, name, phone, now)
    values = {
        "tenant_id": uow.tenant,
        "email": normalise_email(email),
        "id": new_id(),
        "name": name,
        "phone": phone,
        "now": now,
    }
    return await _found(uow, _FIND_OR_ADD, values)


async def keep_customer(uow: UnitOfWork, customer_id: UUID) -> UUID:
    """The customer, or the one it was merged into, who stays the right one until COMMIT.

    For whoever writes something under a customer that was read before.
    Raises: NotFound, for another tenant's and an erased one too; Unavailable while one merge
    follows another.
    """
    known = exists().where(
        Customer.tenant_id == uow.tenant,
        Customer.id == customer_id,
        Customer.erased_at.is_(None),
    )
    if not await uow.session.scalar(select(known)):
        raise no_such_customer()
    return await _found(uow, _KEEP, {"tenant_id": uow.tenant, "id": customer_id})


async def keep_customers(uow: UnitOfWork, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """`keep_customer` for several at once, by the ids that were asked for, of those that are there.

    Locked by id. Raises: Unavailable while one merge follows another.
    """
    now_known_as = {one: one for one in customer_ids}
    for _look in range(LOOKS):
        looked_for = sorted(set(now_known_as.values()))
        values = {"tenant_id": uow.tenant, "ids": looked_for}
        rows = (await uow.session.execute(_KEEP_ALL, values)).all()
        merged = {row.id: row.merged_into for row in rows if row.merged_into is not None}
        if not merged:
            there = {row.id for row in rows}
            return {asked: kept for asked, kept in now_known_as.items() if kept in there}
        now_known_as = {asked: merged.get(kept, kept) for asked, kept in now_known_as.items()}
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


async def _found(uow: UnitOfWork, statement: Executable, known_as: dict[str, Any]) -> UUID:
    for _look in range(LOOKS):
        found: UUID | None = await uow.session.scalar(statement, known_as)
        if found is not None:
            return found
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


def no_such_customer() -> NotFound:
    return NotFound(_("There is no such customer."))


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
            {
                "tenant_id": uow.tenant,
                "id": one,
                "customer_id": customer_id,
                "name": name.strip(),
                "note": "",
                "kept_at": None,
            }
            for one, name in zip(ids, names, strict=True)
        ]
        uow.insert(PARTICIPANTS, rows)
    return ids


async def place_party(
    uow: UnitOfWork, customer_id: UUID, names: Sequence[str], *, is_proved: bool
) -> list[UUID]:
    """One participant per name, in the same order. Where it `is_proved` that the customer books
    themselves, a name of one whom they keep is that very person.
    """
    place = own_participants if is_proved else add_participants
    return await place(uow, customer_id, names)


async def own_participants(uow: UnitOfWork, customer_id: UUID, names: Sequence[str]) -> list[UUID]:
    """Like `add_participants`, for a customer who has proved who they are: a name of one whom they
    keep is that very person, so that nobody has two places on one date.

    Raises: InvalidInput at `names.<number>` for one of them who is named twice.
    """
    kept = await uow.session.execute(
        select(Participant.id, Participant.name)
        .where(
            Participant.tenant_id == uow.tenant,
            Participant.customer_id == customer_id,
            Participant.kept_at.is_not(None),
        )
        .order_by(Participant.kept_at.desc(), Participant.id.desc())
    )
    by_name = {_folded(row.name): row.id for row in kept}
    known = [by_name.get(_folded(name)) for name in names]
    twice = {
        f"names.{number}": sentence
        for number, sentence in named_twice(names).items()
        if known[number - 1] is not None
    }
    if twice:
        raise InvalidInput(_("Please look at the marked fields."), fields=twice)
    strangers = [name for name, one in zip(names, known, strict=True) if one is None]
    added = iter(await add_participants(uow, customer_id, strangers))
    return [one or next(added) for one in known]


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
