"""What is asked of guests who left late, or did not come."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Fee(TenantScoped, Base):
    """An open claim on a customer, about one part (`subject_id`) of an order of theirs.

    Nobody is told before `chargeable_at`, so that staff can forgive it first; `told_at` is when
    the guest was. `what` and `starts_at` say what it is for. `pays_id` is the order that it was
    paid with, or is being paid with. `why` is what staff said who forgave it. One that is `dropped`
    was a mistake: it may be asked again.
    """

    __tablename__ = "fees"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        within_tenant("order_id", "orders"),
        within_tenant("pays_id", "orders"),
        UniqueConstraint("tenant_id", "subject_id", name="uq_fees_subject"),
        CheckConstraint("kind IN ('no_show', 'late_cancel')", name="kind"),
        CheckConstraint("state IN ('asked', 'paid', 'forgiven', 'dropped')", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_fees_customer", "tenant_id", "customer_id"),
        Index("ix_fees_order", "tenant_id", "order_id"),
        Index("ix_fees_pays", "tenant_id", "pays_id", postgresql_where=text("pays_id IS NOT NULL")),
        Index("ix_fees_at", "tenant_id", "at"),
    )

    customer_id: Mapped[UUID]
    order_id: Mapped[UUID]
    subject_id: Mapped[UUID]
    kind: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default="asked")
    what: Mapped[str]
    starts_at: Mapped[datetime]
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    by: Mapped[str]
    chargeable_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    pays_id: Mapped[UUID | None]
