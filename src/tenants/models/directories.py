"""Directories: the few tables that are read before a tenant is known. See ADR 0003."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, Directory


class User(Directory, Base):
    """A person who signs in; global, one e-mail, may belong to many tenants.

    Sessions that were begun before `signed_out_at` are over.
    """

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", name="uq_users_email"),
        CheckConstraint("email = lower(btrim(email))", name="email_normalised"),
    )

    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    email_confirmed_at: Mapped[datetime | None]
    is_platform_admin: Mapped[bool] = mapped_column(server_default=false())
    locale: Mapped[str] = mapped_column(default="en")
    signed_out_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Plan(Directory, Base):
    """A plan of the platform; what it holds is in its newest version."""

    __tablename__ = "plans"
    __table_args__ = (
        UniqueConstraint("key", name="uq_plans_key"),
        CheckConstraint("visibility IN ('public', 'hidden', 'internal')", name="visibility"),
    )

    key: Mapped[str]
    name: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    visibility: Mapped[str] = mapped_column(default="public")
    created_at: Mapped[datetime]


class PlanVersion(Directory, Base):
    """A plan as it was at one time. Never edited: an edit makes the next version.

    `limits` maps a Limit to a number; a limit that is absent is unlimited.
    """

    __tablename__ = "plan_versions"
    __table_args__ = (
        UniqueConstraint("plan_id", "version", name="uq_plan_versions_plan_id_version"),
        CheckConstraint("monthly_minor >= 0 AND yearly_minor >= 0", name="prices"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"))
    version: Mapped[int]
    monthly_minor: Mapped[int]
    yearly_minor: Mapped[int]
    currency: Mapped[str]
    trial_days: Mapped[int] = mapped_column(default=0)
    features: Mapped[list[str]] = mapped_column(ARRAY(Text))
    limits: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]


class BoltOn(Directory, Base):
    """Something a tenant has beside its plan; what it holds is in its newest version.

    One that is not `active` goes to nobody any more; who has it keeps it.
    """

    __tablename__ = "bolt_ons"
    __table_args__ = (
        UniqueConstraint("key", name="uq_bolt_ons_key"),
        CheckConstraint("visibility IN ('public', 'hidden')", name="visibility"),
    )

    key: Mapped[str]
    name: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    visibility: Mapped[str] = mapped_column(default="public")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class BoltOnVersion(Directory, Base):
    """A bolt-on as it was at one time. Never edited: an edit makes the next version.

    `limit_increments` maps a Limit to how much is added to it.
    """

    __tablename__ = "bolt_on_versions"
    __table_args__ = (
        UniqueConstraint("bolt_on_id", "version", name="uq_bolt_on_versions_bolt_on_id_version"),
        CheckConstraint("monthly_minor >= 0 AND yearly_minor >= 0", name="prices"),
    )

    bolt_on_id: Mapped[UUID] = mapped_column(ForeignKey("bolt_ons.id"))
    version: Mapped[int]
    monthly_minor: Mapped[int]
    yearly_minor: Mapped[int]
    currency: Mapped[str]
    features: Mapped[list[str]] = mapped_column(ARRAY(Text))
    limit_increments: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]


class Tenant(Directory, Base):
    """One business. `entitlements` is the snapshot of what it may do, judged at `now`."""

    __tablename__ = "tenants"
    __table_args__ = (
        UniqueConstraint("slug", name="uq_tenants_slug"),
        CheckConstraint(
            "status IN ('active', 'past_due', 'paused', 'suspended', 'closed')", name="status"
        ),
        CheckConstraint("seats_told_up_to BETWEEN 0 AND 99", name="seats_told_up_to"),
    )

    slug: Mapped[str]
    name: Mapped[str]
    timezone: Mapped[str]
    currency: Mapped[str]
    locale: Mapped[str] = mapped_column(default="en")
    country: Mapped[str] = mapped_column(default="GB")
    status: Mapped[str] = mapped_column(default="active")
    brand_color: Mapped[str] = mapped_column(default="#4f46e5")
    about: Mapped[str] = mapped_column(default="")
    contact_email: Mapped[str] = mapped_column(default="")
    contact_phone: Mapped[str] = mapped_column(default="")
    booking_terms: Mapped[str] = mapped_column(default="")
    seats_told_up_to: Mapped[int | None] = mapped_column(SmallInteger)
    plan_version_id: Mapped[UUID] = mapped_column(ForeignKey("plan_versions.id"))
    trial_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan_versions.id"))
    trial_ends_at: Mapped[datetime | None]
    entitlements: Mapped[dict[str, Any]]
    payments_ready: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class TenantSlug(Base):
    """Every slug a tenant has ever had: old ones redirect and are never handed to another."""

    __tablename__ = "tenant_slugs"

    slug: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), index=True)
    created_at: Mapped[datetime]


class Member(Directory, Base):
    """A user in a tenant, with a role."""

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id", name="uq_members_tenant_id_user_id"),
        CheckConstraint("role IN ('owner', 'manager', 'instructor')", name="role"),
        Index("ix_members_user_id", "user_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    created_at: Mapped[datetime]


class PlanRequest(Directory, Base):
    """A tenant asks the platform for a plan or a bolt-on; an admin gives it or declines."""

    __tablename__ = "plan_requests"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'done', 'declined')", name="state"),
        CheckConstraint("(plan_id IS NULL) <> (bolt_on_id IS NULL)", name="plan_or_bolt_on"),
        Index(
            "uq_plan_requests_open",
            "tenant_id",
            "plan_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "uq_plan_requests_open_bolt_on",
            "tenant_id",
            "bolt_on_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("plans.id"))
    bolt_on_id: Mapped[UUID | None] = mapped_column(ForeignKey("bolt_ons.id"))
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    wanted_for: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="open")
    created_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None]


class PlatformAudit(Directory, Base):
    """What platform admins did, and to what."""

    __tablename__ = "platform_audit"

    actor_user_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Due(Base):
    """Far-future work of a tenant: cron reads what is due and runs one scoped transaction each."""

    __tablename__ = "due"
    __table_args__ = (Index("ix_due_at", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    kind: Mapped[str]
    at: Mapped[datetime]
    ref: Mapped[UUID]
