"""What is kept for established customers: the ids of services, series and packages.

`access_of` has the rule; these are its conditions in SQL, and a test holds the two together. Each
array is worked out once a statement, however many rows it is asked about.
"""

from uuid import UUID

from sqlalchemy import TextClause, Uuid, bindparam, func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from src.booking.models import Collection, CollectionItem
from src.platform.db.uow import UnitOfWork

_KEPT = (
    "ARRAY(SELECT i.{column} FROM collection_items i JOIN collections c"
    " ON c.tenant_id = i.tenant_id AND c.id = i.collection_id AND c.active"
    " WHERE i.tenant_id = :tenant_id AND i.{column} IS NOT NULL"
    " GROUP BY i.{column} HAVING bool_and(c.established_only))"
)
KEPT_SERVICES = _KEPT.format(column="service_id")
KEPT_SERIES = _KEPT.format(column="series_id")
KEPT_PACKAGES = _KEPT.format(column="package_id")
"""Parameter: tenant_id."""


def is_kept(service_column: str, series_column: str) -> TextClause:
    """Whether a series, or a date of one, is kept: for its own sake, or for its service's. The
    columns are named as they are called in the statement; its parameter `tenant_id` is needed.
    """
    said = (
        f"({service_column} = ANY({KEPT_SERVICES})"
        f" OR coalesce({series_column} = ANY({KEPT_SERIES}), false))"
    )
    return text(said).bindparams(bindparam("tenant_id", type_=Uuid()))


async def is_service_kept(uow: UnitOfWork, service_id: UUID) -> bool:
    return service_id in await _kept(uow, CollectionItem.service_id, service_id)


async def kept_packages(uow: UnitOfWork) -> frozenset[UUID]:
    return await _kept(uow, CollectionItem.package_id)


async def kept_services(uow: UnitOfWork) -> frozenset[UUID]:
    return await _kept(uow, CollectionItem.service_id)


async def _kept(
    uow: UnitOfWork, column: InstrumentedAttribute[UUID | None], only: UUID | None = None
) -> frozenset[UUID]:
    statement = (
        select(column)
        .join(
            Collection,
            (Collection.tenant_id == CollectionItem.tenant_id)
            & (Collection.id == CollectionItem.collection_id),
        )
        .where(CollectionItem.tenant_id == uow.tenant, column.is_not(None), Collection.active)
        .group_by(column)
        .having(func.bool_and(Collection.established_only))
    )
    if only is not None:
        statement = statement.where(column == only)
    found = await uow.session.scalars(statement)
    return frozenset(one for one in found if one is not None)
