"""The declarative base, the shape every tenant table shares, and the column types in use."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from advanced_alchemy.base import BasicAttributes
from sqlalchemy import ForeignKeyConstraint, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from src.platform.ids import new_id

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(BasicAttributes, DeclarativeBase):
    """Root of all rows; text is unbounded, moments carry their zone, documents are JSONB."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: TIMESTAMP(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


class Directory:
    """A row that is read before a tenant is known; no row-level security. See ADR 0003."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class TenantScoped:
    """A row that exists only inside its tenant: the tenant leads the key, and so every index."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


def within_tenant(column: str, table: str, *, name: str | None = None) -> ForeignKeyConstraint:
    """A foreign key that cannot cross tenants: plain ones ignore row-level security."""
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], name=name
    )
