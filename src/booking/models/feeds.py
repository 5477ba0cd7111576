"""Secret addresses under which calendar programs follow what changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class CalendarFeed(TenantScoped, Base):
    """A calendar that programs read again and again by its secret, stored as a hash.

    `kind`: `booking` follows one order's dates, `customer` all of one's, `own` what a member leads,
    `business` everything; a member's feeds live as long as their membership, a customer's until
    they are merged or get another address. `digest` is that of the content last read, and
    `changed_at` when it became that.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        within_tenant("order_id", "orders"),
        within_tenant("customer_id", "customers"),
        CheckConstraint("kind IN ('booking', 'customer', 'own', 'business')", name="kind"),
        CheckConstraint("(kind = 'booking') = (order_id IS NOT NULL)", name="order"),
        CheckConstraint("(kind = 'customer') = (customer_id IS NOT NULL)", name="customer"),
        CheckConstraint("(kind IN ('own', 'business')) = (user_id IS NOT NULL)", name="user"),
        Index(
            "uq_calendar_feeds_of_order",
            "tenant_id",
            "order_id",
            unique=True,
            postgresql_where=text("order_id IS NOT NULL AND revoked_at IS NULL"),
        ),
        Index(
            "uq_calendar_feeds_of_customer",
            "tenant_id",
            "customer_id",
            unique=True,
            postgresql_where=text("customer_id IS NOT NULL AND revoked_at IS NULL"),
        ),
        Index(
            "uq_calendar_feeds_of_user",
            "tenant_id",
            "user_id",
            "kind",
            unique=True,
            postgresql_where=text("user_id IS NOT NULL AND revoked_at IS NULL"),
        ),
    )

    kind: Mapped[str]
    secret_hash: Mapped[str]
    order_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    digest: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime]
    created_at: Mapped[datetime]
    last_read_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
