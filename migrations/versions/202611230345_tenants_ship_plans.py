"""tenants ship plans.

The five plans that Seatline comes with, each with its first version. They are data from here on:
an admin edits them into further versions.

Revision: 0005, after 0004.
"""

import json
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CURRENCY = "EUR"
GROWTH_FEATURES = (
    "appointments",
    "group_services",
    "series",
    "coupons",
    "packages",
    "products",
    "collections",
    "waitlist",
)


class Shipped(NamedTuple):
    number: int
    key: str
    name: str
    summary: str
    visibility: str
    monthly_minor: int
    features: tuple[str, ...]
    limits: dict[str, int]
    trial_days: int = 0

    @property
    def plan_id(self) -> str:
        return f"0193a000-0000-7000-8000-0000000000{self.number:02d}"

    @property
    def version_id(self) -> str:
        return f"0193a000-0000-7000-8000-0000000001{self.number:02d}"

    @property
    def yearly_minor(self) -> int:
        """Two months are free."""
        return self.monthly_minor * 10


PLANS = (
    Shipped(
        1,
        "free",
        "Free",
        "For one person who takes a few appointments.",
        "public",
        0,
        ("appointments",),
        {"bookings_per_month": 30, "members": 1},
    ),
    Shipped(
        2,
        "starter",
        "Starter",
        "For a small team that works by appointment.",
        "public",
        1900,
        ("appointments",),
        {"bookings_per_month": 200, "members": 3},
    ),
    Shipped(
        3,
        "growth",
        "Growth",
        "For studios and schools with classes, courses and packages.",
        "public",
        4900,
        GROWTH_FEATURES,
        {"bookings_per_month": 1000, "members": 10},
        14,
    ),
    Shipped(
        4,
        "scale",
        "Scale",
        "For businesses that do not want to count.",
        "public",
        12900,
        GROWTH_FEATURES,
        {},
    ),
    Shipped(
        5,
        "internal",
        "Internal",
        "For our own use and for friends of the house.",
        "internal",
        0,
        GROWTH_FEATURES,
        {},
    ),
)


def upgrade() -> None:
    connection = op.get_bind()
    for plan in PLANS:
        connection.execute(_INSERT_PLAN, _values(plan))
        connection.execute(_INSERT_VERSION, _values(plan))


def downgrade() -> None:
    """Versions that a business is on stay; upgrading again finds them there."""
    connection = op.get_bind()
    for plan in PLANS:
        connection.execute(_DELETE_VERSIONS, {"plan_id": plan.plan_id})
        connection.execute(_DELETE_PLAN, {"plan_id": plan.plan_id})


_INSERT_PLAN = sa.text("""
    INSERT INTO plans (id, key, name, summary, position, visibility, created_at)
    VALUES (CAST(:plan_id AS uuid), :key, :name, :summary, :position, :visibility, now())
    ON CONFLICT DO NOTHING
""")
_INSERT_VERSION = sa.text("""
    INSERT INTO plan_versions (id, plan_id, version, monthly_minor, yearly_minor, currency,
                               trial_days, features, limits, created_at)
    VALUES (CAST(:version_id AS uuid), CAST(:plan_id AS uuid), 1, :monthly_minor, :yearly_minor,
            :currency, :trial_days, string_to_array(:features, ','), CAST(:limits AS jsonb), now())
    ON CONFLICT DO NOTHING
""")
_DELETE_VERSIONS = sa.text("""
    DELETE FROM plan_versions v WHERE v.plan_id = CAST(:plan_id AS uuid) AND NOT EXISTS
    (SELECT FROM tenants t WHERE v.id IN (t.plan_version_id, t.trial_version_id))
""")
_DELETE_PLAN = sa.text("""
    DELETE FROM plans p WHERE p.id = CAST(:plan_id AS uuid)
    AND NOT EXISTS (SELECT FROM plan_versions v WHERE v.plan_id = p.id)
    AND NOT EXISTS (SELECT FROM plan_requests r WHERE r.plan_id = p.id)
""")


def _values(plan: Shipped) -> dict[str, Any]:
    return {
        "plan_id": plan.plan_id,
        "version_id": plan.version_id,
        "key": plan.key,
        "name": plan.name,
        "summary": plan.summary,
        "position": plan.number,
        "visibility": plan.visibility,
        "monthly_minor": plan.monthly_minor,
        "yearly_minor": plan.yearly_minor,
        "currency": CURRENCY,
        "trial_days": plan.trial_days,
        "features": ",".join(plan.features),
        "limits": json.dumps(plan.limits),
    }
