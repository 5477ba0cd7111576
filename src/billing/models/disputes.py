"""Payments that a guest's bank disputes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from src.platform.db import Base, TenantScoped, within_tenant


class DisputeRow(TenantScoped, Base):
    """A dispute as the processor last showed it; it stays when it is decided, so that it counts.

    While it is `open` and when it is `lost` the bank has the money; when `won` it came back.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        within_tenant("payment_id", "payments"),
        within_tenant("order_id", "orders"),
        UniqueConstraint("tenant_id", "processor_id", name="uq_disputes_processor_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "state IN ('open', 'won', 'lost') AND (state = 'open') = (decided_at IS NULL)",
            name="state",
        ),
        Index("ix_disputes_order", "tenant_id", "order_id"),
    )

    payment_id: Mapped[UUID]
    order_id: Mapped[UUID]
    processor_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
