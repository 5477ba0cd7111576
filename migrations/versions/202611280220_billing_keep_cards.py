"""billing keep cards.

Customers keep cards with a business, and pay with one in a press: each such attempt is a row
beside the payment pages, since it lives and ends as they do.

Revision: 0097, after 0096.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0097"
down_revision = "0096"
branch_labels = None
depends_on = None

_USABLE = "state = 'usable' AND fingerprint <> ''"


def upgrade() -> None:
    _processor_customers()
    _saved_cards()
    protect("processor_customers", "saved_cards")
    op.execute(
        "ALTER TABLE payment_pages ADD COLUMN kind text NOT NULL DEFAULT 'page',"
        " ADD COLUMN card_id uuid, ADD COLUMN keeps_card jsonb,"
        " ADD COLUMN put_aside_at timestamptz,"
        " ADD CONSTRAINT ck_payment_pages_kind CHECK (kind IN ('page', 'card')),"
        " ADD CONSTRAINT ck_payment_pages_card"
        " CHECK ((kind = 'card') = (card_id IS NOT NULL)),"
        " ADD CONSTRAINT fk_payment_pages_tenant_id_card_id"
        " FOREIGN KEY (tenant_id, card_id) REFERENCES saved_cards (tenant_id, id)"
    )


def downgrade() -> None:
    """Attempts with a card end with the cards; money that they brought stays as payments."""
    op.execute(
        "UPDATE payments SET page_id = NULL WHERE page_id IN"
        " (SELECT id FROM payment_pages WHERE kind = 'card')"
    )
    op.execute("DELETE FROM payment_pages WHERE kind = 'card'")
    op.execute(
        "ALTER TABLE payment_pages DROP COLUMN card_id, DROP COLUMN kind, DROP COLUMN keeps_card,"
        " DROP COLUMN put_aside_at"
    )
    op.drop_table("saved_cards")
    op.drop_table("processor_customers")


def _processor_customers() -> None:
    op.create_table(
        "processor_customers",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("processor_id", sa.Text(), nullable=True),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "NOT is_main OR ended_at IS NULL", name=op.f("ck_processor_customers_main_is_alive")
        ),
        _belongs("processor_customers", "customer_id", "customers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_processor_customers")),
        sa.UniqueConstraint(
            "tenant_id", "account_id", "processor_id", name="uq_processor_customers_processor_id"
        ),
    )
    op.create_index(
        "uq_processor_customers_main",
        "processor_customers",
        ["tenant_id", "customer_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("is_main"),
    )


def _saved_cards() -> None:
    op.create_table(
        "saved_cards",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("processor_customer_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("payment_method_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("exp_month", sa.Integer(), nullable=False),
        sa.Column("exp_year", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("consent", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('usable', 'removed', 'gone')", name=op.f("ck_saved_cards_state")
        ),
        sa.CheckConstraint(
            "(state = 'usable') = (ended_at IS NULL)", name=op.f("ck_saved_cards_ended")
        ),
        sa.CheckConstraint(
            "NOT is_default OR state = 'usable'", name=op.f("ck_saved_cards_default_is_usable")
        ),
        _belongs("saved_cards", "customer_id", "customers"),
        _belongs("saved_cards", "processor_customer_id", "processor_customers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_saved_cards")),
        sa.UniqueConstraint(
            "tenant_id", "payment_method_id", name="uq_saved_cards_payment_method_id"
        ),
    )
    op.create_index("ix_saved_cards_customer", "saved_cards", ["tenant_id", "customer_id"])
    op.create_index(
        "uq_saved_cards_default",
        "saved_cards",
        ["tenant_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_index(
        "uq_saved_cards_fingerprint",
        "saved_cards",
        ["tenant_id", "customer_id", "account_id", "fingerprint"],
        unique=True,
        postgresql_where=sa.text(_USABLE),
    )


def _belongs(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )
