"""billing know for which credits others stand.

A credit that came because one had ended names the lot whose credit it stands for: the same money
pays for both.

Revision: 0074, after 0059.
"""

from alembic import op

revision = "0074"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE credit_lots ADD COLUMN stands_for_id uuid,"
        " ADD CONSTRAINT fk_credit_lots_tenant_id_stands_for_id"
        " FOREIGN KEY (tenant_id, stands_for_id) REFERENCES credit_lots (tenant_id, id)"
    )
    # Only a seat that a credit had paid has brought one without any worth of its own.
    op.execute(
        "UPDATE credit_lots SET stands_for_id = seats.credit_lot_id FROM seats"
        " WHERE seats.tenant_id = credit_lots.tenant_id AND seats.id = credit_lots.source_seat_id"
        " AND seats.credit_lot_id IS NOT NULL AND credit_lots.value_minor = 0"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE credit_lots DROP COLUMN stands_for_id CASCADE")
