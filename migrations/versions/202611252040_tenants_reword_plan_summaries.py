"""The shipped plans' summaries speak only of what there is.

Where an admin has written another summary, it stays.

Revision: 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SUMMARIES = {
    "free": (
        "For one person who takes a few appointments.",
        "For one person who is starting out.",
    ),
    "starter": (
        "For a small team that works by appointment.",
        "For a small team that is starting out.",
    ),
    "growth": (
        "For studios and schools with classes, courses and packages.",
        "For studios and schools with classes and courses.",
    ),
}

_RENAME = sa.text("UPDATE plans SET summary = :after WHERE key = :key AND summary = :before")


def upgrade() -> None:
    for key, (before, after) in SUMMARIES.items():
        op.get_bind().execute(_RENAME, {"key": key, "before": before, "after": after})


def downgrade() -> None:
    for key, (before, after) in SUMMARIES.items():
        op.get_bind().execute(_RENAME, {"key": key, "before": after, "after": before})
