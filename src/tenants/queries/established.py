"""Who is established at this business: had a confirmed order, or was marked so by staff.

A confirmed order marks its customer a moment later, by a job; until then they are as they were.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from src.platform.db.uow import UnitOfWork
from src.tenants.models import Customer

_named, _living = aliased(Customer), aliased(Customer)


async def is_established(uow: UnitOfWork, customer_id: UUID | None) -> bool:
    """Of who has proved to be that customer; nobody at all is not. One who was merged is who is
    left of them.
    """
    if customer_id is None:
        return False
    found = await uow.session.scalar(_established(uow, _named.id == customer_id))
    return found is not None


async def established_among(uow: UnitOfWork, addresses: Collection[str]) -> set[str]:
    """Those of the normalised addresses that are an established customer's."""
    if not addresses:
        return set()
    return set(await uow.session.scalars(_established(uow, _named.email.in_(addresses))))


def _established(uow: UnitOfWork, which: ColumnElement[bool]) -> Select[tuple[str]]:
    return (
        select(func.coalesce(_named.email, ""))
        .join(
            _living,
            (_living.tenant_id == _named.tenant_id)
            & (_living.id == func.coalesce(_named.merged_into, _named.id)),
        )
        .where(
            _named.tenant_id == uow.tenant,
            which,
            _living.is_established,
            _living.erased_at.is_(None),
        )
    )
