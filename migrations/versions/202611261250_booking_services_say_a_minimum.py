"""booking services say a minimum.

New sessions of a service may begin with a minimum group size and when it is decided.

Revision: 0038, after 0037.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("default_min_seats", "default_decide_hours"):
        op.add_column("services", sa.Column(name, sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_services_minimum"),
        "services",
        "(default_min_seats IS NULL) = (default_decide_hours IS NULL)"
        " AND default_min_seats > 0 AND default_decide_hours > 0",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_services_minimum"), "services")
    for name in ("default_decide_hours", "default_min_seats"):
        op.drop_column("services", name)
