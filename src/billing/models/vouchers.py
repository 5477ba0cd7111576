"""Gift vouchers: money that was paid before anybody knew for what, and its ledger."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class VoucherSettings(TenantScoped, Base):
    """How a business sells vouchers: one row at the most, and none before it first does.

    `amounts_minor` are offered to choose from; between `least_minor` and `most_minor` a guest may
    name one of their own, where those are set. `valid_months` of 0 never expire; with `to_year_end`
    a voucher lasts on to the end of the year in which they are over.
    """

    __tablename__ = "voucher_settings"
    __table_args__ = (
        UniqueConstraint("tenant_id", name="uq_voucher_settings_tenant"),
        CheckConstraint(
            "(least_minor IS NULL) = (most_minor IS NULL)"
            " AND least_minor > 0 AND most_minor >= least_minor",
            name="free_amount",
        ),
        CheckConstraint("valid_months >= 0", name="validity"),
    )

    is_on: Mapped[bool]
    amounts_minor: Mapped[list[Any]] = mapped_column(default=list)
    least_minor: Mapped[int | None]
    most_minor: Mapped[int | None]
    valid_months: Mapped[int]
    to_year_end: Mapped[bool]
    words: Mapped[str] = mapped_column(default="")
    updated_at: Mapped[datetime]


class Voucher(TenantScoped, Base):
    """A voucher; whoever has the `code` has the money.

    `balance_minor` is the sum of its entries. It is `pending` with nothing on it until its order is
    paid. `expires_at` is the end of a local day, None: never. `customer_id` is who bought it, or
    got it in place of a refund. `times_asked` counts how often it was wanted to be sent: each is
    one mail at the most.
    """

    __tablename__ = "vouchers"
    __table_args__ = (
        within_tenant("order_id", "orders"),
        within_tenant("customer_id", "customers"),
        UniqueConstraint("tenant_id", "code", name="uq_vouchers_code"),
        CheckConstraint("code = upper(code) AND code <> ''", name="code"),
        CheckConstraint("state IN ('pending', 'active', 'blocked')", name="state"),
        CheckConstraint("source IN ('sold', 'refund', 'staff')", name="source"),
        CheckConstraint("initial_minor > 0 AND balance_minor >= 0", name="money"),
        Index("ix_vouchers_order", "tenant_id", "order_id"),
        Index("ix_vouchers_customer", "tenant_id", "customer_id"),
        Index("ix_vouchers_created_at", "tenant_id", "created_at"),
    )

    code: Mapped[str]
    state: Mapped[str]
    source: Mapped[str]
    currency: Mapped[str]
    initial_minor: Mapped[int]
    balance_minor: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]
    order_id: Mapped[UUID | None]
    customer_id: Mapped[UUID]
    recipient_name: Mapped[str] = mapped_column(default="")
    recipient_email: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="en")
    send_on: Mapped[date | None]
    times_asked: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]


class VoucherEntry(TenantScoped, Base):
    """One change of a voucher's balance, never altered; `amount_minor` is what it adds.

    `order_id` is what it was spent on, or came back from. `refund_id`: the refund that put it back,
    or for which a bought voucher was emptied.
    """

    __tablename__ = "voucher_entries"
    __table_args__ = (
        within_tenant("voucher_id", "vouchers"),
        within_tenant("order_id", "orders"),
        within_tenant("refund_id", "refunds"),
        CheckConstraint(
            "kind IN ('grant', 'spend', 'give_back', 'adjust', 'expire', 'refund')", name="kind"
        ),
        CheckConstraint("amount_minor <> 0", name="amount"),
        Index("ix_voucher_entries_voucher", "tenant_id", "voucher_id"),
        Index("ix_voucher_entries_order", "tenant_id", "order_id"),
        Index(
            "uq_voucher_entries_grant",
            "tenant_id",
            "voucher_id",
            unique=True,
            postgresql_where=text("kind = 'grant'"),
        ),
        Index(
            "uq_voucher_entries_refund",
            "tenant_id",
            "refund_id",
            unique=True,
            postgresql_where=text("kind = 'give_back'"),
        ),
    )

    voucher_id: Mapped[UUID]
    kind: Mapped[str]
    amount_minor: Mapped[int]
    order_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
