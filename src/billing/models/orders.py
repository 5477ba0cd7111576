"""Orders and what they consist of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Order(TenantScoped, Base):
    """One checkout and its money.

    Name, e-mail and phone are the guest's own words at that moment, kept apart from the customer.
    `link_version` rises when staff correct the address: links in mails to an earlier one are over.
    `form_token` finds a hold again; `fingerprint` tells a repeated submit from a changed one.
    `wanted_end` is how somebody wants an open one to end as soon as its payment page has.
    `month` is the calendar month whose counter this order took a unit of, None when it took none.
    Of `total_minor` a voucher pays `voucher_minor`, which is a payment once the order stands, and
    `later_minor` is paid after the order has been confirmed, in parts that are rows of their own.
    """

    __tablename__ = "orders"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        UniqueConstraint("tenant_id", "reference", name="uq_orders_reference"),
        UniqueConstraint("tenant_id", "form_token", name="uq_orders_form_token"),
        CheckConstraint("state IN ('open', 'confirmed', 'expired', 'cancelled')", name="state"),
        CheckConstraint(
            "payment_mode IN ('online', 'on_site', 'transfer', 'credit', 'free')",
            name="payment_mode",
        ),
        CheckConstraint("total_minor >= 0 AND discount_minor >= 0", name="money"),
        CheckConstraint("refunded_minor >= 0 AND refunded_minor <= paid_minor", name="refunds"),
        CheckConstraint("voucher_minor BETWEEN 0 AND total_minor", name="voucher"),
        CheckConstraint(
            "later_minor >= 0 AND later_minor <= total_minor - voucher_minor", name="later"
        ),
        CheckConstraint("state <> 'open' OR hold_expires_at IS NOT NULL", name="open_has_hold"),
        Index("ix_orders_created_at", "tenant_id", "created_at"),
        Index("ix_orders_customer", "tenant_id", "customer_id"),
        Index(
            "ix_orders_hold",
            "tenant_id",
            "hold_expires_at",
            postgresql_where=text("state = 'open'"),
        ),
    )

    reference: Mapped[str]
    customer_id: Mapped[UUID]
    state: Mapped[str]
    payment_mode: Mapped[str]
    currency: Mapped[str]
    total_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    voucher_minor: Mapped[int] = mapped_column(default=0)
    later_minor: Mapped[int] = mapped_column(default=0)
    paid_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    month: Mapped[str | None]
    form_token: Mapped[str]
    fingerprint: Mapped[str]
    guest_name: Mapped[str]
    guest_email: Mapped[str]
    guest_phone: Mapped[str] = mapped_column(default="")
    link_version: Mapped[int] = mapped_column(default=0)
    locale: Mapped[str] = mapped_column(default="en")
    source: Mapped[str]
    consents: Mapped[dict[str, Any]]
    hold_expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[str | None]
    wanted_end: Mapped[dict[str, Any] | None]

    @property
    def to_pay_minor(self) -> int:
        """What must be paid for the order to stand, also of one that was never written: of what is
        paid in parts, the first.
        """
        return self.total_minor - (self.voucher_minor or 0) - (self.later_minor or 0)


class OrderLine(TenantScoped, Base):
    """One thing in the order. `kind` tells who registered what confirm, release, reacquire mean.

    Prices are gross; `tax_minor` is the part of `total_minor` that is tax, `tax_rate_bp` in
    hundredths of a percent.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        within_tenant("order_id", "orders"),
        CheckConstraint("quantity > 0 AND total_minor >= 0 AND tax_minor >= 0", name="money"),
        Index("ix_order_lines_order", "tenant_id", "order_id"),
    )

    order_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    description: Mapped[str]
    tier: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int]
    unit_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    total_minor: Mapped[int]
    tax_rate_bp: Mapped[int] = mapped_column(default=0)
    tax_minor: Mapped[int] = mapped_column(default=0)
