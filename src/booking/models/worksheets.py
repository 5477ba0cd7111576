"""Forms that guests fill in, each with its versions, what asks for it, and each guest's copy."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Worksheet(TenantScoped, Base):
    """A form as it is being written: `questions` are the draft's. Guests fill in the newest
    version, and are asked for it while it is `active`; `rule` says how often the same one is.
    """

    __tablename__ = "worksheets"
    __table_args__ = (CheckConstraint("rule IN ('once', 'each')", name="rule"),)

    title: Mapped[str]
    introduction: Mapped[str]
    questions: Mapped[list[Any]]
    rule: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WorksheetVersion(TenantScoped, Base):
    """A form as it was published; the program cannot change it."""

    __tablename__ = "worksheet_versions"
    __table_args__ = (
        within_tenant("worksheet_id", "worksheets"),
        UniqueConstraint(
            "tenant_id", "worksheet_id", "number", name="uq_worksheet_versions_number"
        ),
        CheckConstraint("number > 0", name="number"),
    )

    worksheet_id: Mapped[UUID]
    number: Mapped[int]
    title: Mapped[str]
    introduction: Mapped[str]
    questions: Mapped[list[Any]]
    published_at: Mapped[datetime]
    published_by: Mapped[str]


def _once(thing: str) -> Index:
    return Index(
        f"uq_worksheet_needs_{thing}",
        "tenant_id",
        f"{thing}_id",
        "worksheet_id",
        unique=True,
        postgresql_where=text(f"{thing}_id IS NOT NULL"),
    )


class WorksheetNeed(TenantScoped, Base):
    """Whoever books, or buys, this one thing is asked to fill in the worksheet, if that is
    confirmed no earlier than `since`: when it was chosen, or the worksheet was published first, or
    switched on again.
    """

    __tablename__ = "worksheet_needs"
    __table_args__ = (
        within_tenant("worksheet_id", "worksheets"),
        within_tenant("service_id", "services"),
        within_tenant("series_id", "series"),
        ForeignKeyConstraint(
            ["tenant_id", "package_id"],
            ["packages.tenant_id", "packages.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("num_nonnulls(service_id, series_id, package_id) = 1", name="one_thing"),
        _once("service"),
        _once("series"),
        _once("package"),
        Index("ix_worksheet_needs_worksheet", "tenant_id", "worksheet_id"),
    )

    worksheet_id: Mapped[UUID]
    service_id: Mapped[UUID | None]
    series_id: Mapped[UUID | None]
    package_id: Mapped[UUID | None]
    since: Mapped[datetime] = mapped_column(server_default=func.now())


class WorksheetCopy(TenantScoped, Base):
    """A customer's own copy: what they are to fill in, or have. `version_id` is what `answers` are
    to; one that nobody has begun is shown in the newest. `order_id` asked for it, or else staff,
    by name in `given_by`. `reopened_why` is what staff wrote when they opened it again; until the
    correction is sent `answers` stay as they were, and what its guest saves of it is the `draft`.
    One that was taken back stays as a row, so that its order does not ask a second time.
    """

    __tablename__ = "worksheet_copies"
    __table_args__ = (
        within_tenant("worksheet_id", "worksheets"),
        within_tenant("version_id", "worksheet_versions"),
        within_tenant("customer_id", "customers"),
        within_tenant("order_id", "orders"),
        CheckConstraint(
            "state IN ('asked', 'begun', 'sent', 'reopened', 'taken_back')", name="state"
        ),
        CheckConstraint("state NOT IN ('sent', 'reopened') OR sent_at IS NOT NULL", name="sent"),
        CheckConstraint("draft IS NULL OR state = 'reopened'", name="draft"),
        Index(
            "uq_worksheet_copies_order",
            "tenant_id",
            "order_id",
            "worksheet_id",
            unique=True,
            postgresql_where=text("order_id IS NOT NULL"),
        ),
        Index("ix_worksheet_copies_customer", "tenant_id", "customer_id"),
        Index("ix_worksheet_copies_worksheet", "tenant_id", "worksheet_id", "asked_at"),
    )

    worksheet_id: Mapped[UUID]
    version_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    state: Mapped[str]
    answers: Mapped[list[Any]]
    draft: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    given_by: Mapped[str]
    reopened_why: Mapped[str]
    asked_at: Mapped[datetime]
    saved_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]


class WorksheetFile(TenantScoped, Base):
    """A file that answers one question of a copy; `content_type` is what its content is. One of a
    correction that is only saved `is_draft`, beside the one that was sent.
    """

    __tablename__ = "worksheet_files"
    __table_args__ = (
        within_tenant("copy_id", "worksheet_copies"),
        within_tenant("customer_id", "customers"),
        CheckConstraint("octet_length(content) = size", name="size"),
        UniqueConstraint("tenant_id", "copy_id", "key", "is_draft", name="uq_worksheet_files_key"),
        Index("ix_worksheet_files_customer", "tenant_id", "customer_id"),
    )

    copy_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    key: Mapped[str]
    is_draft: Mapped[bool] = mapped_column(default=False)
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[datetime]
