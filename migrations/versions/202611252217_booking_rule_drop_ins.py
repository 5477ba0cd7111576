"""booking rule drop ins.

A series says from when on its dates are sold alone and how they may be paid; each date may have
rules of its own, empty ones fall back to those of its series. Services and series have other prices
beside their full one, and a seat keeps what its price was called.

Revision: 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

RULES = (
    "drop_in_price_minor >= 0 AND drop_in_opens_before >= 0"
    " AND drop_in_opens_unit IN ('hours', 'days')"
    """ AND drop_in_pays <@ '["online", "on_site"]'::jsonb"""
)
NEW = ("drop_in_opens_before", "drop_in_opens_unit", "drop_in_pays")


def upgrade() -> None:
    op.add_column("sessions", sa.Column("drop_in_allowed", sa.Boolean(), nullable=True))
    op.add_column("sessions", sa.Column("drop_in_price_minor", sa.Integer(), nullable=True))
    for table in ("series", "sessions"):
        op.add_column(table, sa.Column("drop_in_opens_before", sa.Integer(), nullable=True))
        op.add_column(
            table,
            sa.Column(
                "drop_in_opens_unit", sa.Text(), nullable=False, server_default=sa.text("'days'")
            ),
        )
        op.add_column(
            table,
            sa.Column("drop_in_pays", JSONB(), nullable=False, server_default=sa.text("'[]'")),
        )
        op.create_check_constraint(op.f(f"ck_{table}_drop_in"), table, RULES)
    for table in ("services", "series"):
        op.add_column(
            table,
            sa.Column("price_tiers", JSONB(), nullable=False, server_default=sa.text("'[]'")),
        )
    op.add_column(
        "seats", sa.Column("tier", sa.Text(), nullable=False, server_default=sa.text("''"))
    )


def downgrade() -> None:
    op.drop_column("seats", "tier")
    for table in ("series", "services"):
        op.drop_column(table, "price_tiers")
    for table in ("sessions", "series"):
        op.drop_constraint(op.f(f"ck_{table}_drop_in"), table)
        for column in reversed(NEW):
            op.drop_column(table, column)
    for column in ("drop_in_price_minor", "drop_in_allowed"):
        op.drop_column("sessions", column)
