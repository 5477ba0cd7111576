"""tenants plans without groups say what they are for.

Free and Starter sell nothing without group services, and their cards say so: a summary that speaks
of starting out stood right above it. Where an admin has written another summary, it stays.

Revision: 0041, after 0040.
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

SUMMARIES = {
    "free": (
        "For one person who is starting out.",
        "For one person between two seasons.",
    ),
    "starter": (
        "For a small team that is starting out.",
        "For a small team between two seasons.",
    ),
}

_RENAME = sa.text("UPDATE plans SET summary = :after WHERE key = :key AND summary = :before")


def upgrade() -> None:
    for key, (before, after) in SUMMARIES.items():
        op.get_bind().execute(_RENAME, {"key": key, "before": before, "after": after})


def downgrade() -> None:
    for key, (before, after) in SUMMARIES.items():
        op.get_bind().execute(_RENAME, {"key": key, "before": after, "after": before})
