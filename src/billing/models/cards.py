"""Cards that customers keep with a business, and whose they are at the processor."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class ProcessorCustomer(TenantScoped, Base):
    """A customer as the processor knows them, on the business's own account; made for keeping cards
    and for nothing else.

    `body` is what is sent under the row's id, so that the same wish makes one. A customer has one
    that new cards go to, `is_main`; one who was merged brings theirs along. `processor_id` is None
    until it is known; `ended_at` is when it was given up, with all its cards.
    """

    __tablename__ = "processor_customers"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        UniqueConstraint(
            "tenant_id", "account_id", "processor_id", name="uq_processor_customers_processor_id"
        ),
        CheckConstraint("NOT is_main OR ended_at IS NULL", name="main_is_alive"),
        Index(
            "uq_processor_customers_main",
            "tenant_id",
            "customer_id",
            "account_id",
            unique=True,
            postgresql_where=text("is_main"),
        ),
    )

    customer_id: Mapped[UUID]
    account_id: Mapped[str]
    processor_id: Mapped[str | None]
    body: Mapped[dict[str, Any]]
    is_main: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SavedCard(TenantScoped, Base):
    """A card that a customer keeps. All that is known of it is what may be shown.

    `state`: usable -> removed (by its guest, or by a newer row of the same card) | gone (the
    processor or the bank has ended it). `consent` is what was agreed to, when, in which words.
    `fingerprint` is the same for the same card, "" where the processor gave none. A removed one is
    taken off at the processor by a job: `detached_at`.
    """

    __tablename__ = "saved_cards"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        within_tenant("processor_customer_id", "processor_customers"),
        UniqueConstraint("tenant_id", "payment_method_id", name="uq_saved_cards_payment_method_id"),
        CheckConstraint("state IN ('usable', 'removed', 'gone')", name="state"),
        CheckConstraint("(state = 'usable') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("NOT is_default OR state = 'usable'", name="default_is_usable"),
        Index("ix_saved_cards_customer", "tenant_id", "customer_id"),
        Index(
            "uq_saved_cards_default",
            "tenant_id",
            "customer_id",
            unique=True,
            postgresql_where=text("is_default"),
        ),
        Index(
            "uq_saved_cards_fingerprint",
            "tenant_id",
            "customer_id",
            "account_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("state = 'usable' AND fingerprint <> ''"),
        ),
    )

    customer_id: Mapped[UUID]
    processor_customer_id: Mapped[UUID]
    account_id: Mapped[str]
    payment_method_id: Mapped[str]
    brand: Mapped[str]
    last4: Mapped[str]
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    fingerprint: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="usable")
    consent: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    detached_at: Mapped[datetime | None]
