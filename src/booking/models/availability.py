"""When performers can be booked, and which services they give by appointment."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from src.platform.db import Base, TenantScoped, within_tenant


class WeeklyHours(TenantScoped, Base):
    """One stretch of a performer's week on the wall clock of the business; Monday is weekday 0."""

    __tablename__ = "weekly_hours"
    __table_args__ = (
        within_tenant("performer_id", "performers"),
        UniqueConstraint(
            "tenant_id", "performer_id", "weekday", "starts_minute", name="uq_weekly_hours_start"
        ),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint(
            "starts_minute >= 0 AND starts_minute < ends_minute AND ends_minute <= 1440",
            name="minutes",
        ),
    )

    performer_id: Mapped[UUID]
    weekday: Mapped[int]
    starts_minute: Mapped[int]
    ends_minute: Mapped[int]


class DayHours(TenantScoped, Base):
    """A day on which a performer's hours are others than in the week: one row for each stretch, or
    a single one without minutes for a day off. `note` is for staff.
    """

    __tablename__ = "day_hours"
    __table_args__ = (
        within_tenant("performer_id", "performers"),
        UniqueConstraint(
            "tenant_id",
            "performer_id",
            "on_date",
            "starts_minute",
            name="uq_day_hours_start",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(
            "(starts_minute IS NULL) = (ends_minute IS NULL)"
            " AND starts_minute >= 0 AND starts_minute < ends_minute AND ends_minute <= 1440",
            name="minutes",
        ),
    )

    performer_id: Mapped[UUID]
    on_date: Mapped[date]
    starts_minute: Mapped[int | None]
    ends_minute: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")


class ClosedDay(TenantScoped, Base):
    """A day on which nobody is there for appointments but whoever has hours for just that day."""

    __tablename__ = "closed_days"
    __table_args__ = (UniqueConstraint("tenant_id", "on_date", name="uq_closed_days_on_date"),)

    on_date: Mapped[date]
    name: Mapped[str]
    created_at: Mapped[datetime]


class ServicePerformer(TenantScoped, Base):
    """Somebody who gives a service by appointment."""

    __tablename__ = "service_performers"
    __table_args__ = (
        within_tenant("service_id", "services"),
        within_tenant("performer_id", "performers"),
        UniqueConstraint(
            "tenant_id", "service_id", "performer_id", name="uq_service_performers_performer_id"
        ),
        Index("ix_service_performers_performer", "tenant_id", "performer_id"),
    )

    service_id: Mapped[UUID]
    performer_id: Mapped[UUID]
