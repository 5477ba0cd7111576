"""tenants tell how many seats are left.

What a business lets guests know: always the exact number where it is null, else the number only
when no more than that are left, which is never where it is 0. That something is sold out is always
said.

Revision: 0032, after 0031.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("seats_told_up_to", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_tenants_seats_told_up_to"), "tenants", "seats_told_up_to BETWEEN 0 AND 99"
    )
    op.execute("GRANT UPDATE (seats_told_up_to) ON tenants TO seatline_app")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_tenants_seats_told_up_to"), "tenants")
    op.drop_column("tenants", "seats_told_up_to")
