"""booking keep what a term was copied from.

A fact of the business, which was read out of the audit log; the terms that stand are given it from
there for the last time.

Revision: 0027, after 0026.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("series", sa.Column("copied_from", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE series SET copied_from = source.id FROM audit, series AS source"
        " WHERE audit.tenant_id = series.tenant_id AND audit.subject_id = series.id"
        " AND audit.action = 'series.copied' AND source.tenant_id = series.tenant_id"
        " AND source.id::text = audit.detail ->> 'copied'"
    )
    op.create_foreign_key(
        "fk_series_tenant_id_copied_from",
        "series",
        "series",
        ["tenant_id", "copied_from"],
        ["tenant_id", "id"],
    )
    op.create_index("ix_series_copied_from", "series", ["tenant_id", "copied_from"])


def downgrade() -> None:
    op.drop_index("ix_series_copied_from", "series")
    op.drop_constraint("fk_series_tenant_id_copied_from", "series")
    op.drop_column("series", "copied_from")
