"""The outbox: what must still happen because of what was committed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db.base import Base, TenantScoped


class OutboxRow(TenantScoped, Base):
    """One event for one consumer; the row goes when the consumer's own transaction says so.

    `available_at` says when it is due, or until when some worker is believed to be on it;
    `attempts` counts how often it was handed on, `failures` how often its consumer failed;
    `parked_at` says that an operator must look.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "available_at",
            postgresql_where=text("parked_at IS NULL"),
        ),
    )

    topic: Mapped[str]
    consumer: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    trace: Mapped[str | None]
