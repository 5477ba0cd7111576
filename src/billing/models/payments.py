"""Money that moved or tried to, and every call to the processor."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, Directory, TenantScoped, within_tenant


class ConnectedAccount(Base):
    """A tenant's account at the processor; a directory, since events name only the account.

    `asked_until`: its events up to then have been asked for, should they not have come.
    """

    __tablename__ = "connected_accounts"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(unique=True)
    charges_enabled: Mapped[bool] = mapped_column(default=False)
    details_submitted: Mapped[bool] = mapped_column(default=False)
    disconnected_at: Mapped[datetime | None]
    asked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class InboxEvent(Directory, Base):
    """A processor's event as it came, stored once; `handled_at` when its effect is in.

    The program has no right to read `payload`, which is any business's, but by
    `webhook_payload(id)` in a transaction of the business that the event is about.
    """

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        UniqueConstraint("event_id", name="uq_webhook_inbox_event_id"),
        Index(
            "ix_webhook_inbox_open",
            "received_at",
            postgresql_where=text("handled_at IS NULL"),
        ),
        Index("ix_webhook_inbox_received_at", "received_at"),
    )

    event_id: Mapped[str]
    endpoint: Mapped[str]
    type: Mapped[str]
    account_id: Mapped[str | None]
    object_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(deferred=True, deferred_raiseload=True)
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class PaymentPage(TenantScoped, Base):
    """The hosted payment page of an order: one row per attempt to make one. A `card` that its guest
    keeps is such an attempt without a page: it lives and ends alike.

    `body` is what is sent, byte for byte, under `idempotency_key`; after a time-out the same row
    is called again, a new row only after a definitive failure. `expires_at` is fixed before the
    call. `state`: pending (not known to exist) -> open -> complete | expired, or failed; failed
    too once another takes its place, which is why it is `put_aside_at`, or its bank has said no.
    `keeps_card` is what the guest agreed to who keeps the card that they pay with there. Of a card
    `url` is where its bank asks its guest, and `error` the bank's no. `parts` are the ids of the
    instalments that it pays, of an order that stands; None where it pays for the order to stand.
    """

    __tablename__ = "payment_pages"
    __table_args__ = (
        within_tenant("order_id", "orders"),
        UniqueConstraint("tenant_id", "order_id", "attempt", name="uq_payment_pages_attempt"),
        UniqueConstraint("tenant_id", "processor_id", name="uq_payment_pages_processor_id"),
        CheckConstraint(
            "state IN ('pending', 'open', 'complete', 'expired', 'failed')", name="state"
        ),
        within_tenant("card_id", "saved_cards"),
        CheckConstraint("kind IN ('page', 'card')", name="kind"),
        CheckConstraint("(kind = 'card') = (card_id IS NOT NULL)", name="card"),
    )

    order_id: Mapped[UUID]
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(default="page")
    card_id: Mapped[UUID | None]
    keeps_card: Mapped[dict[str, Any] | None]
    parts: Mapped[list[Any] | None]
    put_aside_at: Mapped[datetime | None]
    account_id: Mapped[str]
    idempotency_key: Mapped[str]
    body: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="pending")
    processor_id: Mapped[str | None]
    url: Mapped[str | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    error: Mapped[str | None]


class Payment(TenantScoped, Base):
    """Money that came in. `is_extra` marks money that no order waits for; it goes back in full.

    One with a `voucher_id` was paid by that voucher: the processor knows nothing of it.
    `arrived_on` is the day on which it was on the business's own account, of bank transfers.
    """

    __tablename__ = "payments"
    __table_args__ = (
        within_tenant("order_id", "orders"),
        within_tenant("voucher_id", "vouchers"),
        UniqueConstraint("tenant_id", "payment_intent_id", name="uq_payments_payment_intent_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("refunded_minor >= 0 AND refunded_minor <= amount_minor", name="refunds"),
        CheckConstraint("(method = 'voucher') = (voucher_id IS NOT NULL)", name="voucher"),
        Index("ix_payments_order", "tenant_id", "order_id"),
    )

    order_id: Mapped[UUID]
    account_id: Mapped[str]
    payment_intent_id: Mapped[str]
    page_id: Mapped[UUID | None]
    amount_minor: Mapped[int]
    fee_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str]
    is_extra: Mapped[bool] = mapped_column(default=False)
    method: Mapped[str] = mapped_column(default="card")
    voucher_id: Mapped[UUID | None]
    received_at: Mapped[datetime]
    arrived_on: Mapped[date | None]


class Refund(TenantScoped, Base):
    """Money on its way back, and why. One attempt row per call, as with payment pages.

    With a `voucher_id` it goes to that voucher, and nobody is called.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        within_tenant("payment_id", "payments"),
        within_tenant("order_id", "orders"),
        within_tenant("voucher_id", "vouchers"),
        UniqueConstraint("tenant_id", "cause_key", name="uq_refunds_cause_key"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('pending', 'succeeded', 'failed')", name="state"),
        Index("ix_refunds_order", "tenant_id", "order_id"),
    )

    order_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    amount_minor: Mapped[int]
    cause: Mapped[str]
    cause_key: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    attempt: Mapped[int] = mapped_column(default=1)
    body: Mapped[dict[str, Any]]
    processor_id: Mapped[str | None]
    voucher_id: Mapped[UUID | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class OpenItem(TenantScoped, Base):
    """Something about money that a person must look at; I9's last resort.

    `facts` are worded when read, by kind; `sentence` is only of items from before they were kept.
    """

    __tablename__ = "open_items"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "subject_id", name="uq_open_items_subject"),
    )

    kind: Mapped[str]
    subject_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    sentence: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
