"""booking let guests sign agreements.

A business's agreements, each with the versions of its text, what asks for it, and who signed which
version. A version stays as it was published, and a signature as it was given: the program may only
empty what tells of a person, or give it to the customer that another one was merged into.

Revision: 0096, after 0095.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import narrow, protect

revision = "0096"
down_revision = "0095"
branch_labels = None
depends_on = None

TABLES = ("agreements", "agreement_versions", "agreement_needs", "agreement_signatures")


def upgrade() -> None:
    _agreements()
    _versions()
    _needs()
    _signatures()
    protect(*TABLES)
    narrow("agreement_versions", "SELECT, INSERT")
    narrow(
        "agreement_signatures",
        "SELECT, INSERT, UPDATE (customer_id, name, address, browser)",
    )


def _agreements() -> None:
    op.create_table(
        "agreements",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_at("created_at", "updated_at"),
        *_keys(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_agreements_slug"),
    )


def _versions() -> None:
    op.create_table(
        "agreement_versions",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        *_at("published_at"),
        *_keys(),
        sa.CheckConstraint("number > 0", name=op.f("ck_agreement_versions_number")),
        sa.CheckConstraint(
            "sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')",
            name=op.f("ck_agreement_versions_hash"),
        ),
        _within("agreement_versions", "agreement_id", "agreements"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_versions")),
        sa.UniqueConstraint(
            "tenant_id", "agreement_id", "number", name="uq_agreement_versions_number"
        ),
    )


def _needs() -> None:
    op.create_table(
        "agreement_needs",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        *_keys(),
        sa.CheckConstraint(
            "num_nonnulls(service_id, series_id, package_id) = 1",
            name=op.f("ck_agreement_needs_one_thing"),
        ),
        _within("agreement_needs", "agreement_id", "agreements"),
        _within("agreement_needs", "service_id", "services"),
        _within("agreement_needs", "series_id", "series"),
        _within("agreement_needs", "package_id", "packages", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_needs")),
    )
    for thing in ("service", "series", "package"):
        op.create_index(
            f"uq_agreement_needs_{thing}",
            "agreement_needs",
            ["tenant_id", f"{thing}_id", "agreement_id"],
            unique=True,
            postgresql_where=sa.text(f"{thing}_id IS NOT NULL"),
        )
    op.create_index(
        "ix_agreement_needs_agreement", "agreement_needs", ["tenant_id", "agreement_id"]
    )


def _signatures() -> None:
    op.create_table(
        "agreement_signatures",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("is_proved", sa.Boolean(), nullable=False),
        *_at("signed_at"),
        *_keys(),
        sa.CheckConstraint(
            "how IN ('booking', 'api', 'link', 'portal')",
            name=op.f("ck_agreement_signatures_how"),
        ),
        sa.CheckConstraint(
            "is_proved OR order_id IS NOT NULL", name=op.f("ck_agreement_signatures_whose")
        ),
        _within("agreement_signatures", "version_id", "agreement_versions"),
        _within("agreement_signatures", "customer_id", "customers"),
        _within("agreement_signatures", "order_id", "orders"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_signatures")),
    )
    op.create_index(
        "uq_agreement_signatures_order",
        "agreement_signatures",
        ["tenant_id", "order_id", "version_id"],
        unique=True,
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_agreement_signatures_customer", "agreement_signatures", ["tenant_id", "customer_id"]
    )
    op.create_index(
        "ix_agreement_signatures_version",
        "agreement_signatures",
        ["tenant_id", "version_id", "signed_at"],
    )


def _at(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=False) for name in names]


def _keys() -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id")]


def _within(
    table: str, column: str, to: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{to}.tenant_id", f"{to}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete=ondelete,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
