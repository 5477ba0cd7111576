"""booking keep gaps.

A course that is sold with gaps keeps what its buyer would have paid for each date left out, and who
waits for one of those does so for that purchase; the place is a booking that completes the first.
Of what was sold before, nothing is known: its gaps cannot be waited for.

Revision: 0031, after 0030.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

STANDS = "state IN ('waiting', 'offered')"
_COMPLETING = "SELECT id FROM waitlist_entries WHERE for_booking_id IS NOT NULL"
_GIVE_BACK_PLACES = f"""
UPDATE sessions SET seats_taken = seats_taken - held.places
FROM (
  SELECT o.tenant_id, s.id, sum(o.places) AS places
  FROM waitlist_offers o
  CROSS JOIN LATERAL unnest(o.session_ids) AS s (id)
  WHERE o.state = 'live' AND o.holds AND o.entry_id IN ({_COMPLETING})
  GROUP BY o.tenant_id, s.id
) held
WHERE sessions.tenant_id = held.tenant_id AND sessions.id = held.id
"""
_DROP_WORK = f"""
DELETE FROM outbox
WHERE payload ->> 'entry_id' IN (SELECT own.id::text FROM ({_COMPLETING}) own)
  OR payload ->> 'offer_id' IN (
    SELECT id::text FROM waitlist_offers WHERE entry_id IN ({_COMPLETING})
  )
"""


def upgrade() -> None:
    op.add_column(
        "bookings",
        sa.Column(
            "gaps",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
    )
    _refer("bookings", "completes_id")
    op.create_check_constraint(
        op.f("ck_bookings_completes"),
        "bookings",
        "completes_id IS NULL OR (series_id IS NOT NULL AND completes_id <> id)",
    )
    _refer("waitlist_entries", "for_booking_id")
    op.create_check_constraint(
        op.f("ck_waitlist_entries_for_booking"),
        "waitlist_entries",
        "for_booking_id IS NULL OR session_id IS NOT NULL",
    )
    _stand_once(f"{STANDS} AND for_booking_id IS NULL")
    op.create_index(
        "uq_waitlist_entries_for_booking",
        "waitlist_entries",
        ["tenant_id", "for_booking_id", "session_id"],
        unique=True,
        postgresql_where=sa.text(STANDS),
    )


def _refer(table: str, column: str) -> None:
    """A column that names a booking, with the index to find its rows by."""
    op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f(f"fk_{table}_tenant_id_{column}"),
        table,
        "bookings",
        ["tenant_id", column],
        ["tenant_id", "id"],
    )
    op.create_index(
        f"ix_{table}_{column}",
        table,
        ["tenant_id", column],
        postgresql_where=sa.text(f"{column} IS NOT NULL"),
    )


def _stand_once(where: str) -> None:
    """An address is on the list of a session once."""
    name = "uq_waitlist_entries_session"
    op.drop_index(name, "waitlist_entries")
    op.create_index(
        name,
        "waitlist_entries",
        ["tenant_id", "session_id", "address"],
        unique=True,
        postgresql_where=sa.text(where),
    )


def downgrade() -> None:
    # An address could stand twice then, and these places mean nothing without their booking.
    op.execute(_GIVE_BACK_PLACES)
    op.execute(_DROP_WORK)
    op.execute(f"DELETE FROM waitlist_offers WHERE entry_id IN ({_COMPLETING})")
    op.execute("DELETE FROM waitlist_entries WHERE for_booking_id IS NOT NULL")
    op.drop_index("uq_waitlist_entries_for_booking", "waitlist_entries")
    _stand_once(STANDS)
    op.drop_constraint(op.f("ck_waitlist_entries_for_booking"), "waitlist_entries")
    op.drop_column("waitlist_entries", "for_booking_id")
    op.drop_constraint(op.f("ck_bookings_completes"), "bookings")
    op.drop_column("bookings", "completes_id")
    op.drop_column("bookings", "gaps")
