"""What is sold: bookings, seats, and the cancelling of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant

LIVE = "('held', 'confirmed', 'attended', 'no_show')"


class Booking(TenantScoped, Base):
    """What a guest books in one go; its state derives from its seats.

    `leaving` are the terms it was bought under; see `domain/leaving.py`. `answers` are those given
    for the booking, `person_answers` those of each participant by their id; see
    `domain/questions.py`.
    `gaps` are the dates that a course was sold without, each at what it would have cost; see
    `domain/gaps.py`. A booking with `completes_id` is one of them that the guest of that booking
    has got since.
    """

    __tablename__ = "bookings"
    __table_args__ = (
        within_tenant("order_id", "orders"),
        within_tenant("customer_id", "customers"),
        within_tenant("service_id", "services"),
        within_tenant("series_id", "series"),
        within_tenant("session_id", "sessions"),
        within_tenant("completes_id", "bookings"),
        CheckConstraint("(series_id IS NULL) <> (session_id IS NULL)", name="series_or_session"),
        CheckConstraint("party_size > 0", name="party_size"),
        CheckConstraint(
            "completes_id IS NULL OR (series_id IS NOT NULL AND completes_id <> id)",
            name="completes",
        ),
        Index("ix_bookings_order", "tenant_id", "order_id"),
        Index("ix_bookings_series", "tenant_id", "series_id"),
        Index("ix_bookings_session", "tenant_id", "session_id"),
        Index("ix_bookings_customer", "tenant_id", "customer_id"),
        Index(
            "ix_bookings_completes_id",
            "tenant_id",
            "completes_id",
            postgresql_where=text("completes_id IS NOT NULL"),
        ),
    )

    order_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    service_id: Mapped[UUID]
    series_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    party_size: Mapped[int] = mapped_column(default=1)
    answers: Mapped[list[Any]] = mapped_column(default=list)
    person_answers: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )
    leaving: Mapped[dict[str, Any]] = mapped_column(default=dict)
    gaps: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))
    completes_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class Seat(TenantScoped, Base):
    """One participant in one session: the only thing that uses capacity and has a price share.

    `credit_lot_id` is where the credit came from that paid it, if one did; its share is 0 then.

    A share comes back once: `returned_as` money, a credit or another seat, and for money
    `returned_minor` says how much of it.
    `tier` is what the price was called that it was sold at, empty for the full price.
    `sold_sequence` is the session's sequence that the seat was sold at, `told_sequence` the one of
    what its guest was last told; see `SessionChange`.
    A seat that was exchanged is `swapped` with its share on the one that `replaces_id` names it
    from. That one keeps its entry in the guest's calendar, `calendar_id` (None: its own id), and
    never gives back more than `most_percent`, which is what came back when it was exchanged, unless
    it `may_leave_free`: the business moved the guest. Until they were told, it is not `is_known`.
    While a confirmed seat names a cancellation, of seats or of its purchase, that one waits or
    runs, and nothing else is done with the seat; a seat that has ended keeps the name.
    One that `is_handed_on` has somebody else in it who is told by a mail of their own, see
    `HandingOn`: it is in no calendar of the guest who booked.
    """

    __tablename__ = "seats"
    __table_args__ = (
        within_tenant("booking_id", "bookings"),
        within_tenant("order_id", "orders"),
        within_tenant("session_id", "sessions"),
        within_tenant("participant_id", "participants"),
        within_tenant("replaces_id", "seats"),
        within_tenant("cancellation_id", "cancellations"),
        within_tenant("credit_lot_id", "credit_lots"),
        UniqueConstraint("tenant_id", "replaces_id", name="uq_seats_replaces"),
        CheckConstraint("most_percent BETWEEN 0 AND 100", name="most_percent"),
        CheckConstraint(
            "state IN ('held', 'confirmed', 'attended', 'no_show', 'cancelled',"
            " 'late_cancelled', 'swapped', 'expired')",
            name="state",
        ),
        CheckConstraint("share_minor >= 0", name="share"),
        CheckConstraint(
            "returned_minor >= 0 AND returned_minor <= share_minor"
            " AND (returned_as IS NULL OR returned_as IN ('money', 'credit', 'seat'))",
            name="returned",
        ),
        Index(
            "uq_seats_live_participant",
            "tenant_id",
            "session_id",
            "participant_id",
            unique=True,
            postgresql_where=text(f"state IN {LIVE}"),
        ),
        Index("ix_seats_order", "tenant_id", "order_id"),
        Index("ix_seats_booking", "tenant_id", "booking_id"),
        Index("ix_seats_session", "tenant_id", "session_id"),
        Index(
            "ix_seats_cancellation",
            "tenant_id",
            "cancellation_id",
            postgresql_where=text("cancellation_id IS NOT NULL"),
        ),
        Index(
            "ix_seats_credit_lot",
            "tenant_id",
            "credit_lot_id",
            postgresql_where=text("credit_lot_id IS NOT NULL"),
        ),
    )

    booking_id: Mapped[UUID]
    order_id: Mapped[UUID]
    session_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    state: Mapped[str]
    share_minor: Mapped[int]
    tier: Mapped[str] = mapped_column(default="", server_default=text("''"))
    returned_as: Mapped[str | None]
    returned_minor: Mapped[int] = mapped_column(default=0)
    sequence: Mapped[int] = mapped_column(default=0)
    sold_sequence: Mapped[int] = mapped_column(default=0)
    told_sequence: Mapped[int] = mapped_column(default=0)
    replaces_id: Mapped[UUID | None]
    calendar_id: Mapped[UUID | None]
    cancellation_id: Mapped[UUID | None]
    credit_lot_id: Mapped[UUID | None]
    most_percent: Mapped[int] = mapped_column(default=100, server_default=text("100"))
    may_leave_free: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_known: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    is_handed_on: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_why: Mapped[str] = mapped_column(default="")


class HandingOn(TenantScoped, Base):
    """A seat's place was handed on to somebody else, who is written to at `address`.

    The newest of a seat says who has it now. `was` is who had it before, `was_participant_id`
    their row, None of the oldest, and `was_calendar_id` with `was_sequence` the entry in that
    one's calendar, which has to go. `told_at` is None
    until its new holder was written to, and stays so where the place went on before that.
    """

    __tablename__ = "handings_on"
    __table_args__ = (
        within_tenant("seat_id", "seats"),
        within_tenant("order_id", "orders"),
        within_tenant("participant_id", "participants"),
        within_tenant("was_participant_id", "participants"),
        CheckConstraint("by IN ('guest', 'staff')", name="by"),
        Index("ix_handings_on_seat", "tenant_id", "seat_id"),
        Index("ix_handings_on_order", "tenant_id", "order_id"),
        Index("ix_handings_on_address", "tenant_id", text("lower(address)")),
    )

    seat_id: Mapped[UUID]
    order_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    address: Mapped[str]
    was: Mapped[str] = mapped_column(default="")
    was_participant_id: Mapped[UUID | None]
    was_calendar_id: Mapped[UUID]
    was_sequence: Mapped[int]
    by: Mapped[str]
    at: Mapped[datetime]
    told_at: Mapped[datetime | None]


class LeaveRequest(TenantScoped, Base):
    """A guest asks to leave a whole course, which staff decide about: one open one a booking.

    `answer` is what staff wrote to the guest who was declined.
    """

    __tablename__ = "leave_requests"
    __table_args__ = (
        within_tenant("booking_id", "bookings"),
        CheckConstraint("state IN ('open', 'accepted', 'declined')", name="state"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        Index(
            "uq_leave_requests_open",
            "tenant_id",
            "booking_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    booking_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="open")
    answer: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]


class Cancellation(TenantScoped, Base):
    """The cancelling of a session, a series, chosen dates, a purchase or single seats.

    A job does it in chunks. `waiting` is the undo window, in which nothing has happened yet.
    `total` and `done` count customers with seats that are taken. `cursor` is not used. With
    `gives_back` what was paid for the seats goes back with them, without being asked; else what
    `CancellationReturn` says, with `as_voucher` as a voucher for each guest. `session_ids` are the
    dates that the cancelling of a series or of chosen dates stopped; the earliest of chosen ones is
    its subject. `resumes_sale` says whether undoing it puts the series on sale again. The seats of
    `seats` are those that name it, all of the session that is its subject: each can name one, so
    that two cancellings of seats can go side by side in a session, and never reach the same seat.
    """

    __tablename__ = "cancellations"
    __table_args__ = (
        CheckConstraint(
            "scope IN ('session', 'purchase', 'series', 'dates', 'seats')", name="scope"
        ),
        CheckConstraint("state IN ('waiting', 'running', 'done', 'undone')", name="state"),
        UniqueConstraint("tenant_id", "id", "scope", name="uq_cancellations_scope"),
        Index(
            "uq_cancellations_live",
            "tenant_id",
            "subject_id",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'running') AND scope <> 'seats'"),
        ),
    )

    scope: Mapped[str]
    subject_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default="waiting")
    reason: Mapped[str] = mapped_column(default="")
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    seats_freed: Mapped[int] = mapped_column(default=0)
    gives_back: Mapped[bool] = mapped_column(default=False)
    as_voucher: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    session_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid()), default=list, server_default=text("'{}'::uuid[]")
    )
    resumes_sale: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    revokes_credits: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    cursor: Mapped[UUID | None]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ReminderSent(TenantScoped, Base):
    """The claim to one reminder: of a booking, for a date at one start, so long before it.

    A date that moves has another start, and so reminders of its own.
    """

    __tablename__ = "reminders_sent"
    __table_args__ = (
        within_tenant("booking_id", "bookings"),
        within_tenant("session_id", "sessions"),
        UniqueConstraint(
            "tenant_id",
            "booking_id",
            "session_id",
            "starts_at",
            "ahead",
            "unit",
            name="uq_reminders_sent_once",
        ),
        CheckConstraint("ahead > 0 AND unit IN ('hours', 'days')", name="offset"),
    )

    booking_id: Mapped[UUID]
    session_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ahead: Mapped[int]
    unit: Mapped[str]
    claimed_at: Mapped[datetime]
