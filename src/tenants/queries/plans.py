"""The plan catalogue."""

from typing import Any

from sqlalchemy import Row, Select, select

from src.platform.db.uow import UnitOfWork
from src.tenants.domain.entitlements import known_features, known_limits
from src.tenants.domain.plans import OfferedPlan, PlanVisibility
from src.tenants.models import Plan, PlanVersion


async def list_plans(uow: UnitOfWork) -> list[OfferedPlan]:
    """Every plan with its newest version, in the order of the price list."""
    newest = newest_versions().order_by(Plan.id, PlanVersion.version.desc())
    rows = await uow.session.execute(newest)
    return sorted((offered(row) for row in rows), key=lambda plan: (plan.position, plan.key))


async def find_plan(uow: UnitOfWork, key: str) -> OfferedPlan | None:
    """The plan with its newest version."""
    newest = newest_versions().where(Plan.key == key)
    row = (await uow.session.execute(newest.order_by(Plan.id, PlanVersion.version.desc()))).first()
    return offered(row) if row is not None else None


def newest_versions() -> Select[Any]:
    """One row a plan, for its newest version; the caller orders by plan id and version."""
    return (
        select(
            Plan.id.label("plan_id"),
            PlanVersion.id.label("version_id"),
            PlanVersion.version,
            Plan.key,
            Plan.name,
            Plan.summary,
            Plan.position,
            Plan.visibility,
            PlanVersion.monthly_minor,
            PlanVersion.yearly_minor,
            PlanVersion.currency,
            PlanVersion.trial_days,
            PlanVersion.features,
            PlanVersion.limits,
        )
        .join_from(Plan, PlanVersion, PlanVersion.plan_id == Plan.id)
        .distinct(Plan.id)
    )


def offered(row: Row[Any]) -> OfferedPlan:
    """The plan of a row of `newest_versions`."""
    return OfferedPlan(
        plan_id=row.plan_id,
        version_id=row.version_id,
        version=row.version,
        key=row.key,
        name=row.name,
        summary=row.summary,
        position=row.position,
        visibility=PlanVisibility(row.visibility),
        monthly_minor=row.monthly_minor,
        yearly_minor=row.yearly_minor,
        currency=row.currency,
        trial_days=row.trial_days,
        features=known_features(row.features),
        limits=known_limits(row.limits),
    )
