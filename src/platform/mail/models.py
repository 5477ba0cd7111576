"""Mails: written in the transaction of the fact they tell, sent by a job."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db.base import Base, TenantScoped


class MailRow(TenantScoped, Base):
    """One message to one person.

    `dedupe_key` makes a second composing of the same mail a no-op. `claimed_at` is set before the
    server is spoken to, `sent_at` after its yes; between the two, a crash may lead to one double,
    and then under the same Message-ID. `refused` is what the server said of an address that nobody
    has, for good; or that no answer came once the whole mail was handed over. Of one that
    `is_secret` the words are let go of with its sending: they let their reader in.
    """

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("tenant_id", "dedupe_key", name="uq_mails_dedupe_key"),
        Index("ix_mails_to", "tenant_id", "to_address"),
        Index("ix_mails_queued_at", "tenant_id", "queued_at"),
    )

    kind: Mapped[str]
    to_address: Mapped[str]
    to_name: Mapped[str] = mapped_column(default="")
    from_name: Mapped[str] = mapped_column(default="")
    reply_to: Mapped[str | None]
    unsubscribe_url: Mapped[str] = mapped_column(default="")
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    is_secret: Mapped[bool] = mapped_column(default=False)
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    message_id: Mapped[str]
    dedupe_key: Mapped[str]
    queued_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    refused: Mapped[str | None]
