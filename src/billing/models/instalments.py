"""The parts that a price is paid in."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Instalment(TenantScoped, Base):
    """One part of an order's price, with the day it falls due; whoever changes one has locked its
    order, but for its `card_id`, which is changed of many: all write them by id.

    `state`: due -> paid, once at most and by one payment | overdue (the card did not pay, and its
    guest is to), which may still be paid | waived by the business, `why` | void, as nothing is
    bought any more. `card_id` is the card that its guest agreed to have charged, `page_id` the
    attempt with it that is under way. `next_try_at` is when it is charged next.
    """

    __tablename__ = "instalments"
    __table_args__ = (
        within_tenant("order_id", "orders"),
        within_tenant("page_id", "payment_pages"),
        within_tenant("card_id", "saved_cards"),
        within_tenant("payment_id", "payments"),
        UniqueConstraint("tenant_id", "order_id", "number", name="uq_instalments_number"),
        CheckConstraint("state IN ('due', 'paid', 'overdue', 'waived', 'void')", name="state"),
        CheckConstraint("(state = 'paid') = (payment_id IS NOT NULL)", name="paid"),
        CheckConstraint("minor > 0 AND number > 0 AND attempts >= 0", name="numbers"),
        Index(
            "ix_instalments_card",
            "tenant_id",
            "card_id",
            postgresql_where=text("card_id IS NOT NULL"),
        ),
    )

    order_id: Mapped[UUID]
    number: Mapped[int]
    due_on: Mapped[date]
    minor: Mapped[int]
    state: Mapped[str] = mapped_column(default="due")
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    page_id: Mapped[UUID | None]
    card_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    why: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
