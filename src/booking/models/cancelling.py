"""What goes back to whom when staff cancel."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class CancellationReturn(TenantScoped, Base):
    """What one order's guest gets back with a cancellation, as it was chosen when it was asked for.

    When its seats are freed, `asked_minor` of it is asked for as refunds, and `by_hand_minor`,
    which was paid on site, is for the business to hand back; `handed_at` says when it had handed
    back all of that. The two are less than was chosen where seats had ended or money had gone back
    meanwhile. The seats in `credited_ids` bring a credit each, of `package`, or where that is empty
    of their own terms'. With `takes_credits` what goes back is also for unspent credits that the
    purchase has brought.
    """

    __tablename__ = "cancellation_returns"
    __table_args__ = (
        within_tenant("cancellation_id", "cancellations"),
        within_tenant("order_id", "orders"),
        UniqueConstraint(
            "tenant_id", "cancellation_id", "order_id", name="uq_cancellation_returns_order"
        ),
        CheckConstraint(
            "asked_minor >= 0 AND by_hand_minor >= 0"
            " AND asked_minor + by_hand_minor <= chosen_minor",
            name="money",
        ),
    )

    cancellation_id: Mapped[UUID]
    order_id: Mapped[UUID]
    chosen_minor: Mapped[int]
    asked_minor: Mapped[int] = mapped_column(default=0)
    by_hand_minor: Mapped[int] = mapped_column(default=0)
    credited_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid()), default=list, server_default=text("'{}'::uuid[]")
    )
    package: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )
    takes_credits: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    handed_at: Mapped[datetime | None]
