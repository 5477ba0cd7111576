"""booking create collections.

An owner puts services, series and packages together on a page of their own, for everybody or for
established customers only.

Revision: 0095, after 0094.
"""

import sqlalchemy as sa
from alembic import op

from migrations.policies import protect

revision = "0095"
down_revision = "0094"
branch_labels = None
depends_on = None

_THINGS = (("service_id", "services"), ("series_id", "series"), ("package_id", "packages"))


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cover_text", sa.Text(), nullable=False),
        sa.Column("listed_in_portal", sa.Boolean(), nullable=False),
        sa.Column("established_only", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_collections")),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_collections_slug"),
    )
    _items()
    _former_slugs()
    protect("collections", "collection_items", "collection_slugs")


def downgrade() -> None:
    for table in ("collection_slugs", "collection_items", "collections"):
        op.drop_table(table)


def _items() -> None:
    """A thing that is deleted leaves; so does all that is in a collection that is."""
    op.create_table(
        "collection_items",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(service_id, series_id, package_id) = 1",
            name=op.f("ck_collection_items_one_thing"),
        ),
        _belongs("collection_items", "collection_id", "collections"),
        *(_belongs("collection_items", column, other) for column, other in _THINGS),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_collection_items")),
        *(
            sa.UniqueConstraint(
                "tenant_id",
                "collection_id",
                column,
                name=f"uq_collection_items_{column.removesuffix('_id')}",
            )
            for column, _other in _THINGS
        ),
    )
    op.create_index(
        "ix_collection_items_collection",
        "collection_items",
        ["tenant_id", "collection_id", "position"],
    )
    for column, _other in _THINGS:
        op.create_index(
            f"ix_collection_items_{column.removesuffix('_id')}",
            "collection_items",
            ["tenant_id", column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def _former_slugs() -> None:
    """Addresses that were given out before lead on."""
    op.create_table(
        "collection_slugs",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _belongs("collection_slugs", "collection_id", "collections"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_collection_slugs")),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_collection_slugs_slug"),
    )
    op.create_index(
        "ix_collection_slugs_collection", "collection_slugs", ["tenant_id", "collection_id"]
    )


def _belongs(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )
