"""booking cancel with money.

A cancellation keeps what goes back to whom, may be of a whole series, and remembers which dates it
stopped. Disputes are kept as rows, so that they are counted when they are over, too.

Revision: 0021, after 0020.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _limit_scopes("'session', 'purchase', 'series'")
    op.add_column(
        "cancellations",
        sa.Column(
            "session_ids",
            postgresql.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'::uuid[]"),
            nullable=False,
        ),
    )
    op.add_column(
        "cancellations",
        sa.Column("resumes_sale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    _create_cancellation_returns()
    _create_disputes()
    protect("cancellation_returns", "disputes")


def downgrade() -> None:
    _cancel_dates_singly()
    op.drop_table("disputes")
    op.drop_table("cancellation_returns")
    op.drop_column("cancellations", "resumes_sale")
    op.drop_column("cancellations", "session_ids")
    _limit_scopes("'session', 'purchase'")


_STOPPED = """
CREATE TEMPORARY TABLE stopped ON COMMIT DROP AS
SELECT c.tenant_id, c.id AS cancellation_id, s.id AS session_id, gen_random_uuid() AS id,
  row_number() OVER (PARTITION BY c.tenant_id, c.id ORDER BY s.id) AS number
FROM cancellations c
JOIN sessions s ON s.tenant_id = c.tenant_id AND s.id = ANY(c.session_ids)
WHERE c.scope = 'series' AND c.state IN ('waiting', 'running') AND s.state = 'cancelling'
"""
_OTHER_DATES = """
INSERT INTO cancellations (tenant_id, id, scope, subject_id, state, reason, total, done,
  seats_freed, gives_back, requested_by, requested_at, starts_at)
SELECT c.tenant_id, one.id, 'session', one.session_id, c.state, c.reason, (
    SELECT count(DISTINCT b.customer_id) FROM seats
    JOIN bookings b ON b.tenant_id = seats.tenant_id AND b.id = seats.booking_id
    WHERE seats.tenant_id = one.tenant_id AND seats.session_id = one.session_id
      AND seats.state IN ('confirmed', 'attended', 'no_show')
  ), 0, 0, c.gives_back, c.requested_by, c.requested_at, c.starts_at
FROM stopped one
JOIN cancellations c ON c.tenant_id = one.tenant_id AND c.id = one.cancellation_id
WHERE one.number > 1
"""
_THEIR_WORK = """
INSERT INTO outbox (tenant_id, id, topic, consumer, payload, created_at, available_at, attempts)
SELECT c.tenant_id, gen_random_uuid(), 'booking.cancellation_requested', 'booking.cancel',
  jsonb_build_object('cancellation_id', one.id), c.requested_at, c.starts_at, 0
FROM stopped one
JOIN cancellations c ON c.tenant_id = one.tenant_id AND c.id = one.cancellation_id
WHERE one.number > 1
"""
_FIRST_DATE = """
UPDATE cancellations c SET scope = 'session', subject_id = coalesce((
    SELECT one.session_id FROM stopped one
    WHERE one.tenant_id = c.tenant_id AND one.cancellation_id = c.id AND one.number = 1
  ), c.session_ids[1])
WHERE c.scope = 'series' AND cardinality(c.session_ids) > 0
"""


def _cancel_dates_singly() -> None:
    """Older code cancels no series, and a date that is being cancelled would stay so for ever. So a
    series' cancellation becomes that of its first date and keeps its work and its mails; each other
    date that is still to be freed gets one of its own. What was chosen to go back is lost with its
    table, and the series stays off sale.
    """
    for statement in (_STOPPED, _OTHER_DATES, _THEIR_WORK, _FIRST_DATE):
        op.execute(statement)
    op.execute("DELETE FROM cancellations WHERE scope = 'series'")


def _limit_scopes(scopes: str) -> None:
    op.drop_constraint(op.f("ck_cancellations_scope"), "cancellations")
    op.create_check_constraint(
        op.f("ck_cancellations_scope"), "cancellations", f"scope IN ({scopes})"
    )


def _create_cancellation_returns() -> None:
    op.create_table(
        "cancellation_returns",
        sa.Column("cancellation_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("chosen_minor", sa.Integer(), nullable=False),
        sa.Column("asked_minor", sa.Integer(), nullable=False),
        sa.Column("by_hand_minor", sa.Integer(), nullable=False),
        sa.Column("handed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "asked_minor >= 0 AND by_hand_minor >= 0 AND asked_minor + by_hand_minor"
            " <= chosen_minor",
            name=op.f("ck_cancellation_returns_money"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cancellation_id"],
            ["cancellations.tenant_id", "cancellations.id"],
            name=op.f("fk_cancellation_returns_tenant_id_cancellation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_cancellation_returns_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cancellation_returns")),
        sa.UniqueConstraint(
            "tenant_id", "cancellation_id", "order_id", name="uq_cancellation_returns_order"
        ),
    )


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("processor_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_disputes_amount")),
        sa.CheckConstraint(
            "state IN ('open', 'won', 'lost') AND (state = 'open') = (decided_at IS NULL)",
            name=op.f("ck_disputes_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments.tenant_id", "payments.id"],
            name=op.f("fk_disputes_tenant_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_disputes_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("tenant_id", "processor_id", name="uq_disputes_processor_id"),
    )
    op.create_index("ix_disputes_order", "disputes", ["tenant_id", "order_id"])
