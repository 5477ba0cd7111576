"""Coupons, and who has used them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Coupon(TenantScoped, Base):
    """A code that makes an order cheaper, by `percent` or by `amount_minor`.

    `code` is in capitals, so that it is unique however it is typed. `scope_ids` are the services,
    series or packages it is for, none with a scope that names a whole kind. `starts_on` and
    `ends_on` are the first and the last day by the business's clock. `used` counts the uses that
    stand; a guest who paid late is let in past `max_uses`, and the owner may lower that below it.
    """

    __tablename__ = "coupons"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code", name="uq_coupons_code"),
        CheckConstraint("code = upper(code) AND code <> ''", name="code"),
        CheckConstraint("(percent IS NULL) <> (amount_minor IS NULL)", name="percent_or_amount"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "scope IN ('all', 'services', 'series', 'all_bookings', 'all_packages', 'packages')",
            name="scope",
        ),
        CheckConstraint("ends_on >= starts_on", name="window"),
        CheckConstraint("min_spend_minor >= 0", name="min_spend"),
        CheckConstraint("max_uses > 0 AND max_per_customer > 0", name="limits"),
        CheckConstraint("used >= 0", name="used"),
    )

    code: Mapped[str]
    percent: Mapped[int | None]
    amount_minor: Mapped[int | None]
    scope: Mapped[str] = mapped_column(default="all")
    scope_ids: Mapped[list[Any]] = mapped_column(default=list)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    min_spend_minor: Mapped[int] = mapped_column(default=0)
    max_uses: Mapped[int | None]
    max_per_customer: Mapped[int | None]
    first_order_only: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    used: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CouponUse(TenantScoped, Base):
    """A coupon in one order, from its hold on; `returned_at` says when a dead hold gave it back.

    `is_first` claims to be its customer's first order: of those that stand a customer has one.
    """

    __tablename__ = "coupon_uses"
    __table_args__ = (
        within_tenant("coupon_id", "coupons", name="fk_coupon_uses_coupon"),
        within_tenant("order_id", "orders"),
        within_tenant("customer_id", "customers"),
        UniqueConstraint("tenant_id", "order_id", name="uq_coupon_uses_order"),
        CheckConstraint("discount_minor > 0", name="discount"),
        Index(
            "uq_coupon_uses_first",
            "tenant_id",
            "customer_id",
            unique=True,
            postgresql_where=text("is_first AND returned_at IS NULL"),
        ),
        Index("ix_coupon_uses_coupon", "tenant_id", "coupon_id"),
    )

    coupon_id: Mapped[UUID]
    order_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    discount_minor: Mapped[int]
    is_first: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]


class CouponCustomer(TenantScoped, Base):
    """How often one customer has used one coupon, of the uses that stand."""

    __tablename__ = "coupon_customers"
    __table_args__ = (
        within_tenant("coupon_id", "coupons", name="fk_coupon_customers_coupon"),
        within_tenant("customer_id", "customers"),
        UniqueConstraint("tenant_id", "coupon_id", "customer_id", name="uq_coupon_customers_pair"),
        CheckConstraint("used >= 0", name="used"),
    )

    coupon_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    used: Mapped[int] = mapped_column(default=0)
