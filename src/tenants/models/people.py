"""People and places inside one tenant."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class Customer(TenantScoped, Base):
    """A guest as this tenant knows them; unique by trimmed lower-case e-mail where there is one.

    `merged_into` is set on one that turned out to be another: nothing refers to it any more, its
    address, unless it was mistyped and is gone, leads to the other, and it is never itself merged
    into. `erased_at`: all that told who it was is gone for good, and the row stays for the ledger.
    `locale` is the language that they chose for what is written to them; None: nothing was said.
    """

    __tablename__ = "customers"
    __table_args__ = (
        within_tenant("merged_into", "customers"),
        CheckConstraint("merged_into <> id", name="merged_into_another"),
        Index("ix_customers_name", "tenant_id", text("lower(name)")),
        Index("ix_customers_phone", "tenant_id", "phone", postgresql_where=text("phone <> ''")),
        Index(
            "ix_customers_merged_into",
            "tenant_id",
            "merged_into",
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index(
            "uq_customers_email",
            "tenant_id",
            "email",
            unique=True,
            postgresql_where=text("email IS NOT NULL"),
        ),
        CheckConstraint("email = lower(btrim(email))", name="email_normalised"),
    )

    email: Mapped[str | None]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    is_established: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    merged_into: Mapped[UUID | None]
    merged_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    locale: Mapped[str | None]


class CustomerNote(TenantScoped, Base):
    """What staff want to remember of a customer; no guest ever sees it."""

    __tablename__ = "customer_notes"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        Index("ix_customer_notes_customer", "tenant_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    text: Mapped[str]
    author_id: Mapped[UUID | None]
    author_name: Mapped[str]
    created_at: Mapped[datetime]


class CustomerTag(TenantScoped, Base):
    """A word by which staff find customers again; each customer has it once."""

    __tablename__ = "customer_tags"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        UniqueConstraint("tenant_id", "customer_id", "word", name="uq_customer_tags_word"),
        CheckConstraint("word = lower(btrim(word)) AND word <> ''", name="word_normalised"),
        Index("ix_customer_tags_word", "tenant_id", "word"),
    )

    customer_id: Mapped[UUID]
    word: Mapped[str]


class Participant(TenantScoped, Base):
    """Who sits in the seat: a row under a customer; the name is optional.

    One with `kept_at` is among the people that the customer keeps, with a `note` for the business,
    and is the same row in every booking of theirs. Any other is of one booking alone.
    """

    __tablename__ = "participants"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        Index("ix_participants_customer", "tenant_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="", server_default=text("''"))
    kept_at: Mapped[datetime | None]


class Performer(TenantScoped, Base):
    """A bookable person of the tenant, perhaps also a member (`user_id`)."""

    __tablename__ = "performers"
    __table_args__ = (UniqueConstraint("tenant_id", "name", name="uq_performers_name"),)

    name: Mapped[str]
    user_id: Mapped[UUID | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Invitation(TenantScoped, Base):
    """Somebody is asked to join with a role; whoever follows the mailed link has the address.

    Open until accepted, revoked or over. `performer_id` is who they will be.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        within_tenant("performer_id", "performers"),
        Index(
            "uq_invitations_open",
            "tenant_id",
            "email",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
        CheckConstraint("role IN ('owner', 'manager', 'instructor')", name="role"),
        CheckConstraint("email = lower(btrim(email))", name="email_normalised"),
    )

    email: Mapped[str]
    role: Mapped[str]
    performer_id: Mapped[UUID | None]
    invited_by: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class PerformerBusy(TenantScoped, Base):
    """When a performer is taken, by whatever takes them; the database refuses an overlap."""

    __tablename__ = "performer_busy"
    __table_args__ = (
        within_tenant("performer_id", "performers"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("performer_id", "="),
            ("during", "&&"),
            name="ex_performer_busy_no_overlap",
            using="gist",
        ),
        UniqueConstraint("tenant_id", "source", "source_id", name="uq_performer_busy_source"),
    )

    performer_id: Mapped[UUID]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    source: Mapped[str]
    source_id: Mapped[UUID]


class Location(TenantScoped, Base):
    """A place with an address and a room's capacity, or an online place."""

    __tablename__ = "locations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name", name="uq_locations_name"),
        CheckConstraint("room_capacity IS NULL OR room_capacity > 0", name="room_capacity"),
    )

    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    room_capacity: Mapped[int | None]
    is_online: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class MailChoice(TenantScoped, Base):
    """A guest's word on the mails of one topic; their latest one counts."""

    __tablename__ = "mail_choices"
    __table_args__ = (
        within_tenant("customer_id", "customers"),
        CheckConstraint("topic IN ('marketing', 'reminders', 'groups')", name="topic"),
        Index("ix_mail_choices_customer", "tenant_id", "customer_id", "topic", "chosen_at"),
    )

    customer_id: Mapped[UUID]
    topic: Mapped[str]
    wants: Mapped[bool]
    chosen_at: Mapped[datetime]


class MailWording(TenantScoped, Base):
    """A business's own words for one mail in one language; see `domain/wording.py`."""

    __tablename__ = "mail_wordings"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "locale", name="uq_mail_wordings_kind_locale"),
    )

    kind: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    changed_at: Mapped[datetime]


class EntitlementGrant(TenantScoped, Base):
    """An admin's override: a feature or a limit beyond the plan, with an end and a note."""

    __tablename__ = "entitlement_grants"
    __table_args__ = (
        CheckConstraint('(feature IS NULL) <> ("limit" IS NULL)', name="feature_or_limit"),
    )

    feature: Mapped[str | None]
    limit: Mapped[str | None]
    value: Mapped[int | None]
    ends_at: Mapped[datetime | None]
    note: Mapped[str]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]


class TenantBoltOn(TenantScoped, Base):
    """A bolt-on that the tenant has or had, in the version it took. One of each at a time.

    Directories have no keys into tenant tables and these none into directories (ADR 0003).
    """

    __tablename__ = "tenant_bolt_ons"
    __table_args__ = (
        Index(
            "uq_tenant_bolt_ons_held",
            "tenant_id",
            "bolt_on_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    bolt_on_id: Mapped[UUID]
    version_id: Mapped[UUID]
    since: Mapped[datetime]
    given_by: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]


class BookingCounter(Base):
    """Bookings that count in one calendar month; the most contended row of a tenant."""

    __tablename__ = "booking_counters"
    __table_args__ = (CheckConstraint("taken >= 0", name="taken"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    taken: Mapped[int]
    warned_percent: Mapped[int] = mapped_column(default=0)


class AuditEntry(TenantScoped, Base):
    """Who did what inside the tenant, and when."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_subject", "tenant_id", "subject_id"),
        Index("ix_audit_at", "tenant_id", "at", "id"),
        Index("ix_audit_ids_in", text("ids_in(detail)"), postgresql_using="gin"),
    )

    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(default="")
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class ApiKey(TenantScoped, Base):
    """A key of the JSON API: its secret is stored as a hash and shown once."""

    __tablename__ = "api_keys"

    name: Mapped[str]
    secret_hash: Mapped[str]
    last_four: Mapped[str]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
