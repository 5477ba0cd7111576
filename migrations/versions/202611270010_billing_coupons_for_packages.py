"""billing coupons for packages.

A coupon may be for every booking, for every package, or for chosen packages.

Revision: 0056, after 0055.
"""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_BEFORE = "'all', 'services', 'series'"
_NOW = f"{_BEFORE}, 'all_bookings', 'all_packages', 'packages'"
_FOR_NOTHING = f"""
UPDATE coupons SET scope = 'services', scope_ids = '[]', active = false
WHERE scope NOT IN ({_BEFORE})
"""


def upgrade() -> None:
    _limit_scopes(_NOW)


def downgrade() -> None:
    """What was for a part that is not known any more is good for nothing, rather than for all."""
    op.execute(_FOR_NOTHING)
    _limit_scopes(_BEFORE)


def _limit_scopes(scopes: str) -> None:
    op.drop_constraint(op.f("ck_coupons_scope"), "coupons", type_="check")
    op.create_check_constraint(op.f("ck_coupons_scope"), "coupons", f"scope IN ({scopes})")
