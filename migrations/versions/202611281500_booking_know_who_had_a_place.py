"""booking know who had a place.

Who gave their place on sits in it again where it is moved to another date, and not whoever had it
on the old one. Of what was handed on before this nobody knows the row any more: the name stays.

Revision: 0099, after 0098.
"""

from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE handings_on ADD COLUMN was_participant_id uuid,"
        " ADD CONSTRAINT fk_handings_on_tenant_id_was_participant_id"
        " FOREIGN KEY (tenant_id, was_participant_id) REFERENCES participants (tenant_id, id)"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE handings_on DROP COLUMN was_participant_id")
