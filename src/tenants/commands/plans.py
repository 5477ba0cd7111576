"""Plans: made, edited into new versions, and given to tenants."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, array

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import month_key
from src.tenants.commands.audit import audit
from src.tenants.commands.counters import review_warnings
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.commands.plan_requests import close_requests_for
from src.tenants.commands.platform_audit import audit_platform
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature, Limit, read_sources, resolve_entitlements
from src.tenants.domain.plans import OfferedPlan, PlanVisibility, compare
from src.tenants.models import Plan, PlanVersion, Tenant
from src.tenants.plan_events import TenantMoved
from src.tenants.queries.plans import find_plan


class PlanTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of a plan holds. Prices are in the platform's one currency."""

    monthly_minor: int
    yearly_minor: int
    trial_days: int
    features: frozenset[Feature]
    limits: dict[Limit, int]


class PlanFace(msgspec.Struct, frozen=True, kw_only=True):
    """What all versions of a plan share."""

    name: str
    summary: str
    visibility: PlanVisibility


class EditPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that was made looking at `based_on_version`."""

    key: str
    based_on_version: int
    face: PlanFace
    terms: PlanTerms


class MoveTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A move that was decided looking at the tenant on `expected_version_id`."""

    tenant_id: UUID
    version_id: UUID
    expected_version_id: UUID
    keep_trial: bool = False
    note: str = ""


async def edit_plan(uow: UnitOfWork, ctx: RequestContext, cmd: EditPlan) -> OfferedPlan:
    """Saves the edit; other terms make the next version, and tenants stay on theirs.

    Returns the plan as it is offered now.
    Raises: NotFound, Conflict when someone else edited it meanwhile, InvalidInput.
    """
    plan = await uow.session.scalar(
        select(Plan).where(Plan.key == cmd.key).with_for_update(key_share=True)
    )
    before = await find_plan(uow, cmd.key)
    if plan is None or before is None:
        raise NotFound(_("There is no such plan."))
    if before.version != cmd.based_on_version:
        raise Conflict(
            _("Someone else has changed this plan in the meantime. Here it is as it is now.")
        )
    _check(cmd)
    await _show(uow, plan, cmd.face)
    if terms_of(before) != cmd.terms:
        uow.session.add(_version(uow, ctx, before, cmd.terms))
    await uow.session.flush()
    after = await find_plan(uow, cmd.key)
    assert after is not None
    audit_platform(uow, ctx, "plan.edited", f"plan:{cmd.key}", **_difference(before, after))
    return after


async def move_tenant(uow: UnitOfWork, ctx: RequestContext, cmd: MoveTenant) -> None:
    """Puts the tenant on a version of a plan, at once; in the tenant's own transaction.

    A running trial ends unless it is kept. Open requests of the tenant for the plan are done.
    Raises: NotFound, Conflict when the tenant is on another version than was looked at.
    """
    tenant = await _locked(uow, cmd)
    target = await _target(uow, cmd.version_id)
    before, could = tenant.plan_version_id, read_sources(tenant.entitlements)
    tenant.plan_version_id = cmd.version_id
    if not cmd.keep_trial:
        tenant.trial_version_id = None
    await uow.session.flush()
    sources = await rebuild_entitlements(uow, cmd.tenant_id)
    now = uow.clock.now()
    month = month_key(now, ZoneInfo(tenant.timezone))
    may = resolve_entitlements(sources, now)
    await review_warnings(uow, may, month)
    change = compare(resolve_entitlements(could, now), may)
    closed = await close_requests_for(uow, ctx, cmd.tenant_id, target.plan_id, now)
    detail: dict[str, Any] = {
        "from_version": str(before),
        "to_version": str(cmd.version_id),
        "plan": f"{target.key} v{target.version}",
        "kept_trial": cmd.keep_trial,
        "note": cmd.note,
        "closed_requests": closed,
    }
    audit_platform(uow, ctx, "tenant.moved", f"tenant:{cmd.tenant_id}", **detail)
    await audit(uow, ctx, "plan.moved", "tenant", cmd.tenant_id, **detail)
    uow.record(TenantMoved(move_id=new_id(), plan_name=target.name, change=change))


