"""tenants let go of old rows.

Each tenant, and the platform's own scope, gets its first look at what is too old; the indexes find
it without reading the rest.

Revision: 0008, after 0007.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PLATFORM = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    op.create_index("ix_mails_queued_at", "mails", ["tenant_id", "queued_at"])
    op.create_index("ix_webhook_inbox_received_at", "webhook_inbox", ["received_at"])
    op.execute(
        "INSERT INTO due (id, tenant_id, kind, at, ref)"
        " SELECT id, id, 'prune', now(), id FROM tenants"
        f" UNION ALL SELECT '{PLATFORM}', '{PLATFORM}', 'prune', now(), '{PLATFORM}'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM due WHERE kind = 'prune'")
    op.drop_index("ix_webhook_inbox_received_at", table_name="webhook_inbox")
    op.drop_index("ix_mails_queued_at", table_name="mails")
