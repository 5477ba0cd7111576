"""booking cancel dates.

A cancellation may be of several chosen dates.

Revision: 0030, after 0029.
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _limit_scopes("'session', 'purchase', 'series', 'dates'")


def downgrade() -> None:
    _cancel_dates_singly()
    _limit_scopes("'session', 'purchase', 'series'")


_STOPPED = """
CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
SELECT c.tenant_id, c.id AS cancellation_id, s.id AS session_id, gen_random_uuid() AS id
FROM cancellations c
JOIN sessions s ON s.tenant_id = c.tenant_id AND s.id = ANY(c.session_ids)
WHERE c.scope = 'dates' AND c.state IN ('waiting', 'running') AND s.state = 'cancelling'
  AND s.id <> c.subject_id
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
FROM chosen one
JOIN cancellations c ON c.tenant_id = one.tenant_id AND c.id = one.cancellation_id
"""
_THEIR_WORK = """
INSERT INTO outbox (tenant_id, id, topic, consumer, payload, created_at, available_at, attempts)
SELECT c.tenant_id, gen_random_uuid(), 'booking.cancellation_requested', 'booking.cancel',
  jsonb_build_object('cancellation_id', one.id), c.requested_at, c.starts_at, 0
FROM chosen one
JOIN cancellations c ON c.tenant_id = one.tenant_id AND c.id = one.cancellation_id
"""
_FIRST_DATE = "UPDATE cancellations SET scope = 'session', session_ids = '{}' WHERE scope = 'dates'"


def _cancel_dates_singly() -> None:
    """Older code would free the seats of none of the dates. So the cancellation becomes that of the
    earliest one, its subject, and keeps its work, its mails and what was chosen to go back, as far
    as that date's shares go; each other date that is still to be freed gets a cancellation of its
    own, with which nothing goes back, and staff give the rest back from the orders.
    """
    for statement in (_STOPPED, _OTHER_DATES, _THEIR_WORK, _FIRST_DATE):
        op.execute(statement)


def _limit_scopes(scopes: str) -> None:
    op.drop_constraint(op.f("ck_cancellations_scope"), "cancellations")
    op.create_check_constraint(
        op.f("ck_cancellations_scope"), "cancellations", f"scope IN ({scopes})"
    )
