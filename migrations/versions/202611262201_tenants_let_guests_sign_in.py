"""tenants let guests sign in.

Ways into a guest's own pages, without what they are or who asked; the language that a guest chose;
and mails whose words are let go of once they have left, for they let their reader in.

Revision: 0046, after 0045.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "portal_codes",
        moment("asked_at"),
        moment("expires_at"),
        sa.Column("tries", sa.Integer(), nullable=False),
        moment("used_at", nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_portal_codes_tries")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_portal_codes")),
    )
    op.create_index("ix_portal_codes_expires_at", "portal_codes", ["tenant_id", "expires_at"])
    protect("portal_codes")
    op.add_column("customers", sa.Column("locale", sa.Text(), nullable=True))
    op.add_column(
        "mails",
        sa.Column("is_secret", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )


CONSUMERS = ("tenants.mail_code", "tenants.prove_address", "tenants.tell_former")
"""The work that only code with guests' own pages knows."""


def downgrade() -> None:
    op.execute(
        sa.text("DELETE FROM outbox WHERE consumer = ANY(:consumers)").bindparams(
            sa.bindparam("consumers", list(CONSUMERS), postgresql.ARRAY(sa.Text()))
        )
    )
    op.drop_column("mails", "is_secret")
    op.drop_column("customers", "locale")
    op.drop_table("portal_codes")
