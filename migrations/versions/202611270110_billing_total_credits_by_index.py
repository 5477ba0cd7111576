"""billing total credits by index.

The owner's totals of credits are answered by indexes alone, and what lots are called is found in
one, name by name.

Revision: 0057, after 0056.
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

EXPIRES = ("balance", "bought", "paid_minor", "value_minor")


def upgrade() -> None:
    _index_again(expires=EXPIRES, activated=("paid_minor",))
    op.create_index("ix_credit_lots_name", "credit_lots", ["tenant_id", "name"])


def downgrade() -> None:
    op.drop_index("ix_credit_lots_name", "credit_lots")
    _index_again(expires=(), activated=())


def _index_again(*, expires: tuple[str, ...], activated: tuple[str, ...]) -> None:
    """With the columns beside the ordered ones that totals are made of."""
    op.drop_index("ix_credit_lots_expires", "credit_lots")
    op.create_index(
        "ix_credit_lots_expires",
        "credit_lots",
        ["tenant_id", "expires_at"],
        postgresql_include=list(expires),
        postgresql_where=sa.text("state = 'active' AND balance > 0"),
    )
    op.drop_index("ix_credit_lots_activated", "credit_lots")
    op.create_index(
        "ix_credit_lots_activated",
        "credit_lots",
        ["tenant_id", "activated_at"],
        postgresql_include=list(activated),
        postgresql_where=sa.text("activated_at IS NOT NULL AND source = 'package'"),
    )
