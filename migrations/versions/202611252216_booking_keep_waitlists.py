"""booking keep waitlists.

Who waits for a full session or series, the places offered to them, and each service's terms for it.

Revision: 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column(
        "services",
        sa.Column(
            "waitlist",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
    )
    _create_entries()
    _create_offers()
    protect("waitlist_entries", "waitlist_offers")


def _create_entries() -> None:
    op.create_table(
        "waitlist_entries",
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("party_size", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        moment("joined_at"),
        moment("queued_at"),
        moment("short_since", nullable=True),
        moment("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(series_id IS NULL) <> (session_id IS NULL)",
            name=op.f("ck_waitlist_entries_series_or_session"),
        ),
        sa.CheckConstraint("party_size > 0", name=op.f("ck_waitlist_entries_party_size")),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'accepted', 'left', 'expired', 'removed', 'closed')",
            name=op.f("ck_waitlist_entries_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'offered')) = (ended_at IS NULL)",
            name=op.f("ck_waitlist_entries_ended"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["sessions.tenant_id", "sessions.id"],
            name=op.f("fk_waitlist_entries_tenant_id_session_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "series_id"],
            ["series.tenant_id", "series.id"],
            name=op.f("fk_waitlist_entries_tenant_id_series_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_waitlist_entries")),
    )
    for kind in ("session", "series"):
        op.create_index(
            f"uq_waitlist_entries_{kind}",
            "waitlist_entries",
            ["tenant_id", f"{kind}_id", "address"],
            unique=True,
            postgresql_where=sa.text("state IN ('waiting', 'offered')"),
        )
        op.create_index(
            f"ix_waitlist_entries_{kind}", "waitlist_entries", ["tenant_id", f"{kind}_id"]
        )


def _create_offers() -> None:
    op.create_table(
        "waitlist_offers",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("session_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        moment("made_at"),
        moment("expires_at"),
        moment("ended_at", nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("places > 0", name=op.f("ck_waitlist_offers_places")),
        sa.CheckConstraint("made_by IN ('list', 'staff')", name=op.f("ck_waitlist_offers_made_by")),
        sa.CheckConstraint(
            "state IN ('live', 'taken', 'declined', 'expired', 'withdrawn')",
            name=op.f("ck_waitlist_offers_state"),
        ),
        sa.CheckConstraint(
            "(state = 'live') = (ended_at IS NULL) AND (state = 'taken') = (order_id IS NOT NULL)",
            name=op.f("ck_waitlist_offers_ended"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["waitlist_entries.tenant_id", "waitlist_entries.id"],
            name=op.f("fk_waitlist_offers_tenant_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_waitlist_offers_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_waitlist_offers")),
    )
    op.create_index(
        "uq_waitlist_offers_live",
        "waitlist_offers",
        ["tenant_id", "entry_id"],
        unique=True,
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_index("ix_waitlist_offers_entry", "waitlist_offers", ["tenant_id", "entry_id"])
    op.create_index("ix_waitlist_offers_order", "waitlist_offers", ["tenant_id", "order_id"])


CONSUMERS = (
    "booking.serve_waitlists",
    "booking.tell_waiting",
    "booking.tell_offered",
    "booking.tell_closed",
    "booking.leave_lists",
    "booking.close_lists",
    "booking.waited_moved",
    "booking.tell_waiter_moved",
)
"""The work that only code with waiting lists knows, that of later code too."""


def downgrade() -> None:
    _drop_work()
    _give_back_places()
    op.drop_table("waitlist_offers")
    op.drop_table("waitlist_entries")
    op.drop_column("services", "waitlist")


def _drop_work() -> None:
    """Older code would park each row for an operator, or never look at it."""
    op.execute(
        sa.text("DELETE FROM outbox WHERE consumer = ANY(:consumers)").bindparams(
            sa.bindparam("consumers", list(CONSUMERS), postgresql.ARRAY(sa.Text()))
        )
    )
    op.execute("DELETE FROM due WHERE kind = 'waitlist'")


def _give_back_places() -> None:
    """Without their table nobody would know whose the places are."""
    op.execute(
        "UPDATE sessions SET seats_taken = seats_taken - held.places FROM ("
        "SELECT o.tenant_id, s.id, sum(o.places) AS places FROM waitlist_offers o"
        " CROSS JOIN LATERAL unnest(o.session_ids) AS s (id)"
        " WHERE o.state = 'live' AND o.holds GROUP BY o.tenant_id, s.id) held"
        " WHERE sessions.tenant_id = held.tenant_id AND sessions.id = held.id"
    )
