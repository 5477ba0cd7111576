"""What was written to many guests at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Broadcast(TenantScoped, Base):
    """One mail to many, sent by a job in chunks. `total` is how many it was for when it was sent.

    `audiences` are for whom it is, each `Audience.text`. `done` grows past `total` where later
    ones are written `to_later`.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (
        CheckConstraint("jsonb_array_length(audiences) > 0", name="audiences"),
        CheckConstraint("state IN ('sending', 'sent')", name="state"),
        Index("ix_broadcasts_sent_at", "tenant_id", "sent_at"),
    )

    audiences: Mapped[list[str]] = mapped_column(JSONB)
    is_marketing: Mapped[bool]
    to_later: Mapped[bool]
    subject: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="sending")
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    sent_by: Mapped[str]
    sent_at: Mapped[datetime]


class BroadcastMail(TenantScoped, Base):
    """Who was written to: each address once, whatever number of seats and records it has."""

    __tablename__ = "broadcast_mails"
    __table_args__ = (
        within_tenant("broadcast_id", "broadcasts"),
        within_tenant("customer_id", "customers"),
        UniqueConstraint("tenant_id", "broadcast_id", "address", name="uq_broadcast_mails_address"),
        Index("ix_broadcast_mails_customer", "tenant_id", "customer_id"),
    )

    broadcast_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    address: Mapped[str]
    name: Mapped[str]
    written_at: Mapped[datetime]


class Digest(TenantScoped, Base):
    """A member wants this digest. What happened until `told_until` has been told."""

    __tablename__ = "digests"
    __table_args__ = (
        CheckConstraint("kind IN ('daily', 'weekly', 'morning')", name="kind"),
        UniqueConstraint("tenant_id", "user_id", "kind", name="uq_digests_user_id_kind"),
    )

    user_id: Mapped[UUID]
    kind: Mapped[str]
    told_until: Mapped[datetime]
