"""booking create appointments.

Performers have weekly hours, days with other hours and closed days; an appointment's time is a
session of its own, which is vacated once nobody has a seat in it.

Revision: 0059, after 0058.
"""

import sqlalchemy as sa
from alembic import op

from migrations.policies import protect

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_MINUTES = "starts_minute >= 0 AND starts_minute < ends_minute AND ends_minute <= 1440"


def upgrade() -> None:
    _weekly_hours()
    _day_hours()
    _closed_days()
    _service_performers()
    protect("weekly_hours", "day_hours", "closed_days", "service_performers")
    op.execute("ALTER TABLE services ADD COLUMN appointment jsonb NOT NULL DEFAULT '{}'::jsonb")
    op.execute(
        "ALTER TABLE sessions ADD COLUMN is_slot bool NOT NULL DEFAULT false,"
        " ADD COLUMN before_minutes int NOT NULL DEFAULT 0,"
        " ADD COLUMN after_minutes int NOT NULL DEFAULT 0,"
        " ADD CONSTRAINT ck_sessions_vacated_slot CHECK (state <> 'vacated' OR is_slot),"
        " ADD CONSTRAINT ck_sessions_kept_free CHECK (before_minutes >= 0 AND after_minutes >= 0)"
    )
    _states("'scheduled', 'cancelling', 'cancelled', 'vacated'")


def downgrade() -> None:
    """An appointment whose guest has left is one that was called off."""
    op.execute("UPDATE sessions SET state = 'cancelled' WHERE state = 'vacated'")
    _states("'scheduled', 'cancelling', 'cancelled'")
    op.execute(
        "ALTER TABLE sessions DROP COLUMN is_slot CASCADE, DROP COLUMN before_minutes CASCADE,"
        " DROP COLUMN after_minutes CASCADE"
    )
    op.execute("ALTER TABLE services DROP COLUMN appointment")
    for table in ("service_performers", "closed_days", "day_hours", "weekly_hours"):
        op.drop_table(table)


def _states(states: str) -> None:
    op.execute("ALTER TABLE sessions DROP CONSTRAINT ck_sessions_state")
    op.execute(f"ALTER TABLE sessions ADD CONSTRAINT ck_sessions_state CHECK (state IN ({states}))")


def _weekly_hours() -> None:
    op.create_table(
        "weekly_hours",
        sa.Column("performer_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts_minute", sa.Integer(), nullable=False),
        sa.Column("ends_minute", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_weekly_hours_weekday")),
        sa.CheckConstraint(_MINUTES, name=op.f("ck_weekly_hours_minutes")),
        _belongs("weekly_hours", "performer_id", "performers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_weekly_hours")),
        sa.UniqueConstraint(
            "tenant_id", "performer_id", "weekday", "starts_minute", name="uq_weekly_hours_start"
        ),
    )


def _day_hours() -> None:
    op.create_table(
        "day_hours",
        sa.Column("performer_id", sa.Uuid(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("starts_minute", sa.Integer(), nullable=True),
        sa.Column("ends_minute", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            f"(starts_minute IS NULL) = (ends_minute IS NULL) AND {_MINUTES}",
            name=op.f("ck_day_hours_minutes"),
        ),
        _belongs("day_hours", "performer_id", "performers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_day_hours")),
        sa.UniqueConstraint(
            "tenant_id",
            "performer_id",
            "on_date",
            "starts_minute",
            name="uq_day_hours_start",
            postgresql_nulls_not_distinct=True,
        ),
    )


def _closed_days() -> None:
    op.create_table(
        "closed_days",
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_closed_days")),
        sa.UniqueConstraint("tenant_id", "on_date", name="uq_closed_days_on_date"),
    )


def _service_performers() -> None:
    op.create_table(
        "service_performers",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("performer_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _belongs("service_performers", "service_id", "services"),
        _belongs("service_performers", "performer_id", "performers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_service_performers")),
        sa.UniqueConstraint(
            "tenant_id", "service_id", "performer_id", name="uq_service_performers_performer_id"
        ),
    )
    op.create_index(
        "ix_service_performers_performer", "service_performers", ["tenant_id", "performer_id"]
    )


def _belongs(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )
