"""billing keep credits.

Packages, the lots of credits that customers own, and their ledger; which lot paid a seat; and the
words by which credits and dates find each other.

Revision: 0045, after 0044.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import narrow, protect

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

WAYS = """drop_in_pays <@ '["online", "on_site"{more}]'::jsonb"""
DROP_IN = (
    "drop_in_price_minor >= 0 AND drop_in_opens_before >= 0"
    " AND drop_in_opens_unit IN ('hours', 'days') AND "
)
ONLY_CREDIT = """drop_in_pays = '["credit"]'::jsonb"""
NO_CREDIT = """drop_in_pays - 'credit'"""


def text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=False)


def number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=False)


def truth(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def words(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=False)


def ref(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def key(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        ref("tenant_id", nullable=False),
        ref("id", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    )


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{to}.tenant_id", f"{to}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )


def check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    _packages()
    _lots()
    _entries()
    _notices()
    protect("packages", "credit_lots", "credit_entries", "credit_notices")
    # The ledger stays as it was written, but for what staff wrote of a person who is erased.
    narrow("credit_entries", "SELECT, INSERT, UPDATE (reason)")
    _marks_on_what_is_sold()


def _packages() -> None:
    op.create_table(
        "packages",
        text("purpose"),
        text("name"),
        text("description"),
        number("credits"),
        number("price_minor"),
        number("tax_rate_bp"),
        number("validity_days"),
        truth("any_service"),
        words("service_ids"),
        words("tags"),
        words("pays"),
        text("refund_rule"),
        text("visibility"),
        truth("active"),
        number("position"),
        moment("created_at"),
        moment("updated_at"),
        *key("packages"),
        check("packages", "purpose", "purpose IN ('sale', 'refund')"),
        check("packages", "visibility", "visibility IN ('public', 'unlisted', 'hidden')"),
        check("packages", "refund_rule", "refund_rule IN ('linear', 'claw_back')"),
        check("packages", "numbers", "credits > 0 AND validity_days >= 0 AND price_minor >= 0"),
        check(
            "packages",
            "scope",
            "any_service OR service_ids <> '[]'::jsonb OR tags <> '[]'::jsonb",
        ),
    )


def _lots() -> None:
    lots = "credit_lots"
    op.create_table(
        lots,
        ref("customer_id", nullable=False),
        ref("package_id"),
        ref("order_id"),
        text("source"),
        ref("source_seat_id"),
        ref("rolled_from_id"),
        text("state"),
        text("name"),
        truth("any_service"),
        words("service_ids"),
        words("tags"),
        number("balance"),
        number("forfeited"),
        number("bought"),
        number("paid_minor"),
        number("single_minor"),
        number("value_minor"),
        number("refunded_minor"),
        text("refund_rule"),
        text("currency"),
        number("validity_days"),
        moment("expires_at", nullable=True),
        moment("end_set_at", nullable=True),
        moment("created_at"),
        moment("activated_at", nullable=True),
        *key(lots),
        refers(lots, "customer_id", "customers"),
        refers(lots, "package_id", "packages"),
        refers(lots, "order_id", "orders"),
        refers(lots, "rolled_from_id", lots),
        check(lots, "state", "state IN ('pending', 'active', 'void')"),
        check(lots, "source", "source IN ('package', 'seat', 'goodwill', 'rollover')"),
        check(lots, "balance", "balance >= 0 AND forfeited >= 0"),
        check(lots, "only_active_has_balance", "state = 'active' OR balance = 0"),
        check(
            lots,
            "money",
            "bought >= 0 AND paid_minor >= 0 AND value_minor >= 0 AND single_minor >= 0"
            " AND refunded_minor >= 0 AND refunded_minor <= paid_minor + value_minor",
        ),
        check(lots, "seat", "(source = 'seat') = (source_seat_id IS NOT NULL)"),
        sa.UniqueConstraint("tenant_id", "source_seat_id", name="uq_credit_lots_seat"),
        sa.UniqueConstraint("tenant_id", "rolled_from_id", name="uq_credit_lots_rolled_from"),
    )
    op.create_index("ix_credit_lots_customer", lots, ["tenant_id", "customer_id"])
    op.create_index("ix_credit_lots_order", lots, ["tenant_id", "order_id"])
    op.create_index("ix_credit_lots_created", lots, ["tenant_id", "created_at", "id"])
    op.create_index(
        "ix_credit_lots_expires",
        lots,
        ["tenant_id", "expires_at"],
        postgresql_where=sa.text("state = 'active' AND balance > 0"),
    )


def _entries() -> None:
    entries = "credit_entries"
    op.create_table(
        entries,
        ref("lot_id", nullable=False),
        text("kind"),
        number("credits"),
        ref("seat_id"),
        ref("order_id"),
        ref("refund_id"),
        text("by"),
        ref("actor_id"),
        text("actor_name"),
        text("reason"),
        moment("at"),
        *key(entries),
        refers(entries, "lot_id", "credit_lots"),
        refers(entries, "order_id", "orders"),
        refers(entries, "refund_id", "refunds"),
        check(
            entries,
            "kind",
            "kind IN ('grant', 'redeem', 'restore', 'adjust', 'expire', 'refund')",
        ),
        check(entries, "credits", "credits <> 0"),
        check(entries, "by", "by IN ('guest', 'staff', 'system')"),
        sa.UniqueConstraint(
            "tenant_id", "lot_id", "seat_id", "kind", name="uq_credit_entries_seat"
        ),
    )
    op.create_index("ix_credit_entries_lot", entries, ["tenant_id", "lot_id", "at", "id"])
    op.create_index(
        "ix_credit_entries_seat",
        entries,
        ["tenant_id", "seat_id"],
        postgresql_where=sa.text("seat_id IS NOT NULL"),
    )


def _notices() -> None:
    notices = "credit_notices"
    op.create_table(
        notices,
        ref("lot_id", nullable=False),
        text("kind"),
        moment("expires_at"),
        moment("claimed_at"),
        *key(notices),
        refers(notices, "lot_id", "credit_lots"),
        check(notices, "kind", "kind IN ('warning', 'expired')"),
        sa.UniqueConstraint("tenant_id", "lot_id", "kind", "expires_at", name="uq_credit_notices"),
    )


def _marks_on_what_is_sold() -> None:
    op.add_column("seats", sa.Column("credit_lot_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_seats_tenant_id_credit_lot_id"),
        "seats",
        "credit_lots",
        ["tenant_id", "credit_lot_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "ix_seats_credit_lot",
        "seats",
        ["tenant_id", "credit_lot_id"],
        postgresql_where=sa.text("credit_lot_id IS NOT NULL"),
    )
    for table in ("series", "sessions"):
        op.add_column(
            table,
            sa.Column(
                "tags",
                postgresql.JSONB(astext_type=sa.Text()),
                nullable=False,
                server_default=sa.text("'[]'"),
            ),
        )
        _allow_ways(table, WAYS.format(more=', "credit"'))
    op.add_column(
        "series",
        sa.Column("takes_credits", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )


def _allow_ways(table: str, ways: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_drop_in"), table)
    op.create_check_constraint(op.f(f"ck_{table}_drop_in"), table, f"{DROP_IN}{ways}")


def downgrade() -> None:
    op.drop_column("series", "takes_credits")
    for table in ("series", "sessions"):
        # What was sold for credits alone is not sold singly any more, rather than to everybody.
        op.execute(f"UPDATE {table} SET drop_in_allowed = false WHERE {ONLY_CREDIT}")
        op.execute(f"UPDATE {table} SET drop_in_pays = {NO_CREDIT}")
        _allow_ways(table, WAYS.format(more=""))
        op.drop_column(table, "tags")
    op.drop_index("ix_seats_credit_lot", "seats")
    op.drop_constraint(op.f("fk_seats_tenant_id_credit_lot_id"), "seats")
    op.drop_column("seats", "credit_lot_id")
    for table in ("credit_notices", "credit_entries", "credit_lots", "packages"):
        op.drop_table(table)
