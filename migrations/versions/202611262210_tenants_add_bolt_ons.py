"""tenants add bolt-ons.

What a business has beside its plan: the catalogue in versions as plans have them, what each
business took, and requests for a bolt-on beside those for a plan. Two are shipped; they are data
from here on. Whoever takes Scale or Internal from now on has auto-refund in it, as everything else.

Revision: 0047, after 0046.
"""

import json
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import open_to_app, protect

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)
RIGHTS = {
    "bolt_ons": "SELECT, UPDATE (name, summary, visibility, active)",
    "bolt_on_versions": "SELECT, INSERT",
}


class Shipped(NamedTuple):
    number: int
    key: str
    name: str
    summary: str
    monthly_minor: int
    features: str
    increments: dict[str, int]

    @property
    def values(self) -> dict[str, Any]:
        """Two months of a year are free, as with plans."""
        return {
            "id": f"0193a000-0000-7000-8000-0000000002{self.number:02d}",
            "version_id": f"0193a000-0000-7000-8000-0000000003{self.number:02d}",
            "key": self.key,
            "name": self.name,
            "summary": self.summary,
            "position": self.number,
            "monthly_minor": self.monthly_minor,
            "yearly_minor": self.monthly_minor * 10,
            "features": self.features,
            "increments": json.dumps(self.increments),
        }


BOLT_ONS = (
    Shipped(
        1,
        "auto_refund",
        "Auto-refund",
        "Guests who cancel in time get a credit or their money back by your rules, by itself.",
        900,
        "auto_refund",
        {},
    ),
    Shipped(
        2,
        "bookings_100",
        "+100 bookings a month",
        "For when the month runs out before it ends, but the plan fits otherwise.",
        900,
        "",
        {"bookings_per_month": 100},
    ),
)
WIDENED = {
    "scale": "0193a000-0000-7000-8000-000000000404",
    "internal": "0193a000-0000-7000-8000-000000000405",
}
"""Plans that have everything, with the id of the version that has the new feature too."""


def upgrade() -> None:
    _create_catalogue()
    _create_held()
    _let_bolt_ons_be_asked_for()
    connection = op.get_bind()
    for bolt_on in BOLT_ONS:
        connection.execute(_INSERT_BOLT_ON, bolt_on.values)
        connection.execute(_INSERT_BOLT_ON_VERSION, bolt_on.values)
    for key, version_id in WIDENED.items():
        connection.execute(_WIDEN_PLAN, {"key": key, "version_id": version_id})


def downgrade() -> None:
    """A version of a plan that a business is on stays; upgrading again finds it there."""
    for version_id in WIDENED.values():
        op.get_bind().execute(_DELETE_VERSION, {"version_id": version_id})
    op.execute("UPDATE tenants SET entitlements = entitlements - 'bolt_ons'")
    op.execute("DELETE FROM plan_requests WHERE plan_id IS NULL")
    op.drop_index("uq_plan_requests_open_bolt_on", table_name="plan_requests")
    op.drop_constraint(op.f("ck_plan_requests_plan_or_bolt_on"), "plan_requests", type_="check")
    op.drop_column("plan_requests", "bolt_on_id")
    op.alter_column("plan_requests", "plan_id", nullable=False)
    op.drop_table("tenant_bolt_ons")
    op.drop_table("bolt_on_versions")
    op.drop_table("bolt_ons")


def _create_catalogue() -> None:
    op.create_table(
        "bolt_ons",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "visibility IN ('public', 'hidden')", name=op.f("ck_bolt_ons_visibility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bolt_ons")),
        sa.UniqueConstraint("key", name="uq_bolt_ons_key"),
    )
    op.create_table(
        "bolt_on_versions",
        sa.Column("bolt_on_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("monthly_minor", sa.Integer(), nullable=False),
        sa.Column("yearly_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("features", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("limit_increments", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "monthly_minor >= 0 AND yearly_minor >= 0", name=op.f("ck_bolt_on_versions_prices")
        ),
        sa.ForeignKeyConstraint(
            ["bolt_on_id"], ["bolt_ons.id"], name=op.f("fk_bolt_on_versions_bolt_on_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bolt_on_versions")),
        sa.UniqueConstraint("bolt_on_id", "version", name="uq_bolt_on_versions_bolt_on_id_version"),
    )
    for table, rights in RIGHTS.items():
        open_to_app(rights, table)


def _create_held() -> None:
    op.create_table(
        "tenant_bolt_ons",
        sa.Column("bolt_on_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_bolt_ons")),
    )
    op.create_index(
        "uq_tenant_bolt_ons_held",
        "tenant_bolt_ons",
        ["tenant_id", "bolt_on_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    protect("tenant_bolt_ons")


def _let_bolt_ons_be_asked_for() -> None:
    op.alter_column("plan_requests", "plan_id", nullable=True)
    op.add_column("plan_requests", sa.Column("bolt_on_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_plan_requests_bolt_on_id"), "plan_requests", "bolt_ons", ["bolt_on_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_plan_requests_plan_or_bolt_on"),
        "plan_requests",
        "(plan_id IS NULL) <> (bolt_on_id IS NULL)",
    )
    op.create_index(
        "uq_plan_requests_open_bolt_on",
        "plan_requests",
        ["tenant_id", "bolt_on_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


_INSERT_BOLT_ON = sa.text("""
    INSERT INTO bolt_ons (id, key, name, summary, position, visibility, active, created_at)
    VALUES (CAST(:id AS uuid), :key, :name, :summary, :position, 'public', true, now())
""")
_INSERT_BOLT_ON_VERSION = sa.text("""
    INSERT INTO bolt_on_versions (id, bolt_on_id, version, monthly_minor, yearly_minor, currency,
                                  features, limit_increments, created_at)
    VALUES (CAST(:version_id AS uuid), CAST(:id AS uuid), 1, :monthly_minor, :yearly_minor,
            coalesce((SELECT currency FROM plan_versions ORDER BY created_at DESC, id LIMIT 1),
                     'EUR'),
            string_to_array(:features, ','), CAST(:increments AS jsonb), now())
""")
_WIDEN_PLAN = sa.text("""
    INSERT INTO plan_versions (id, plan_id, version, monthly_minor, yearly_minor, currency,
                               trial_days, features, limits, created_at)
    SELECT CAST(:version_id AS uuid), v.plan_id, v.version + 1, v.monthly_minor, v.yearly_minor,
           v.currency, v.trial_days, v.features || '{auto_refund}', v.limits, now()
    FROM plan_versions v JOIN plans p ON p.id = v.plan_id
    WHERE p.key = :key AND NOT 'auto_refund' = ANY (v.features)
    ORDER BY v.version DESC LIMIT 1
    ON CONFLICT DO NOTHING
""")
_DELETE_VERSION = sa.text("""
    DELETE FROM plan_versions v WHERE v.id = CAST(:version_id AS uuid) AND NOT EXISTS
    (SELECT FROM tenants t WHERE v.id IN (t.plan_version_id, t.trial_version_id))
""")
