"""booking let guests fill in worksheets.

A business's forms, each with its versions, what asks for it, every guest's own copy, and the files
that were sent with one. A version stays as it was published: the program has no right to change it.

Revision: 0100, after 0099.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import narrow, protect

revision = "0100"
down_revision = "0099"
branch_labels = None
depends_on = None

TABLES = (
    "worksheets",
    "worksheet_versions",
    "worksheet_needs",
    "worksheet_copies",
    "worksheet_files",
)
_CONSUMERS = (
    "booking.ask_worksheets",
    "booking.tell_worksheets",
    "booking.unask_worksheets",
    "booking.unask_lapsed",
    "booking.unask_refunded",
)


def upgrade() -> None:
    _worksheets()
    _versions()
    _needs()
    _copies()
    _files()
    protect(*TABLES)
    narrow("worksheet_versions", "SELECT, INSERT")


def _worksheets() -> None:
    op.create_table(
        "worksheets",
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("questions", postgresql.JSONB(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_at("created_at", "updated_at"),
        *_keys(),
        sa.CheckConstraint("rule IN ('once', 'each')", name=op.f("ck_worksheets_rule")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_worksheets")),
    )


def _versions() -> None:
    op.create_table(
        "worksheet_versions",
        sa.Column("worksheet_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("questions", postgresql.JSONB(), nullable=False),
        *_at("published_at"),
        sa.Column("published_by", sa.Text(), nullable=False),
        *_keys(),
        sa.CheckConstraint("number > 0", name=op.f("ck_worksheet_versions_number")),
        _within("worksheet_versions", "worksheet_id", "worksheets"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_worksheet_versions")),
        sa.UniqueConstraint(
            "tenant_id", "worksheet_id", "number", name="uq_worksheet_versions_number"
        ),
    )


def _needs() -> None:
    op.create_table(
        "worksheet_needs",
        sa.Column("worksheet_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column(
            "since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        *_keys(),
        sa.CheckConstraint(
            "num_nonnulls(service_id, series_id, package_id) = 1",
            name=op.f("ck_worksheet_needs_one_thing"),
        ),
        _within("worksheet_needs", "worksheet_id", "worksheets"),
        _within("worksheet_needs", "service_id", "services"),
        _within("worksheet_needs", "series_id", "series"),
        _within("worksheet_needs", "package_id", "packages", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_worksheet_needs")),
    )
    for thing in ("service", "series", "package"):
        op.create_index(
            f"uq_worksheet_needs_{thing}",
            "worksheet_needs",
            ["tenant_id", f"{thing}_id", "worksheet_id"],
            unique=True,
            postgresql_where=sa.text(f"{thing}_id IS NOT NULL"),
        )
    op.create_index(
        "ix_worksheet_needs_worksheet", "worksheet_needs", ["tenant_id", "worksheet_id"]
    )


def _copies() -> None:
    op.create_table(
        "worksheet_copies",
        sa.Column("worksheet_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answers", postgresql.JSONB(), nullable=False),
        sa.Column("draft", postgresql.JSONB(), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("reopened_why", sa.Text(), nullable=False),
        *_at("asked_at"),
        sa.Column("saved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        *_keys(),
        sa.CheckConstraint(
            "state IN ('asked', 'begun', 'sent', 'reopened', 'taken_back')",
            name=op.f("ck_worksheet_copies_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('sent', 'reopened') OR sent_at IS NOT NULL",
            name=op.f("ck_worksheet_copies_sent"),
        ),
        sa.CheckConstraint(
            "draft IS NULL OR state = 'reopened'", name=op.f("ck_worksheet_copies_draft")
        ),
        _within("worksheet_copies", "worksheet_id", "worksheets"),
        _within("worksheet_copies", "version_id", "worksheet_versions"),
        _within("worksheet_copies", "customer_id", "customers"),
        _within("worksheet_copies", "order_id", "orders"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_worksheet_copies")),
    )
    op.create_index(
        "uq_worksheet_copies_order",
        "worksheet_copies",
        ["tenant_id", "order_id", "worksheet_id"],
        unique=True,
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_worksheet_copies_customer", "worksheet_copies", ["tenant_id", "customer_id"]
    )
    op.create_index(
        "ix_worksheet_copies_worksheet",
        "worksheet_copies",
        ["tenant_id", "worksheet_id", "asked_at"],
    )


def _files() -> None:
    op.create_table(
        "worksheet_files",
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("is_draft", sa.Boolean(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *_at("added_at"),
        *_keys(),
        sa.CheckConstraint("octet_length(content) = size", name=op.f("ck_worksheet_files_size")),
        _within("worksheet_files", "copy_id", "worksheet_copies"),
        _within("worksheet_files", "customer_id", "customers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_worksheet_files")),
        sa.UniqueConstraint(
            "tenant_id", "copy_id", "key", "is_draft", name="uq_worksheet_files_key"
        ),
    )
    op.create_index("ix_worksheet_files_customer", "worksheet_files", ["tenant_id", "customer_id"])


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
    """What waits to be done about worksheets is done by nobody then."""
    names = ", ".join(f"'{name}'" for name in _CONSUMERS)
    op.execute(f"DELETE FROM outbox WHERE consumer IN ({names})")
    for table in reversed(TABLES):
        op.drop_table(table)
