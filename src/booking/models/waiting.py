"""Who waits for a place, and the places that were offered to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant

STANDS = "state IN ('waiting', 'offered')"


class WaitlistEntry(TenantScoped, Base):
    """One address waits for places in one session, or in all of a series: once each.

    With `for_booking_id` it is the session that this purchase of a series was sold without, once
    for each such purchase; any other is no customer yet. `queued_at` is its place in the order.
    `short_since`: since then there have been places, but fewer than its party needs. `closed` is
    one whose date was called off; `ended_by` is guest, staff or system. `said` are the times that
    mails have told, by session.
    """

    __tablename__ = "waitlist_entries"
    __table_args__ = (
        within_tenant("session_id", "sessions"),
        within_tenant("series_id", "series"),
        within_tenant("for_booking_id", "bookings"),
        CheckConstraint("for_booking_id IS NULL OR session_id IS NOT NULL", name="for_booking"),
        CheckConstraint("(series_id IS NULL) <> (session_id IS NULL)", name="series_or_session"),
        CheckConstraint("party_size > 0", name="party_size"),
        CheckConstraint(
            "state IN ('waiting', 'offered', 'accepted', 'left', 'expired', 'removed', 'closed')",
            name="state",
        ),
        CheckConstraint(f"({STANDS}) = (ended_at IS NULL)", name="ended"),
        Index(
            "uq_waitlist_entries_session",
            "tenant_id",
            "session_id",
            "address",
            unique=True,
            postgresql_where=text(f"{STANDS} AND for_booking_id IS NULL"),
        ),
        Index(
            "uq_waitlist_entries_for_booking",
            "tenant_id",
            "for_booking_id",
            "session_id",
            unique=True,
            postgresql_where=text(STANDS),
        ),
        Index(
            "ix_waitlist_entries_for_booking_id",
            "tenant_id",
            "for_booking_id",
            postgresql_where=text("for_booking_id IS NOT NULL"),
        ),
        Index(
            "uq_waitlist_entries_series",
            "tenant_id",
            "series_id",
            "address",
            unique=True,
            postgresql_where=text(STANDS),
        ),
        Index("ix_waitlist_entries_session", "tenant_id", "session_id"),
        Index("ix_waitlist_entries_series", "tenant_id", "series_id"),
    )

    session_id: Mapped[UUID | None]
    series_id: Mapped[UUID | None]
    for_booking_id: Mapped[UUID | None]
    address: Mapped[str]
    name: Mapped[str]
    locale: Mapped[str]
    party_size: Mapped[int]
    state: Mapped[str] = mapped_column(default="waiting")
    joined_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    short_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(default="")
    said: Mapped[dict[str, str]] = mapped_column(
        JSONB, default=dict, server_default=text("'{}'::jsonb")
    )

    @property
    def list_id(self) -> UUID:
        """What it waits for."""
        found = self.session_id or self.series_id
        if found is None:
            raise ValueError("an entry waits for a session or a series")
        return found


class WaitlistOffer(TenantScoped, Base):
    """`places` in each of `session_ids`, until `expires_at`; one live one an entry.

    While it is live and `holds`, they are part of the sessions' `seats_taken`. One that was taken
    has become the hold of `order_id`. Without `holds` it is an invitation to be faster than others.
    """

    __tablename__ = "waitlist_offers"
    __table_args__ = (
        within_tenant("entry_id", "waitlist_entries"),
        within_tenant("order_id", "orders"),
        CheckConstraint("places > 0", name="places"),
        CheckConstraint("made_by IN ('list', 'staff')", name="made_by"),
        CheckConstraint(
            "state IN ('live', 'taken', 'declined', 'expired', 'withdrawn')", name="state"
        ),
        CheckConstraint(
            "(state = 'live') = (ended_at IS NULL) AND (state = 'taken') = (order_id IS NOT NULL)",
            name="ended",
        ),
        Index(
            "uq_waitlist_offers_live",
            "tenant_id",
            "entry_id",
            unique=True,
            postgresql_where=text("state = 'live'"),
        ),
        Index("ix_waitlist_offers_entry", "tenant_id", "entry_id"),
        Index("ix_waitlist_offers_order", "tenant_id", "order_id"),
    )

    entry_id: Mapped[UUID]
    session_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    places: Mapped[int]
    holds: Mapped[bool]
    state: Mapped[str] = mapped_column(default="live")
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    order_id: Mapped[UUID | None]

    def held(self) -> dict[UUID, int]:
        """What it holds, by session."""
        if not self.holds or self.state != "live":
            return {}
        return dict.fromkeys(self.session_ids, self.places)
