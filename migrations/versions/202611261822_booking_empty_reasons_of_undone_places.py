"""booking empty reasons of undone places.

Since places whose cancelling was undone keep no reason, for no seat leads from the guest to it any
more, those of before keep none either: whoever is erased could not be found in it.

Revision: 0043, after 0042.
"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE cancellations SET reason = ''"
        " WHERE scope = 'seats' AND state = 'undone' AND reason <> ''"
    )


def downgrade() -> None:
    """Older code reads no reason of what was undone, and what is forgotten stays so."""
