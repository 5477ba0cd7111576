"""What is offered: services, sessions, series."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant

DROP_IN = (
    "drop_in_price_minor >= 0 AND drop_in_opens_before >= 0"
    " AND drop_in_opens_unit IN ('hours', 'days')"
    """ AND drop_in_pays <@ '["online", "on_site", "credit"]'::jsonb"""
)


class Service(TenantScoped, Base):
    """What the business does. `price_type` and `price_minor` are those of a single entry,
    `price_tiers` other prices beside it; see `domain/price_tiers.py`.

    `leaving` are the terms for leaving what is sold singly; see `domain/leaving.py`. `reminders`
    are the mails before each date; see `domain/reminding.py`. `waitlist` are the terms for waiting
    when it is full; see `domain/waiting.py`. `tags` are words in small letters. `appointment` says
    how it is given by appointment; see `domain/appointment_terms.py`.
    """

    __tablename__ = "services"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug", name="uq_services_slug"),
        CheckConstraint("kind IN ('appointment', 'group')", name="kind"),
        CheckConstraint("mode IN ('in_person', 'online')", name="mode"),
        CheckConstraint("sales_mode IN ('single', 'series', 'both')", name="sales_mode"),
        CheckConstraint("visibility IN ('public', 'unlisted', 'hidden')", name="visibility"),
        CheckConstraint("price_type IN ('free', 'on_site', 'online')", name="price_type"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("duration_minutes > 0", name="duration"),
        CheckConstraint("default_capacity > 0 AND max_party > 0", name="capacity"),
        CheckConstraint(
            "(default_min_seats IS NULL) = (default_decide_hours IS NULL)"
            " AND default_min_seats > 0 AND default_decide_hours > 0",
            name="minimum",
        ),
    )

    kind: Mapped[str]
    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    mode: Mapped[str] = mapped_column(default="in_person")
    sales_mode: Mapped[str] = mapped_column(default="single")
    price_type: Mapped[str]
    price_minor: Mapped[int] = mapped_column(default=0)
    price_tiers: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    tax_rate_bp: Mapped[int] = mapped_column(default=0)
    duration_minutes: Mapped[int] = mapped_column(default=60)
    default_capacity: Mapped[int] = mapped_column(default=10)
    default_performer_id: Mapped[UUID | None]
    default_location_id: Mapped[UUID | None]
    default_min_seats: Mapped[int | None]
    default_decide_hours: Mapped[int | None]
    min_notice_minutes: Mapped[int] = mapped_column(default=0)
    horizon_days: Mapped[int] = mapped_column(default=365)
    max_party: Mapped[int] = mapped_column(default=10)
    questions: Mapped[list[Any]] = mapped_column(default=list)
    leaving: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reminders: Mapped[list[Any]] = mapped_column(default=list)
    waitlist: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )
    tags: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    appointment: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )
    active: Mapped[bool] = mapped_column(default=True)
    visibility: Mapped[str] = mapped_column(default="public")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Series(TenantScoped, Base):
    """A bundle of one service's sessions sold as one purchase.

    `base_sessions` is how many sessions the term had when first published; it divides the price
    for late joiners and never moves after. `drop_in_...` say how its dates are sold alone; see
    `domain/drop_in.py`. `copied_from` is the series that its dates were first made from. `tags` say
    which credits are good for its dates, besides those of service and date; `takes_credits`: the
    whole of it can be paid with credits, one for each date.
    """

    __tablename__ = "series"
    __table_args__ = (
        within_tenant("service_id", "services"),
        UniqueConstraint("tenant_id", "id", "service_id", name="uq_series_id_service_id"),
        CheckConstraint("price_type IN ('free', 'on_site', 'online')", name="price_type"),
        CheckConstraint("visibility IN ('public', 'unlisted', 'hidden')", name="visibility"),
        CheckConstraint("join_policy IN ('before_start', 'any_time', 'until')", name="join_policy"),
        CheckConstraint("gap_policy IN ('block', 'sell_with_gaps')", name="gap_policy"),
        CheckConstraint("(join_policy = 'until') = (join_until_on IS NOT NULL)", name="join_until"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint(DROP_IN, name="drop_in"),
        CheckConstraint("published_at IS NULL OR base_sessions > 0", name="published_has_base"),
        within_tenant("copied_from", "series"),
        Index("ix_series_service", "tenant_id", "service_id"),
        Index("ix_series_copied_from", "tenant_id", "copied_from"),
    )

    service_id: Mapped[UUID]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    price_type: Mapped[str]
    price_minor: Mapped[int] = mapped_column(default=0)
    price_tiers: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    active: Mapped[bool] = mapped_column(default=False)
    visibility: Mapped[str] = mapped_column(default="public")
    join_policy: Mapped[str] = mapped_column(default="before_start")
    join_until_on: Mapped[date | None]
    gap_policy: Mapped[str] = mapped_column(default="block")
    drop_in_allowed: Mapped[bool] = mapped_column(default=False)
    drop_in_price_minor: Mapped[int | None]
    drop_in_opens_before: Mapped[int | None]
    drop_in_opens_unit: Mapped[str] = mapped_column(default="days", server_default=text("'days'"))
    drop_in_pays: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    leaving: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    takes_credits: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    copied_from: Mapped[UUID | None]
    base_sessions: Mapped[int | None]
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Session(TenantScoped, Base):
    """One dated run of a group service.

    `in_term` is false for a date that joined its series after the series was first published.

    `seats_taken` counts live seats and the places of live waitlist offers; it is claimed and given
    back by guarded updates only, and the database refuses more than `capacity`. `sequence` rises
    with each change that calendars must
    hear of; `moved_sequence` is what it rose to when the session was last moved, 0 if it never was.

    With fewer than `min_seats` it is called off `decide_hours` before its start, unless
    `decided_at` says that somebody let it take place; owners were asked at `decision_asked_at`.
    `edited_at` marks one that was edited on its own, which edits of several leave alone.
    `drop_in_...` are its own rules for being sold alone, where they are not those of its series.

    One that `is_slot` is the time of one appointment, made as it was booked; once nobody has a seat
    in it any more it is vacated and its time is free again. `before_minutes` and `after_minutes`
    are kept free around it in its performer's time.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        within_tenant("service_id", "services"),
        within_tenant("location_id", "locations"),
        within_tenant("performer_id", "performers"),
        ForeignKeyConstraint(
            ["tenant_id", "series_id", "service_id"],
            ["series.tenant_id", "series.id", "series.service_id"],
            name="fk_sessions_series",
        ),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint(
            "(min_seats IS NULL) = (decide_hours IS NULL) AND min_seats > 0 AND decide_hours > 0",
            name="minimum",
        ),
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint(DROP_IN, name="drop_in"),
        CheckConstraint("seats_taken >= 0 AND seats_taken <= capacity", name="seats_taken"),
        CheckConstraint(
            "state IN ('scheduled', 'cancelling', 'cancelled', 'vacated')", name="state"
        ),
        CheckConstraint("state <> 'vacated' OR is_slot", name="vacated_slot"),
        CheckConstraint("before_minutes >= 0 AND after_minutes >= 0", name="kept_free"),
        CheckConstraint("mode IN ('in_person', 'online')", name="mode"),
        Index("ix_sessions_starts_at", "tenant_id", "starts_at"),
        Index("ix_sessions_service_starts_at", "tenant_id", "service_id", "starts_at"),
        Index("ix_sessions_series", "tenant_id", "series_id"),
        Index(
            "uq_sessions_import_key",
            "tenant_id",
            "service_id",
            "import_key",
            unique=True,
            postgresql_where=text("import_key IS NOT NULL"),
        ),
    )

    service_id: Mapped[UUID]
    series_id: Mapped[UUID | None]
    title: Mapped[str] = mapped_column(default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    seats_taken: Mapped[int] = mapped_column(default=0)
    mode: Mapped[str]
    location_id: Mapped[UUID | None]
    meeting_url: Mapped[str] = mapped_column(default="")
    performer_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default="scheduled")
    sequence: Mapped[int] = mapped_column(default=0)
    moved_sequence: Mapped[int] = mapped_column(default=0)
    in_term: Mapped[bool] = mapped_column(default=True)
    min_seats: Mapped[int | None]
    decide_hours: Mapped[int | None]
    decision_asked_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    drop_in_allowed: Mapped[bool | None]
    drop_in_price_minor: Mapped[int | None]
    drop_in_opens_before: Mapped[int | None]
    drop_in_opens_unit: Mapped[str] = mapped_column(default="days", server_default=text("'days'"))
    drop_in_pays: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    tags: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    import_key: Mapped[str | None]
    is_slot: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    before_minutes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    after_minutes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]


