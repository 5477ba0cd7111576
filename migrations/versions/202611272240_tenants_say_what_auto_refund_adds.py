"""tenants say what auto-refund adds.

What comes back by plain steps does so without the bolt-on; it adds rules by kind of guest.

Revision: 0093, after 0092.
"""

from alembic import op
from sqlalchemy import text

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None

WAS = "Guests who cancel in time get a credit or their money back by your rules, by itself."
NOW = (
    "Rules by kind of guest and the way they paid: money, a credit for another date, or credits of a"
    " package of yours. Without it, what comes back is money, by the steps of each service."
)


def upgrade() -> None:
    _say(WAS, NOW)


def downgrade() -> None:
    _say(NOW, WAS)


def _say(was: str, now: str) -> None:
    op.get_bind().execute(
        text("UPDATE bolt_ons SET summary = :now WHERE summary = :was"),
        {"was": was, "now": now},
    )
