"""Texts that guests sign, each with its versions, what asks for it, and who signed which."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Agreement(TenantScoped, Base):
    """A text with an address of its own. `draft` is what is being written; guests see the newest
    version, and are asked for it while it is `active`.
    """

    __tablename__ = "agreements"
    __table_args__ = (UniqueConstraint("tenant_id", "slug", name="uq_agreements_slug"),)

    slug: Mapped[str]
    title: Mapped[str]
    draft: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AgreementVersion(TenantScoped, Base):
    """A text as it was published, under the title that it had then; the program cannot change it.

    `sha256` is that of the text in UTF-8, in hexadecimal: whoever has the text can work it out.
    """

    __tablename__ = "agreement_versions"
    __table_args__ = (
        within_tenant("agreement_id", "agreements"),
        UniqueConstraint(
            "tenant_id", "agreement_id", "number", name="uq_agreement_versions_number"
        ),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name="hash"),
    )

    agreement_id: Mapped[UUID]
    number: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    sha256: Mapped[str]
    published_at: Mapped[datetime]
    published_by: Mapped[str]


def _once(thing: str) -> Index:
    return Index(
        f"uq_agreement_needs_{thing}",
        "tenant_id",
        f"{thing}_id",
        "agreement_id",
        unique=True,
        postgresql_where=text(f"{thing}_id IS NOT NULL"),
    )


class AgreementNeed(TenantScoped, Base):
    """Whoever books, or buys, this one thing is asked for the agreement."""

    __tablename__ = "agreement_needs"
    __table_args__ = (
        within_tenant("agreement_id", "agreements"),
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
        Index("ix_agreement_needs_agreement", "tenant_id", "agreement_id"),
    )

    agreement_id: Mapped[UUID]
    service_id: Mapped[UUID | None]
    series_id: Mapped[UUID | None]
    package_id: Mapped[UUID | None]


class AgreementSignature(TenantScoped, Base):
    """Somebody has typed their `name` under a version. `address` is the network's, `browser` what
    theirs calls itself, both empty once the person is erased.

    `is_proved`: they were signed in, so it stands for the customer whatever they book; else it
    stands for the `order_id` that it was given with, and for nothing else.
    """

    __tablename__ = "agreement_signatures"
    __table_args__ = (
        within_tenant("version_id", "agreement_versions"),
        within_tenant("customer_id", "customers"),
        within_tenant("order_id", "orders"),
        CheckConstraint("how IN ('booking', 'api', 'link', 'portal')", name="how"),
        CheckConstraint("is_proved OR order_id IS NOT NULL", name="whose"),
        Index(
            "uq_agreement_signatures_order",
            "tenant_id",
            "order_id",
            "version_id",
            unique=True,
            postgresql_where=text("order_id IS NOT NULL"),
        ),
        Index("ix_agreement_signatures_customer", "tenant_id", "customer_id"),
        Index("ix_agreement_signatures_version", "tenant_id", "version_id", "signed_at"),
    )

    version_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    name: Mapped[str]
    address: Mapped[str]
    browser: Mapped[str]
    how: Mapped[str]
    is_proved: Mapped[bool]
    signed_at: Mapped[datetime]
