"""Collections: things on sale that belong together, on a page of their own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped


def _belongs(column: str, table: str) -> ForeignKeyConstraint:
    """Like `within_tenant`; the row goes with what it belongs to."""
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete="CASCADE"
    )


def _of_thing(name: str) -> Index:
    """By which it is found out for whom a thing is on sale."""
    column = f"{name}_id"
    where = text(f"{column} IS NOT NULL")
    return Index(f"ix_collection_items_{name}", "tenant_id", column, postgresql_where=where)


def _once(name: str) -> UniqueConstraint:
    columns = ("tenant_id", "collection_id", f"{name}_id")
    return UniqueConstraint(*columns, name=f"uq_collection_items_{name}")


class Collection(TenantScoped, Base):
    """`listed_in_portal`: who is signed in finds it in their menu. `established_only`: for nobody
    but established customers, and neither is what is in such collections only. One that is not
    `active` has no page, and keeps nothing from anybody.
    """

    __tablename__ = "collections"
    __table_args__ = (UniqueConstraint("tenant_id", "slug", name="uq_collections_slug"),)

    slug: Mapped[str]
    title: Mapped[str]
    cover_text: Mapped[str] = mapped_column(default="")
    listed_in_portal: Mapped[bool] = mapped_column(default=False)
    established_only: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CollectionItem(TenantScoped, Base):
    """One thing at its place in one collection; it may be in others too."""

    __tablename__ = "collection_items"
    __table_args__ = (
        _belongs("collection_id", "collections"),
        _belongs("service_id", "services"),
        _belongs("series_id", "series"),
        _belongs("package_id", "packages"),
        CheckConstraint("num_nonnulls(service_id, series_id, package_id) = 1", name="one_thing"),
        _once("service"),
        _once("series"),
        _once("package"),
        _of_thing("service"),
        _of_thing("series"),
        _of_thing("package"),
        Index("ix_collection_items_collection", "tenant_id", "collection_id", "position"),
    )

    collection_id: Mapped[UUID]
    position: Mapped[int]
    service_id: Mapped[UUID | None]
    series_id: Mapped[UUID | None]
    package_id: Mapped[UUID | None]


class CollectionSlug(TenantScoped, Base):
    """An address that a collection had before, which leads to it."""

    __tablename__ = "collection_slugs"
    __table_args__ = (
        _belongs("collection_id", "collections"),
        UniqueConstraint("tenant_id", "slug", name="uq_collection_slugs_slug"),
        Index("ix_collection_slugs_collection", "tenant_id", "collection_id"),
    )

    collection_id: Mapped[UUID]
    slug: Mapped[str]
