"""booking create tables.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cancellations",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("seats_freed", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("scope IN ('session', 'purchase')", name=op.f("ck_cancellations_scope")),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'undone')",
            name=op.f("ck_cancellations_state"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cancellations")),
        sa.UniqueConstraint("tenant_id", "id", "scope", name="uq_cancellations_scope"),
    )
    op.create_index(
        "uq_cancellations_live",
        "cancellations",
        ["tenant_id", "subject_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_table(
        "services",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("sales_mode", sa.Text(), nullable=False),
        sa.Column("price_type", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("tax_rate_bp", sa.Integer(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("default_capacity", sa.Integer(), nullable=False),
        sa.Column("default_performer_id", sa.Uuid(), nullable=True),
        sa.Column("default_location_id", sa.Uuid(), nullable=True),
        sa.Column("min_notice_minutes", sa.Integer(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("max_party", sa.Integer(), nullable=False),
        sa.Column("questions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('appointment', 'group')", name=op.f("ck_services_kind")),
        sa.CheckConstraint("mode IN ('in_person', 'online')", name=op.f("ck_services_mode")),
        sa.CheckConstraint(
            "price_type IN ('free', 'on_site', 'online')",
            name=op.f("ck_services_price_type"),
        ),
        sa.CheckConstraint(
            "sales_mode IN ('single', 'series', 'both')",
            name=op.f("ck_services_sales_mode"),
        ),
        sa.CheckConstraint(
            "visibility IN ('public', 'unlisted', 'hidden')",
            name=op.f("ck_services_visibility"),
        ),
        sa.CheckConstraint(
            "default_capacity > 0 AND max_party > 0", name=op.f("ck_services_capacity")
        ),
        sa.CheckConstraint("duration_minutes > 0", name=op.f("ck_services_duration")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_services_price")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_services")),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_services_slug"),
    )
    op.create_table(
        "series",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price_type", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("join_policy", sa.Text(), nullable=False),
        sa.Column("join_until_on", sa.Date(), nullable=True),
        sa.Column("gap_policy", sa.Text(), nullable=False),
        sa.Column("drop_in_allowed", sa.Boolean(), nullable=False),
        sa.Column("drop_in_price_minor", sa.Integer(), nullable=True),
        sa.Column("base_sessions", sa.Integer(), nullable=True),
        sa.Column("published_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(join_policy = 'until') = (join_until_on IS NOT NULL)",
            name=op.f("ck_series_join_until"),
        ),
        sa.CheckConstraint(
            "gap_policy IN ('block', 'sell_with_gaps')",
            name=op.f("ck_series_gap_policy"),
        ),
        sa.CheckConstraint(
            "join_policy IN ('before_start', 'any_time', 'until')",
            name=op.f("ck_series_join_policy"),
        ),
        sa.CheckConstraint(
            "price_type IN ('free', 'on_site', 'online')",
            name=op.f("ck_series_price_type"),
        ),
        sa.CheckConstraint(
            "visibility IN ('public', 'unlisted', 'hidden')",
            name=op.f("ck_series_visibility"),
        ),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_series_price")),
        sa.CheckConstraint(
            "published_at IS NULL OR base_sessions > 0",
            name=op.f("ck_series_published_has_base"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_series_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_series")),
        sa.UniqueConstraint("tenant_id", "id", "service_id", name="uq_series_id_service_id"),
    )
    op.create_index("ix_series_service", "series", ["tenant_id", "service_id"], unique=False)
    op.create_table(
        "timetable_imports",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_count", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("committed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('rehearsed', 'committed', 'abandoned')",
            name=op.f("ck_timetable_imports_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_timetable_imports_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_timetable_imports")),
    )
    op.create_table(
        "sessions",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("seats_taken", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("meeting_url", sa.Text(), nullable=False),
        sa.Column("performer_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("in_term", sa.Boolean(), nullable=False),
        sa.Column("import_key", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("cancelled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("mode IN ('in_person', 'online')", name=op.f("ck_sessions_mode")),
        sa.CheckConstraint(
            "state IN ('scheduled', 'cancelling', 'cancelled')",
            name=op.f("ck_sessions_state"),
        ),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_sessions_capacity")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_sessions_ends_after_start")),
        sa.CheckConstraint(
            "seats_taken >= 0 AND seats_taken <= capacity",
            name=op.f("ck_sessions_seats_taken"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "location_id"],
            ["locations.tenant_id", "locations.id"],
            name=op.f("fk_sessions_tenant_id_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "performer_id"],
            ["performers.tenant_id", "performers.id"],
            name=op.f("fk_sessions_tenant_id_performer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "series_id", "service_id"],
            ["series.tenant_id", "series.id", "series.service_id"],
            name="fk_sessions_series",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_sessions_tenant_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_series", "sessions", ["tenant_id", "series_id"], unique=False)
    op.create_index(
        "ix_sessions_service_starts_at",
        "sessions",
        ["tenant_id", "service_id", "starts_at"],
        unique=False,
    )
    op.create_index("ix_sessions_starts_at", "sessions", ["tenant_id", "starts_at"], unique=False)
    op.create_index(
        "uq_sessions_import_key",
        "sessions",
        ["tenant_id", "service_id", "import_key"],
        unique=True,
        postgresql_where=sa.text("import_key IS NOT NULL"),
    )
    op.create_table(
        "bookings",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("party_size", sa.Integer(), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(series_id IS NULL) <> (session_id IS NULL)",
            name=op.f("ck_bookings_series_or_session"),
        ),
        sa.CheckConstraint("party_size > 0", name=op.f("ck_bookings_party_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_bookings_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_bookings_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "series_id"],
            ["series.tenant_id", "series.id"],
            name=op.f("fk_bookings_tenant_id_series_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "service_id"],
            ["services.tenant_id", "services.id"],
            name=op.f("fk_bookings_tenant_id_service_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["sessions.tenant_id", "sessions.id"],
            name=op.f("fk_bookings_tenant_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bookings")),
    )
    op.create_index("ix_bookings_customer", "bookings", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_bookings_order", "bookings", ["tenant_id", "order_id"], unique=False)
    op.create_index("ix_bookings_series", "bookings", ["tenant_id", "series_id"], unique=False)
    op.create_table(
        "seats",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("share_minor", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_why", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('held', 'confirmed', 'attended', 'no_show', 'cancelled', 'late_cancelled', 'swapped', 'expired')",
            name=op.f("ck_seats_state"),
        ),
        sa.CheckConstraint("share_minor >= 0", name=op.f("ck_seats_share")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["bookings.tenant_id", "bookings.id"],
            name=op.f("fk_seats_tenant_id_booking_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_seats_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "participant_id"],
            ["participants.tenant_id", "participants.id"],
            name=op.f("fk_seats_tenant_id_participant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["sessions.tenant_id", "sessions.id"],
            name=op.f("fk_seats_tenant_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seats")),
    )
    op.create_index("ix_seats_booking", "seats", ["tenant_id", "booking_id"], unique=False)
    op.create_index("ix_seats_order", "seats", ["tenant_id", "order_id"], unique=False)
    op.create_index(
        "uq_seats_live_participant",
        "seats",
        ["tenant_id", "session_id", "participant_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('held', 'confirmed', 'attended', 'no_show')"),
    )
    # Their counts change with every booking; room on the page keeps those updates in place.
    op.execute("ALTER TABLE sessions SET (fillfactor = 70)")
    op.execute("ALTER TABLE booking_counters SET (fillfactor = 50)")
    protect(
        "cancellations",
        "services",
        "series",
        "timetable_imports",
        "sessions",
        "bookings",
        "seats",
    )


def downgrade() -> None:
    op.drop_index(
        "uq_seats_live_participant",
        table_name="seats",
        postgresql_where=sa.text("state IN ('held', 'confirmed', 'attended', 'no_show')"),
    )
    op.drop_index("ix_seats_order", table_name="seats")
    op.drop_index("ix_seats_booking", table_name="seats")
    op.drop_table("seats")
    op.drop_index("ix_bookings_series", table_name="bookings")
    op.drop_index("ix_bookings_order", table_name="bookings")
    op.drop_index("ix_bookings_customer", table_name="bookings")
    op.drop_table("bookings")
    op.drop_index(
        "uq_sessions_import_key",
        table_name="sessions",
        postgresql_where=sa.text("import_key IS NOT NULL"),
    )
    op.drop_index("ix_sessions_starts_at", table_name="sessions")
    op.drop_index("ix_sessions_service_starts_at", table_name="sessions")
    op.drop_index("ix_sessions_series", table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("timetable_imports")
    op.drop_index("ix_series_service", table_name="series")
    op.drop_table("series")
    op.drop_table("services")
    op.drop_index(
        "uq_cancellations_live",
        table_name="cancellations",
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.drop_table("cancellations")
