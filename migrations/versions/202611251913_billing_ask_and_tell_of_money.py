"""billing ask and tell of money.

An open item keeps what it is about instead of a sentence in whatever language was current, and an
account knows until when its events have been asked for. Each account is asked about from now on.

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Sentences of before stay as they are; without its facts a newer one can only name its kind.
NAME_THE_KIND = "UPDATE open_items SET sentence = replace(kind, '_', ' ') WHERE sentence = ''"
ASK_ABOUT_EACH = """
INSERT INTO due (id, tenant_id, kind, at, ref)
SELECT md5('account:' || tenant_id)::uuid, tenant_id, 'account', now(),
    md5('account:' || tenant_id)::uuid FROM connected_accounts
WHERE disconnected_at IS NULL
"""


def upgrade() -> None:
    op.add_column(
        "open_items",
        sa.Column("facts", postgresql.JSONB(), nullable=False, server_default="{}"),
    )
    op.alter_column("open_items", "facts", server_default=None)
    op.add_column(
        "connected_accounts",
        sa.Column("asked_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
    )
    op.execute(ASK_ABOUT_EACH)


def downgrade() -> None:
    op.execute("DELETE FROM due WHERE kind = 'account'")
    op.drop_column("connected_accounts", "asked_until")
    op.execute(NAME_THE_KIND)
    op.drop_column("open_items", "facts")
