"""Plans as the platform's admins see them: who is on which version."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, func, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.domain.entitlements import known_features, known_limits
from src.tenants.models import Plan, PlanVersion, Tenant, User
from src.tenants.plan_words import all_feature_names, limit_sentences
from src.tenants.queries.plans import find_plan, list_plans, plan_card
from src.tenants.views.admin import PlanDetail, PlanRow, VersionRow


async def list_plan_rows(uow: UnitOfWork) -> list[PlanRow]:
    """Every plan, hidden and internal ones too, with how many are on it."""
    counted = await uow.session.execute(
        select(Tenant.plan_version_id, func.count()).group_by(Tenant.plan_version_id)
    )
    on_version: dict[UUID, int] = dict(counted.tuples().all())
    of_plan: dict[UUID, int] = {}
    versions = await uow.session.execute(select(PlanVersion.id, PlanVersion.plan_id))
    for version_id, plan_id in versions:
        of_plan[plan_id] = of_plan.get(plan_id, 0) + on_version.get(version_id, 0)
    return [
        PlanRow(
            key=plan.key,
            name=plan.name,
            visibility=plan.visibility.value,
            version=plan.version,
            monthly_minor=plan.monthly_minor,
            yearly_minor=plan.yearly_minor,
            currency=plan.currency,
            limits=limit_sentences(plan.limits),
            features=len(plan.features),
            tenants=of_plan[plan.plan_id],
            tenants_on_older=of_plan[plan.plan_id] - on_version.get(plan.version_id, 0),
        )
        for plan in await list_plans(uow)
    ]


async def get_plan_detail(uow: UnitOfWork, key: str) -> PlanDetail:
    """The plan with all versions, newest first. Raises: NotFound."""
    plan = await find_plan(uow, key)
    if plan is None:
        raise NotFound(_("There is no such plan."))
    rows = await uow.session.execute(
        _versions(uow.clock.now())
        .where(PlanVersion.plan_id == plan.plan_id)
        .order_by(PlanVersion.version.desc())
    )
    return PlanDetail(
        key=plan.key,
        card=plan_card(plan),
        visibility=plan.visibility.value,
        versions=tuple(_version_row(row) for row in rows),
    )


def _versions(now: datetime) -> Select[Any]:
    on_it = (
        select(func.count())
        .where(Tenant.plan_version_id == PlanVersion.id)
        .correlate(PlanVersion)
        .scalar_subquery()
    )
    trying = (
        select(func.count())
        .where(Tenant.trial_version_id == PlanVersion.id)
        .where(Tenant.trial_ends_at >= now)
        .correlate(PlanVersion)
        .scalar_subquery()
    )
    return select(
        PlanVersion,
        User.name.label("created_by_name"),
        on_it.label("tenants"),
        trying.label("trials"),
    ).outerjoin(User, User.id == PlanVersion.created_by)


def _version_row(row: Row[Any]) -> VersionRow:
    version: PlanVersion = row.PlanVersion
    return VersionRow(
        version_id=version.id,
        version=version.version,
        monthly_minor=version.monthly_minor,
        yearly_minor=version.yearly_minor,
        currency=version.currency,
        trial_days=version.trial_days,
        features=all_feature_names(known_features(version.features)),
        limits=limit_sentences(known_limits(version.limits)),
        created_at=version.created_at,
        created_by=row.created_by_name or _("shipped with Seatline"),
        tenants=row.tenants,
        trials=row.trials,
    )


class VersionChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A version that a tenant may be moved to."""

    version_id: UUID
    key: str
    label: str
    is_newest: bool


async def list_version_choices(uow: UnitOfWork) -> list[VersionChoice]:
    """Every version of every plan, in the order of the price list, newest versions first."""
    newest = {plan.plan_id: plan.version for plan in await list_plans(uow)}
    rows = await uow.session.execute(
        select(PlanVersion.id, PlanVersion.version, Plan.id.label("plan_id"), Plan.key, Plan.name)
        .join_from(PlanVersion, Plan, Plan.id == PlanVersion.plan_id)
        .order_by(Plan.position, Plan.key, PlanVersion.version.desc())
    )
    return [
        VersionChoice(
            version_id=row.id,
            key=row.key,
            label=row.name
            if row.version == newest[row.plan_id]
            else _("%(plan)s, earlier version %(version)s", plan=row.name, version=row.version),
            is_newest=row.version == newest[row.plan_id],
        )
        for row in rows
    ]
