"""booking write to several.

A mail to many may be for several sessions, series and tags at once: its audiences are a list of
`session:<id>`, `series:<id>` and `tag:<word>`. Turning it back keeps the first one of each.

Revision: 0033, after 0032.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcasts", sa.Column("audiences", postgresql.JSONB(), nullable=True))
    op.execute(
        "UPDATE broadcasts SET audiences = jsonb_build_array("
        "audience || ':' || CASE audience WHEN 'tag' THEN word ELSE subject_id::text END)"
    )
    op.alter_column("broadcasts", "audiences", nullable=False)
    op.create_check_constraint(
        op.f("ck_broadcasts_audiences"), "broadcasts", "jsonb_array_length(audiences) > 0"
    )
    op.drop_constraint(op.f("ck_broadcasts_subject"), "broadcasts")
    op.drop_constraint(op.f("ck_broadcasts_audience"), "broadcasts")
    for name in ("audience", "subject_id", "word"):
        op.drop_column("broadcasts", name)


def downgrade() -> None:
    op.add_column("broadcasts", sa.Column("audience", sa.Text(), nullable=True))
    op.add_column("broadcasts", sa.Column("subject_id", sa.Uuid(), nullable=True))
    op.add_column(
        "broadcasts",
        sa.Column("word", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
    op.alter_column("broadcasts", "word", server_default=None)
    first = "audiences->>0"
    op.execute(
        f"UPDATE broadcasts SET audience = split_part({first}, ':', 1),"
        f" subject_id = CASE WHEN {first} NOT LIKE 'tag:%'"
        f" THEN split_part({first}, ':', 2)::uuid END,"
        f" word = CASE WHEN {first} LIKE 'tag:%' THEN substr({first}, 5) ELSE '' END"
    )
    op.alter_column("broadcasts", "audience", nullable=False)
    op.create_check_constraint(
        op.f("ck_broadcasts_audience"), "broadcasts", "audience IN ('session', 'series', 'tag')"
    )
    op.create_check_constraint(
        op.f("ck_broadcasts_subject"), "broadcasts", "(audience = 'tag') = (subject_id IS NULL)"
    )
    op.drop_constraint(op.f("ck_broadcasts_audiences"), "broadcasts")
    op.drop_column("broadcasts", "audiences")
