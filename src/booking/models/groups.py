"""Groups: circles of customers, each with a page of its own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant

_ENDED = "ended_by IN ('', 'staff', 'guest', 'purchase') AND (ended_by = '') = (ended_at IS NULL)"


def _belongs(column: str, table: str) -> ForeignKeyConstraint:
    """Like `within_tenant`; the row goes with what it belongs to."""
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete="CASCADE"
    )


def _of_thing(name: str) -> Index:
    """By which it is found out what a purchase makes its buyer a member of."""
    column = f"{name}_id"
    where = text(f"{column} IS NOT NULL")
    return Index(f"ix_group_givers_{name}", "tenant_id", column, postgresql_where=where)


def _once(name: str) -> UniqueConstraint:
    columns = ("tenant_id", "group_id", f"{name}_id")
    return UniqueConstraint(*columns, name=f"uq_group_givers_{name}")


class Group(TenantScoped, Base):
    """`shows_members`: members who want that see each other's names. One that is not `active` has
    no page, and takes nobody in.
    """

    __tablename__ = "groups"
    __table_args__ = (UniqueConstraint("tenant_id", "slug", name="uq_groups_slug"),)

    slug: Mapped[str]
    title: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    shows_members: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class GroupSlug(TenantScoped, Base):
    """An address that a group had before, which leads to it."""

    __tablename__ = "group_slugs"
    __table_args__ = (
        _belongs("group_id", "groups"),
        UniqueConstraint("tenant_id", "slug", name="uq_group_slugs_slug"),
        Index("ix_group_slugs_group", "tenant_id", "group_id"),
    )

    group_id: Mapped[UUID]
    slug: Mapped[str]


class GroupGiver(TenantScoped, Base):
    """Whoever buys this thing becomes a member, if that is confirmed no earlier than `since`: when
    it was chosen, or the group switched on again.
    """

    __tablename__ = "group_givers"
    __table_args__ = (
        _belongs("group_id", "groups"),
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
    )

    group_id: Mapped[UUID]
    service_id: Mapped[UUID | None]
    series_id: Mapped[UUID | None]
    package_id: Mapped[UUID | None]
    since: Mapped[datetime] = mapped_column(server_default=func.now())


class GroupMember(TenantScoped, Base):
    """A customer in a group, once, however often they came and went. `is_shown`: they want the
    other members to read their name. `joined_at` is when they came in last.
    """

    __tablename__ = "group_members"
    __table_args__ = (
        _belongs("group_id", "groups"),
        within_tenant("customer_id", "customers"),
        CheckConstraint(_ENDED, name="ended"),
        UniqueConstraint("tenant_id", "group_id", "customer_id", name="uq_group_members_customer"),
        Index("ix_group_members_customer", "tenant_id", "customer_id"),
    )

    group_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    is_shown: Mapped[bool] = mapped_column(default=False)
    joined_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(default="")


class GroupSource(TenantScoped, Base):
    """By what a member came in: an order, or staff, of whom `added_by` is the name. `what` is how
    the thing was called when it was bought.

    A row stays when it has ended: an order makes somebody a member once, and what is told twice
    brings nobody back. Only one that was `ended_by` its purchase begins anew where that stands
    again.
    """

    __tablename__ = "group_sources"
    __table_args__ = (
        _belongs("group_id", "groups"),
        _belongs("member_id", "group_members"),
        within_tenant("order_id", "orders"),
        CheckConstraint("(order_id IS NULL) = (added_by <> '')", name="origin"),
        CheckConstraint(_ENDED, name="ended"),
        UniqueConstraint("tenant_id", "group_id", "order_id", name="uq_group_sources_order"),
        Index(
            "uq_group_sources_staff",
            "tenant_id",
            "member_id",
            unique=True,
            postgresql_where=text("order_id IS NULL AND ended_at IS NULL"),
        ),
        Index("ix_group_sources_member", "tenant_id", "member_id"),
        Index(
            "ix_group_sources_order",
            "tenant_id",
            "order_id",
            postgresql_where=text("order_id IS NOT NULL"),
        ),
    )

    group_id: Mapped[UUID]
    member_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    what: Mapped[str] = mapped_column(default="")
    added_by: Mapped[str] = mapped_column(default="")
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(default="")


class GroupPost(TenantScoped, Base):
    """What staff wrote to a group. `is_mailed`: it goes to its members by mail too."""

    __tablename__ = "group_posts"
    __table_args__ = (
        _belongs("group_id", "groups"),
        Index("ix_group_posts_group", "tenant_id", "group_id", "id"),
    )

    group_id: Mapped[UUID]
    title: Mapped[str]
    body: Mapped[str]
    is_mailed: Mapped[bool]
    written_by: Mapped[str]
    published_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]


class GroupPostMail(TenantScoped, Base):
    """Which members were written to about a post, each once."""

    __tablename__ = "group_post_mails"
    __table_args__ = (
        _belongs("post_id", "group_posts"),
        _belongs("member_id", "group_members"),
        UniqueConstraint("tenant_id", "post_id", "member_id", name="uq_group_post_mails_member"),
        Index("ix_group_post_mails_member", "tenant_id", "member_id"),
    )

    post_id: Mapped[UUID]
    member_id: Mapped[UUID]
    written_at: Mapped[datetime]