def terms_of(plan: OfferedPlan) -> PlanTerms:
    """The terms of a plan's newest version."""
    return PlanTerms(
        monthly_minor=plan.monthly_minor,
        yearly_minor=plan.yearly_minor,
        trial_days=plan.trial_days,
        features=plan.features,
        limits=plan.limits,
    )


class _Target(msgspec.Struct, frozen=True):
    plan_id: UUID
    key: str
    name: str
    version: int


async def _target(uow: UnitOfWork, version_id: UUID) -> _Target:
    row = (
        await uow.session.execute(
            select(Plan.id, Plan.key, Plan.name, PlanVersion.version)
            .join_from(PlanVersion, Plan, Plan.id == PlanVersion.plan_id)
            .where(PlanVersion.id == version_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound(_("There is no such plan."))
    return _Target(row.id, row.key, row.name, row.version)


async def _locked(uow: UnitOfWork, cmd: MoveTenant) -> Tenant:
    tenant = await uow.session.scalar(
        select(Tenant).where(Tenant.id == cmd.tenant_id).with_for_update(key_share=True)
    )
    if tenant is None:
        raise NotFound(_("There is no such business."))
    if tenant.plan_version_id != cmd.expected_version_id:
        raise Conflict(
            _("Someone else has moved this business in the meantime. Here it is as it is now.")
        )
    return tenant


def _check(cmd: EditPlan) -> None:
    fields: dict[str, str] = {}
    if cmd.terms.trial_days and not cmd.terms.monthly_minor:
        fields["trial_days"] = _("A plan that costs nothing needs no trial.")
    if cmd.terms.yearly_minor > cmd.terms.monthly_minor * 12:
        fields["yearly"] = _("A year costs more here than twelve single months.")
    if fields:
        raise InvalidInput(_("Something in the form needs another look."), fields=fields)


async def _show(uow: UnitOfWork, plan: Plan, face: PlanFace) -> None:
    """The name is in every snapshot that shows it, so a new one goes there too."""
    if plan.name != face.name:
        versions = select(PlanVersion.id).where(PlanVersion.plan_id == plan.id)
        for part, column in (
            ("plan", Tenant.plan_version_id),
            ("trial", Tenant.trial_version_id),
        ):
            path = array([part, "name"], type_=Text)
            name = func.to_jsonb(cast(face.name, Text))
            renamed = func.jsonb_set(Tenant.entitlements, path, name, type_=JSONB)
            await uow.session.execute(
                update(Tenant).where(column.in_(versions)).values(entitlements=renamed)
            )
    plan.name, plan.summary, plan.visibility = face.name, face.summary, face.visibility.value


def _version(
    uow: UnitOfWork, ctx: RequestContext, before: OfferedPlan, terms: PlanTerms
) -> PlanVersion:
    now: datetime = uow.clock.now()
    return PlanVersion(
        id=new_id(),
        plan_id=before.plan_id,
        version=before.version + 1,
        monthly_minor=terms.monthly_minor,
        yearly_minor=terms.yearly_minor,
        currency=before.currency,
        trial_days=terms.trial_days,
        features=sorted(feature.value for feature in terms.features),
        limits={limit.value: number for limit, number in terms.limits.items()},
        created_at=now,
        created_by=ctx.actor.user_id,
    )


def _difference(before: OfferedPlan, after: OfferedPlan) -> dict[str, Any]:
    """What the edit changed, each as [before, after], in JSON's terms."""
    old: dict[str, Any] = msgspec.to_builtins(before, str_keys=True)
    new: dict[str, Any] = msgspec.to_builtins(after, str_keys=True)
    for document in (old, new):
        document["features"].sort()
    return {name: [old[name], new[name]] for name in old if old[name] != new[name]}
