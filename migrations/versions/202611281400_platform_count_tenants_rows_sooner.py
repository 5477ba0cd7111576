"""platform count tenants' rows sooner.

A tenth of a table has to change before PostgreSQL counts it again, and until then it takes a
business that is new there to have one row. Mails of a first busy hour read all of its orders for
each of its places then: 680 ms with 290 places, where 1 ms would do.

Revision: 0098, after 0097.
"""

import sqlalchemy as sa
from alembic import op

from migrations.policies import count_soon

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None

_TENANT_TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relforcerowsecurity"
    " AND relnamespace = 'public'::regnamespace ORDER BY relname"
)


def upgrade() -> None:
    for table in _tenant_tables():
        count_soon(table)


def downgrade() -> None:
    for table in _tenant_tables():
        op.execute(
            f"ALTER TABLE {table} RESET"
            " (autovacuum_analyze_scale_factor, autovacuum_analyze_threshold)"
        )


def _tenant_tables() -> list[str]:
    return [str(name) for name in op.get_bind().scalars(sa.text(_TENANT_TABLES))]
