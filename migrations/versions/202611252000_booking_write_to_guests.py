"""booking write to guests.

Reminders before the dates that guests have booked, businesses' own words for their mails, what
guests do without, mails to many, and digests for members.

Revision: 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "services",
        sa.Column(
            "reminders",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
    )
    _create_reminders_sent()
    _create_mail_wordings()
    _create_mail_choices()
    op.add_column(
        "mails",
        sa.Column("unsubscribe_url", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
    _create_broadcasts()
    _create_digests()
    protect("reminders_sent", "mail_wordings", "mail_choices")
    protect("broadcasts", "broadcast_mails", "digests")


def downgrade() -> None:
    op.drop_table("digests")
    op.drop_table("broadcast_mails")
    op.drop_table("broadcasts")
    op.drop_column("mails", "unsubscribe_url")
    op.drop_table("mail_choices")
    op.drop_table("mail_wordings")
    op.drop_table("reminders_sent")
    op.drop_column("services", "reminders")


def _create_reminders_sent() -> None:
    op.create_table(
        "reminders_sent",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ahead", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("claimed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "ahead > 0 AND unit IN ('hours', 'days')", name=op.f("ck_reminders_sent_offset")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["bookings.tenant_id", "bookings.id"],
            name=op.f("fk_reminders_sent_tenant_id_booking_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["sessions.tenant_id", "sessions.id"],
            name=op.f("fk_reminders_sent_tenant_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reminders_sent")),
        sa.UniqueConstraint(
            "tenant_id",
            "booking_id",
            "session_id",
            "starts_at",
            "ahead",
            "unit",
            name="uq_reminders_sent_once",
        ),
    )


def _create_mail_wordings() -> None:
    op.create_table(
        "mail_wordings",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mail_wordings")),
        sa.UniqueConstraint("tenant_id", "kind", "locale", name="uq_mail_wordings_kind_locale"),
    )


def _create_mail_choices() -> None:
    op.create_table(
        "mail_choices",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("wants", sa.Boolean(), nullable=False),
        sa.Column("chosen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "topic IN ('marketing', 'reminders')", name=op.f("ck_mail_choices_topic")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_mail_choices_tenant_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mail_choices")),
    )
    op.create_index(
        "ix_mail_choices_customer",
        "mail_choices",
        ["tenant_id", "customer_id", "topic", "chosen_at"],
    )


def _create_broadcasts() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("is_marketing", sa.Boolean(), nullable=False),
        sa.Column("to_later", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "audience IN ('session', 'series', 'tag')", name=op.f("ck_broadcasts_audience")
        ),
        sa.CheckConstraint(
            "(audience = 'tag') = (subject_id IS NULL)", name=op.f("ck_broadcasts_subject")
        ),
        sa.CheckConstraint("state IN ('sending', 'sent')", name=op.f("ck_broadcasts_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_broadcasts")),
    )
    op.create_index("ix_broadcasts_sent_at", "broadcasts", ["tenant_id", "sent_at"])
    op.create_table(
        "broadcast_mails",
        sa.Column("broadcast_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("written_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "broadcast_id"],
            ["broadcasts.tenant_id", "broadcasts.id"],
            name=op.f("fk_broadcast_mails_tenant_id_broadcast_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_broadcast_mails_tenant_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_broadcast_mails")),
        sa.UniqueConstraint(
            "tenant_id", "broadcast_id", "address", name="uq_broadcast_mails_address"
        ),
    )
    op.create_index("ix_broadcast_mails_customer", "broadcast_mails", ["tenant_id", "customer_id"])


def _create_digests() -> None:
    op.create_table(
        "digests",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("told_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('daily', 'weekly', 'morning')", name=op.f("ck_digests_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_digests")),
        sa.UniqueConstraint("tenant_id", "user_id", "kind", name="uq_digests_user_id_kind"),
    )
