"""booking let groups meet.

A business keeps circles of customers, each with a page of its own: who is in one, by what they came
into it, and what is written there. Guests may do without the mails about that.

Revision: 0101, after 0100.
"""

import sqlalchemy as sa
from alembic import op

from migrations.policies import protect

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None

_THINGS = (("service_id", "services"), ("series_id", "series"), ("package_id", "packages"))
_ENDED = "ended_by IN ('', 'staff', 'guest', 'purchase') AND (ended_by = '') = (ended_at IS NULL)"
_CONSUMERS = (
    "booking.join_groups",
    "booking.leave_groups",
    "booking.join_by_package",
    "booking.leave_lapsed",
    "booking.judge_refunded",
    "booking.mail_post",
)
_TABLES = (
    "groups",
    "group_slugs",
    "group_givers",
    "group_members",
    "group_sources",
    "group_posts",
    "group_post_mails",
)


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("shows_members", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *_key("groups"),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_groups_slug"),
    )
    _former_slugs()
    _givers()
    _members()
    _sources()
    _posts()
    protect(*_TABLES)
    _topics("'marketing', 'reminders', 'groups'")


def downgrade() -> None:
    """What waits to be done about groups is done by nobody then."""
    names = ", ".join(f"'{name}'" for name in _CONSUMERS)
    op.execute(f"DELETE FROM outbox WHERE consumer IN ({names})")
    op.execute("DELETE FROM mail_choices WHERE topic = 'groups'")
    _topics("'marketing', 'reminders'")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _former_slugs() -> None:
    """Addresses that were given out before lead on."""
    op.create_table(
        "group_slugs",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        *_key("group_slugs"),
        _belongs("group_slugs", "group_id", "groups"),
        sa.UniqueConstraint("tenant_id", "slug", name="uq_group_slugs_slug"),
    )
    op.create_index("ix_group_slugs_group", "group_slugs", ["tenant_id", "group_id"])


def _givers() -> None:
    """What makes its buyers members, and since when; a thing that is deleted makes nobody one any
    more.
    """
    op.create_table(
        "group_givers",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column(
            "since", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        *_key("group_givers"),
        sa.CheckConstraint(
            "num_nonnulls(service_id, series_id, package_id) = 1",
            name=op.f("ck_group_givers_one_thing"),
        ),
        _belongs("group_givers", "group_id", "groups"),
        *(_belongs("group_givers", column, other) for column, other in _THINGS),
        *(
            sa.UniqueConstraint(
                "tenant_id",
                "group_id",
                column,
                name=f"uq_group_givers_{column.removesuffix('_id')}",
            )
            for column, _other in _THINGS
        ),
    )
    for column, _other in _THINGS:
        op.create_index(
            f"ix_group_givers_{column.removesuffix('_id')}",
            "group_givers",
            ["tenant_id", column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def _members() -> None:
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("is_shown", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        *_key("group_members"),
        sa.CheckConstraint(_ENDED, name=op.f("ck_group_members_ended")),
        _belongs("group_members", "group_id", "groups"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_group_members_tenant_id_customer_id"),
        ),
        sa.UniqueConstraint(
            "tenant_id", "group_id", "customer_id", name="uq_group_members_customer"
        ),
    )
    op.create_index("ix_group_members_customer", "group_members", ["tenant_id", "customer_id"])


def _sources() -> None:
    """By what somebody came in; rows stay when it ends, so that a repeat brings nobody back who
    wanted to go, and a purchase that stands again those who did not.
    """
    op.create_table(
        "group_sources",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        *_key("group_sources"),
        sa.CheckConstraint(
            "(order_id IS NULL) = (added_by <> '')", name=op.f("ck_group_sources_origin")
        ),
        sa.CheckConstraint(_ENDED, name=op.f("ck_group_sources_ended")),
        _belongs("group_sources", "group_id", "groups"),
        _belongs("group_sources", "member_id", "group_members"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_group_sources_tenant_id_order_id"),
        ),
        sa.UniqueConstraint("tenant_id", "group_id", "order_id", name="uq_group_sources_order"),
    )
    op.create_index(
        "uq_group_sources_staff",
        "group_sources",
        ["tenant_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("order_id IS NULL AND ended_at IS NULL"),
    )
    op.create_index("ix_group_sources_member", "group_sources", ["tenant_id", "member_id"])
    op.create_index(
        "ix_group_sources_order",
        "group_sources",
        ["tenant_id", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )


def _posts() -> None:
    op.create_table(
        "group_posts",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_mailed", sa.Boolean(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        *_key("group_posts"),
        _belongs("group_posts", "group_id", "groups"),
    )
    op.create_index("ix_group_posts_group", "group_posts", ["tenant_id", "group_id", "id"])
    op.create_table(
        "group_post_mails",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        *_key("group_post_mails"),
        _belongs("group_post_mails", "post_id", "group_posts"),
        _belongs("group_post_mails", "member_id", "group_members"),
        sa.UniqueConstraint("tenant_id", "post_id", "member_id", name="uq_group_post_mails_member"),
    )
    op.create_index("ix_group_post_mails_member", "group_post_mails", ["tenant_id", "member_id"])


def _key(table: str) -> tuple[sa.Column[object], sa.Column[object], sa.PrimaryKeyConstraint]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    )


def _belongs(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def _topics(allowed: str) -> None:
    name = op.f("ck_mail_choices_topic")
    op.drop_constraint(name, "mail_choices", type_="check")
    op.create_check_constraint(name, "mail_choices", f"topic IN ({allowed})")
