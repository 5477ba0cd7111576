"""booking undo cancelled seats.

A cancellation may be of single seats, which name it while it waits or runs.

Revision: 0036, after 0035.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _limit_scopes("'session', 'purchase', 'series', 'dates', 'seats'")
    _keep_one_at_a_time("state IN ('waiting', 'running') AND scope <> 'seats'")
    op.add_column("seats", sa.Column("cancellation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_seats_tenant_id_cancellation_id"),
        "seats",
        "cancellations",
        ["tenant_id", "cancellation_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "ix_seats_cancellation",
        "seats",
        ["tenant_id", "cancellation_id"],
        postgresql_where=sa.text("cancellation_id IS NOT NULL"),
    )


def downgrade() -> None:
    for statement in (_UNDONE, _SESSIONS):
        op.execute(statement)
    op.drop_index("ix_seats_cancellation", table_name="seats")
    op.drop_constraint(op.f("fk_seats_tenant_id_cancellation_id"), "seats", type_="foreignkey")
    op.drop_column("seats", "cancellation_id")
    _keep_one_at_a_time("state IN ('waiting', 'running')")
    _limit_scopes("'session', 'purchase', 'series', 'dates'")


# Older code would take it for its session's and free everybody. What waits is taken back; of what
# has begun the seats that are left stay, for the business to look at again.
_UNDONE = """
UPDATE cancellations SET state = CASE WHEN seats_freed > 0 THEN 'done' ELSE 'undone' END,
  total = done, finished_at = now()
WHERE scope = 'seats' AND state IN ('waiting', 'running')
"""
# What is over keeps its page, and with it the list of what is to be handed back.
_SESSIONS = "UPDATE cancellations SET scope = 'session' WHERE scope = 'seats'"


def _limit_scopes(scopes: str) -> None:
    op.drop_constraint(op.f("ck_cancellations_scope"), "cancellations")
    op.create_check_constraint(
        op.f("ck_cancellations_scope"), "cancellations", f"scope IN ({scopes})"
    )


def _keep_one_at_a_time(live: str) -> None:
    op.drop_index("uq_cancellations_live", table_name="cancellations")
    op.create_index(
        "uq_cancellations_live",
        "cancellations",
        ["tenant_id", "subject_id"],
        unique=True,
        postgresql_where=sa.text(live),
    )