class SessionChange(TenantScoped, Base):
    """A change of a session that its guests must hear of, with the facts as they were before it.

    `sequence` is what the session's rose to with it, so each seat's own number leads to what its
    guest was told: the facts before the first change past it. All changes of one act share an
    `action_id`. `place` is the line that guests read, `timezone` the clock they read the time on.
    `performer` is who performs from then on, where guests are to hear of that, else empty.
    """

    __tablename__ = "session_changes"
    __table_args__ = (
        within_tenant("session_id", "sessions"),
        UniqueConstraint("tenant_id", "session_id", "sequence", name="uq_session_changes_sequence"),
        CheckConstraint("sequence > 0", name="sequence"),
        Index("ix_session_changes_action", "tenant_id", "action_id"),
    )

    session_id: Mapped[UUID]
    action_id: Mapped[UUID]
    sequence: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    timezone: Mapped[str]
    title: Mapped[str]
    mode: Mapped[str]
    place: Mapped[str]
    meeting_url: Mapped[str]
    reason: Mapped[str]
    performer: Mapped[str] = mapped_column(default="", server_default=text("''"))
    changed_at: Mapped[datetime]


class TimetableImport(TenantScoped, Base):
    """An uploaded timetable between its rehearsal and its commit."""

    __tablename__ = "timetable_imports"
    __table_args__ = (
        within_tenant("service_id", "services"),
        CheckConstraint("state IN ('rehearsed', 'committed', 'abandoned')", name="state"),
    )

    service_id: Mapped[UUID]
    filename: Mapped[str]
    content: Mapped[bytes]
    options: Mapped[dict[str, Any]]
    digest: Mapped[str]
    state: Mapped[str] = mapped_column(default="rehearsed")
    created_count: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    committed_at: Mapped[datetime | None]
