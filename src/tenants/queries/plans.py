"""The plan catalogue."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Unavailable
from src.platform.i18n import _
from src.tenants.domain.entitlements import Limit, known_features, known_limits
from src.tenants.domain.plans import OfferedPlan, PlanVisibility, starting_plan, trial_plan
from src.tenants.models import Plan, PlanVersion
from src.tenants.plan_words import feature_names, limit_sentence
from src.tenants.views.plans import PlanCard, PriceListView


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


async def list_public_plans(uow: UnitOfWork) -> PriceListView:
    """The price list for strangers, smallest first."""
    return price_list_view(await list_plans(uow))


def price_list_view(plans: Iterable[OfferedPlan]) -> PriceListView:
    """The public ones of the plans; the one that is tried for free is highlighted."""
    known = list(plans)
    tried = trial_plan(known)
    public = [plan for plan in known if plan.visibility is PlanVisibility.PUBLIC]
    return PriceListView(
        plans=tuple(plan_card(plan, is_highlighted=plan == tried) for plan in public),
        trial_plan=tried.name if tried else None,
        trial_days=tried.trial_days if tried else 0,
    )


def plan_card(plan: OfferedPlan, *, is_highlighted: bool = False) -> PlanCard:
    features = feature_names(plan.features)
    # How many bookings a month is no matter where nothing can be booked.
    told = Limit if features else (Limit.MEMBERS,)
    return PlanCard(
        key=plan.key,
        name=plan.name,
        summary=plan.summary,
        monthly_minor=plan.monthly_minor,
        yearly_minor=plan.yearly_minor,
        currency=plan.currency,
        trial_days=plan.trial_days,
        limits=tuple(limit_sentence(limit, plan.limits.get(limit)) for limit in told),
        features=features,
        is_highlighted=is_highlighted,
    )


class StartingPlans(msgspec.Struct, frozen=True, kw_only=True):
    """What a new tenant's row gets: its plan, and a trial, which it gets once."""

    plan_version_id: UUID
    trial_version_id: UUID | None
    trial_days: int


async def find_starting_plans(uow: UnitOfWork) -> StartingPlans:
    """The plans of a new tenant. Raises: Unavailable while the platform offers no free plan."""
    plans = await list_plans(uow)
    start, tried = starting_plan(plans), trial_plan(plans)
    if start is None:
        raise Unavailable(_("New businesses cannot sign up at present. Please come back later."))
    return StartingPlans(
        plan_version_id=start.version_id,
        trial_version_id=tried.version_id if tried else None,
        trial_days=tried.trial_days if tried else 0,
    )
