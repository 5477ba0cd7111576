"""tenants page the log by time.

The log was paged by ids, which rise with the time of writing: what is written later of an earlier
moment stood out of its place. The index gives a page without sorting the whole log.

Revision: 0042, after 0041.
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_audit_at ON audit (tenant_id, at, id)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_audit_at")
