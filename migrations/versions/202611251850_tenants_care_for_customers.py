"""tenants care for customers.

Notes and tags of customers, and what makes two of them one.

Revision: 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.add_column(
        "customers",
        sa.Column("merged_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
    )
    op.create_foreign_key(
        op.f("fk_customers_tenant_id_merged_into"),
        "customers",
        "customers",
        ["tenant_id", "merged_into"],
        ["tenant_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_customers_merged_into_another"), "customers", "merged_into <> id"
    )
    op.create_index("ix_customers_name", "customers", ["tenant_id", sa.text("lower(name)")])
    op.create_index(
        "ix_customers_phone",
        "customers",
        ["tenant_id", "phone"],
        postgresql_where=sa.text("phone <> ''"),
    )
    op.create_index(
        "ix_customers_merged_into",
        "customers",
        ["tenant_id", "merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_table(
        "customer_notes",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_customer_notes_tenant_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_notes")),
    )
    op.create_index("ix_customer_notes_customer", "customer_notes", ["tenant_id", "customer_id"])
    op.create_table(
        "customer_tags",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "word = lower(btrim(word)) AND word <> ''",
            name=op.f("ck_customer_tags_word_normalised"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_customer_tags_tenant_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_tags")),
        sa.UniqueConstraint("tenant_id", "customer_id", "word", name="uq_customer_tags_word"),
    )
    op.create_index("ix_customer_tags_word", "customer_tags", ["tenant_id", "word"])
    protect("customer_notes", "customer_tags")


def downgrade() -> None:
    op.drop_table("customer_tags")
    op.drop_table("customer_notes")
    op.drop_index("ix_customers_merged_into", table_name="customers")
    op.drop_index("ix_customers_phone", table_name="customers")
    op.drop_index("ix_customers_name", table_name="customers")
    op.drop_constraint(op.f("ck_customers_merged_into_another"), "customers", type_="check")
    op.drop_constraint(op.f("fk_customers_tenant_id_merged_into"), "customers", type_="foreignkey")
    op.drop_column("customers", "merged_at")
    op.drop_column("customers", "merged_into")
