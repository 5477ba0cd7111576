"""billing take bank transfers.

Orders may wait for a bank transfer; each business says to which account, and by which methods its
payment page may be paid beside cards.

Revision: 0055, after 0054.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _limit_modes("'online', 'on_site', 'transfer', 'credit', 'free'")
    op.add_column("payments", sa.Column("arrived_on", sa.Date(), nullable=True))
    op.create_table(
        "payment_settings",
        sa.Column("takes_transfers", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.Column("transfer_days", sa.Integer(), nullable=False),
        sa.Column("transfer_lead_days", sa.Integer(), nullable=False),
        sa.Column("transfer_text", sa.Text(), nullable=False),
        sa.Column("methods", postgresql.JSONB(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "NOT takes_transfers OR (holder <> '' AND iban <> '')",
            name=op.f("ck_payment_settings_account"),
        ),
        sa.CheckConstraint(
            "transfer_days > 0 AND transfer_lead_days > 0", name=op.f("ck_payment_settings_days")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payment_settings")),
        sa.UniqueConstraint("tenant_id", name="uq_payment_settings_tenant_id"),
    )
    protect("payment_settings")


_UNPAID = """
UPDATE orders SET payment_mode = 'on_site'
WHERE payment_mode = 'transfer' AND state <> 'open'
"""
_WAITING = "UPDATE orders SET payment_mode = 'online' WHERE payment_mode = 'transfer'"
_METHODS = "UPDATE payments SET method = 'on_site' WHERE method = 'transfer'"
_REMINDERS = "DELETE FROM due WHERE kind = 'transfer_reminder'"


def downgrade() -> None:
    """What came by transfer was taken past the processor, as on site; what waits for one may be
    paid online for as long as it is held.
    """
    for statement in (_UNPAID, _WAITING, _METHODS, _REMINDERS):
        op.execute(statement)
    op.drop_table("payment_settings")
    op.drop_column("payments", "arrived_on")
    _limit_modes("'online', 'on_site', 'credit', 'free'")


def _limit_modes(modes: str) -> None:
    name = op.f("ck_orders_payment_mode")
    op.drop_constraint(name, "orders", type_="check")
    op.create_check_constraint(name, "orders", f"payment_mode IN ({modes})")
