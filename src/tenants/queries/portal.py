"""Who a guest is that comes back with a session, a code or a link."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from src.platform.db.uow import UnitOfWork
from src.tenants.domain.portal import mark_of
from src.tenants.models import Customer
from src.tenants.views.portal import PortalGuest

_named, _living = aliased(Customer), aliased(Customer)


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Whose address was proved, and which: what a session keeps of a guest.

    `customer_id` is the row with the address, which may by now be a signpost to another.
    """

    customer_id: UUID
    mark: str


async def find_portal_guest(uow: UnitOfWork, proved: Proved) -> PortalGuest | None:
    """The guest of a session or link: who is left of them after merging.

    None for one of another business, one who was erased, and one whose address is another by now:
    the one that was proved may be a stranger's.
    """
    row = (await uow.session.execute(_looked_up(uow, _named.id == proved.customer_id))).first()
    if row is None or proved.mark not in {mark_of(one) for one in (row.email, row.proved) if one}:
        return None
    return PortalGuest(
        customer_id=row.id,
        email=row.email or row.proved,
        name=row.name,
        phone=row.phone,
        locale=row.locale,
    )


async def find_proved(uow: UnitOfWork, address: str) -> Proved | None:
    """Whose address it is at this business, None when nobody's."""
    row = (await uow.session.execute(_looked_up(uow, _named.email == address))).first()
    return None if row is None else Proved(customer_id=row.named_id, mark=mark_of(address))


async def list_known_as(uow: UnitOfWork, customer_id: UUID) -> list[UUID]:
    """The customer's id, and those of who was merged into them: sessions may be under each."""
    found = await uow.session.scalars(
        select(Customer.id).where(
            Customer.tenant_id == uow.tenant,
            or_(Customer.id == customer_id, Customer.merged_into == customer_id),
        )
    )
    return list(found)


def _looked_up(uow: UnitOfWork, which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            _named.id.label("named_id"),
            _named.email.label("proved"),
            _living.id,
            _living.email,
            _living.name,
            _living.phone,
            _living.locale,
        )
        .join(
            _living,
            (_living.tenant_id == _named.tenant_id)
            & (_living.id == func.coalesce(_named.merged_into, _named.id)),
        )
        .where(_named.tenant_id == uow.tenant, which, _living.erased_at.is_(None))
    )
