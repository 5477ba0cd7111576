"""tenants let go of old rows, keep slugs and invite.

Each tenant, and the platform's own scope, gets its first look at what is too old; the indexes find
it without reading the rest. A sign-up keeps its slug until its link is followed.
Members are invited.

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import open_to_app, protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PLATFORM = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    op.create_index("ix_mails_queued_at", "mails", ["tenant_id", "queued_at"])
    op.create_index("ix_webhook_inbox_received_at", "webhook_inbox", ["received_at"])
    op.create_table(
        "sign_ups",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("business_name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "email = lower(btrim(email))", name=op.f("ck_sign_ups_email_normalised")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
        sa.UniqueConstraint("slug", name="uq_sign_ups_slug"),
    )
    op.create_index("ix_sign_ups_expires_at", "sign_ups", ["expires_at"])
    open_to_app("SELECT, INSERT, UPDATE, DELETE", "sign_ups")
    op.create_table(
        "invitations",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("performer_id", sa.Uuid(), nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'instructor')", name=op.f("ck_invitations_role")
        ),
        sa.CheckConstraint(
            "email = lower(btrim(email))", name=op.f("ck_invitations_email_normalised")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "performer_id"],
            ["performers.tenant_id", "performers.id"],
            name=op.f("fk_invitations_tenant_id_performer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["tenant_id", "email"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    protect("invitations")
    op.execute(
        "INSERT INTO due (id, tenant_id, kind, at, ref)"
        " SELECT id, id, 'prune', now(), id FROM tenants"
        f" UNION ALL SELECT '{PLATFORM}', '{PLATFORM}', 'prune', now(), '{PLATFORM}'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM due WHERE kind = 'prune'")
    op.drop_table("invitations")
    op.drop_table("sign_ups")
    op.drop_index("ix_webhook_inbox_received_at", table_name="webhook_inbox")
    op.drop_index("ix_mails_queued_at", table_name="mails")
