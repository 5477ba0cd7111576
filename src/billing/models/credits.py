"""Packages of credits, the lots that customers own, and their ledger."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant

BESIDE_SEATS = "kind IN ('adjust', 'refund')"
"""Without an entry of these kinds all credits of a lot are those that it began with."""


class Package(TenantScoped, Base):
    """Prepaid credits as they are offered. `purpose` `refund` is what a refund policy gives back
    for a seat, and is not for sale.

    `validity_days` counts from the day it is paid, 0 never ends. `pays` are the ways it can be paid
    in, none for one that costs nothing. `refund_rule` says what unused credits are worth. Paid
    online it may also be paid in so many `parts`, one each `parts_every` weeks or months; 0: not.
    """

    __tablename__ = "packages"
    __table_args__ = (
        CheckConstraint("purpose IN ('sale', 'refund')", name="purpose"),
        CheckConstraint("visibility IN ('public', 'unlisted', 'hidden')", name="visibility"),
        CheckConstraint("refund_rule IN ('linear', 'claw_back')", name="refund_rule"),
        CheckConstraint("credits > 0 AND validity_days >= 0 AND price_minor >= 0", name="numbers"),
        CheckConstraint(
            "any_service OR service_ids <> '[]'::jsonb OR tags <> '[]'::jsonb", name="scope"
        ),
        CheckConstraint(
            "(parts = 0 OR parts BETWEEN 2 AND 24)"
            " AND parts_every > 0 AND parts_unit IN ('week', 'month')",
            name="parts",
        ),
    )

    purpose: Mapped[str] = mapped_column(default="sale")
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    credits: Mapped[int]
    price_minor: Mapped[int] = mapped_column(default=0)
    tax_rate_bp: Mapped[int] = mapped_column(default=0)
    validity_days: Mapped[int] = mapped_column(default=0)
    any_service: Mapped[bool] = mapped_column(default=False)
    service_ids: Mapped[list[Any]] = mapped_column(default=list)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    pays: Mapped[list[Any]] = mapped_column(default=list)
    parts: Mapped[int] = mapped_column(default=0)
    parts_every: Mapped[int] = mapped_column(default=1)
    parts_unit: Mapped[str] = mapped_column(default="month")
    refund_rule: Mapped[str] = mapped_column(default="linear")
    visibility: Mapped[str] = mapped_column(default="public")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


_BY_AGE = ("tenant_id", "created_at", "id")


class CreditLot(TenantScoped, Base):
    """Credits that a customer owns, with the terms they came under; later edits change none.

    `balance` is the sum of the lot's entries. `bought` of them were paid for with `paid_minor`;
    `single_minor` is what one session cost then. `value_minor` is the share of the seat that a
    credit came from (`source_seat_id`), which gives one credit at most. `refunded_minor` went back
    as money, and `forfeited` credits were lost at the end. One that came because the lot
    `stands_for_id` had ended has no money in it: what was paid for that one pays for it too. A
    lot is `pending` until it is paid, `void` if it never was; `expired`, `used_up` and `refunded`
    follow from date and ledger, see `domain/credits.py`. `validity_days` is what the end is worked
    out from when it is paid; `end_set_at` is when its owner was last told of that end. `users` are
    those who may use it, see `domain/lot_users.py`; nobody named is everyone.
    """

    __tablename__ = "credit_lots"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        within_tenant("package_id", "packages"),
        within_tenant("order_id", "orders"),
        within_tenant("rolled_from_id", "credit_lots"),
        within_tenant("stands_for_id", "credit_lots"),
        CheckConstraint("state IN ('pending', 'active', 'void')", name="state"),
        CheckConstraint("source IN ('package', 'seat', 'goodwill', 'rollover')", name="source"),
        CheckConstraint("balance >= 0 AND forfeited >= 0", name="balance"),
        CheckConstraint("state = 'active' OR balance = 0", name="only_active_has_balance"),
        CheckConstraint(
            "bought >= 0 AND paid_minor >= 0 AND value_minor >= 0 AND single_minor >= 0"
            " AND refunded_minor >= 0 AND refunded_minor <= paid_minor + value_minor",
            name="money",
        ),
        CheckConstraint("(source = 'seat') = (source_seat_id IS NOT NULL)", name="seat"),
        UniqueConstraint("tenant_id", "source_seat_id", name="uq_credit_lots_seat"),
        UniqueConstraint("tenant_id", "rolled_from_id", name="uq_credit_lots_rolled_from"),
        Index("ix_credit_lots_customer", "tenant_id", "customer_id"),
        Index("ix_credit_lots_order", "tenant_id", "order_id"),
        Index("ix_credit_lots_name", "tenant_id", "name"),
        Index("ix_credit_lots_created", "tenant_id", "created_at", "id"),
        Index(
            "ix_credit_lots_expires",
            "tenant_id",
            "expires_at",
            postgresql_include=["balance", "bought", "paid_minor", "value_minor"],
            postgresql_where=text("state = 'active' AND balance > 0"),
        ),
        Index(
            "ix_credit_lots_left",
            *_BY_AGE,
            postgresql_where=text("state = 'active' AND balance > 0"),
        ),
        Index(
            "ix_credit_lots_ends",
            "tenant_id",
            text("coalesce(expires_at, 'infinity'::timestamptz)"),
            "id",
            postgresql_where=text("state = 'active' AND balance > 0"),
        ),
        Index(
            "ix_credit_lots_empty",
            *_BY_AGE,
            postgresql_where=text("state = 'active' AND balance = 0"),
        ),
        Index("ix_credit_lots_pending", *_BY_AGE, postgresql_where=text("state = 'pending'")),
        Index(
            "ix_credit_lots_activated",
            "tenant_id",
            "activated_at",
            postgresql_include=["paid_minor"],
            postgresql_where=text("activated_at IS NOT NULL AND source = 'package'"),
        ),
        Index(
            "ix_credit_lots_package",
            "tenant_id",
            "package_id",
            "created_at",
            "id",
            postgresql_where=text("package_id IS NOT NULL"),
        ),
    )

    customer_id: Mapped[UUID]
    package_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    source: Mapped[str]
    source_seat_id: Mapped[UUID | None]
    rolled_from_id: Mapped[UUID | None]
    stands_for_id: Mapped[UUID | None]
    state: Mapped[str]
    name: Mapped[str]
    any_service: Mapped[bool] = mapped_column(default=False)
    service_ids: Mapped[list[Any]] = mapped_column(default=list)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    users: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'::jsonb"))
    balance: Mapped[int] = mapped_column(default=0)
    forfeited: Mapped[int] = mapped_column(default=0)
    bought: Mapped[int] = mapped_column(default=0)
    paid_minor: Mapped[int] = mapped_column(default=0)
    single_minor: Mapped[int] = mapped_column(default=0)
    value_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    refund_rule: Mapped[str] = mapped_column(default="linear")
    currency: Mapped[str]
    validity_days: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]
    end_set_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]


class CreditEntry(TenantScoped, Base):
    """One line of a lot's ledger: only ever added. `credits` is signed; the sum is the balance.

    A seat takes a lot's credit once and gives it back once. `order_id` is the seat's order, or the
    lot's own purchase where that filled it again. `by` is guest, staff or system, `actor` who it
    was then, `reason` what staff wrote.
    """

    __tablename__ = "credit_entries"
    __table_args__ = (
        within_tenant("lot_id", "credit_lots"),
        within_tenant("order_id", "orders"),
        within_tenant("refund_id", "refunds"),
        CheckConstraint(
            "kind IN ('grant', 'redeem', 'restore', 'adjust', 'expire', 'refund')", name="kind"
        ),
        CheckConstraint("credits <> 0", name="credits"),
        CheckConstraint("by IN ('guest', 'staff', 'system')", name="by"),
        UniqueConstraint("tenant_id", "lot_id", "seat_id", "kind", name="uq_credit_entries_seat"),
        Index("ix_credit_entries_lot", "tenant_id", "lot_id", "at", "id"),
        Index(
            "ix_credit_entries_seat",
            "tenant_id",
            "seat_id",
            postgresql_where=text("seat_id IS NOT NULL"),
        ),
        Index(
            "ix_credit_entries_used",
            "tenant_id",
            "at",
            "id",
            postgresql_include=["credits"],
            postgresql_where=text("seat_id IS NOT NULL"),
        ),
        Index(
            "ix_credit_entries_beside_seats",
            "tenant_id",
            "lot_id",
            postgresql_where=text(BESIDE_SEATS),
        ),
        Index(
            "ix_credit_entries_refund",
            "tenant_id",
            "refund_id",
            postgresql_where=text("refund_id IS NOT NULL"),
        ),
    )

    lot_id: Mapped[UUID]
    kind: Mapped[str]
    credits: Mapped[int]
    seat_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]
    by: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class CreditNotice(TenantScoped, Base):
    """The claim to one mail about a lot's end: another end makes another notice."""

    __tablename__ = "credit_notices"
    __table_args__ = (
        within_tenant("lot_id", "credit_lots"),
        CheckConstraint("kind IN ('warning', 'expired')", name="kind"),
        UniqueConstraint("tenant_id", "lot_id", "kind", "expires_at", name="uq_credit_notices"),
    )

    lot_id: Mapped[UUID]
    kind: Mapped[str]
    expires_at: Mapped[datetime]
    claimed_at: Mapped[datetime]
