"""A tenant's own plan: what it has, what it uses, and what another plan would change."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.localtime import local_day_bounds, to_local
from src.tenants.context import TenantSnapshot
from src.tenants.domain.bolt_ons import OfferedBoltOn
from src.tenants.domain.entitlements import (
    BUILT,
    Entitlements,
    EntitlementSources,
    Feature,
    Limit,
    is_live,
    read_sources,
)
from src.tenants.domain.plans import OfferedPlan, PlanVisibility, trial_plan
from src.tenants.gates import price_list, read_price_list
from src.tenants.models import Member, PlanVersion, Tenant
from src.tenants.plan_words import feature_names, granted_sentence, limit_name
from src.tenants.queries.admin_tenant import change_to
from src.tenants.queries.bolt_ons import HeldBoltOn, list_held
from src.tenants.queries.consequences import month_usage
from src.tenants.queries.plans import plan_card
from src.tenants.queries.tenant_bolt_ons import held_card, offered_card, total_of
from src.tenants.views.plans import BoltOnCard, OtherPlan, OwnPlanView, PlanChangeView, Usage


async def get_own_plan(uow: UnitOfWork, here: TenantSnapshot, now: datetime) -> OwnPlanView:
    """The tenant's page about its plan; in the tenant's own transaction."""
    plans = await read_price_list(uow)
    catalogue = {one.key: one for one in price_list.bolt_ons}
    tenant = (await uow.session.scalars(select(Tenant).where(Tenant.id == here.id))).one()
    version = await uow.session.get_one(PlanVersion, tenant.plan_version_id)
    sources = read_sources(tenant.entitlements)
    held = await list_held(uow, here.id)
    may = here.entitlements
    return OwnPlanView(
        slug=here.slug,
        zone=here.timezone,
        plan_name=may.plan_name,
        plan_after_trial=sources.plan.name,
        monthly_minor=version.monthly_minor,
        yearly_minor=version.yearly_minor,
        currency=version.currency,
        trial_ends_at=may.trial_ends_at,
        trial_days_left=_days_left(may.trial_ends_at, here, now),
        month_begins_at=_month_bounds(here, now)[0],
        next_month_at=_month_bounds(here, now)[1],
        bookings=await _bookings(uow, here, may, now),
        members=await _members(uow, here, may),
        features=feature_names(may.features),
        missing=feature_names(set(Feature) - may.features),
        keeps_older_terms=_keeps_older_terms(plans, sources),
        extras=_extras(sources, now),
        held=tuple(held_card(one, catalogue[one.key], sources.plan) for one in held),
        bolt_ons=_on_offer(catalogue.values(), held, sources, here),
        total=total_of(sources.plan.name, version, held),
        others=_others(plans, sources, here),
    )


async def get_plan_change(
    uow: UnitOfWork, here: TenantSnapshot, key: str, now: datetime
) -> PlanChangeView:
    """What would change on a public plan, before the tenant asks for it. Raises: NotFound."""
    plans = await read_price_list(uow)
    plan = next((plan for plan in _public(plans) if plan.key == key), None)
    if plan is None:
        raise NotFound(_("There is no such plan."))
    tenant = (await uow.session.scalars(select(Tenant).where(Tenant.id == here.id))).one()
    sources = read_sources(tenant.entitlements)
    others = _others(plans, sources, here)
    held = await list_held(uow, here.id)
    version = await uow.session.get_one(PlanVersion, tenant.plan_version_id)
    before_minor = total_of(sources.plan.name, version, held).monthly_minor
    return PlanChangeView(
        slug=here.slug,
        zone=here.timezone,
        current_name=here.entitlements.plan_name,
        other=next(other for other in others if other.card.key == key),
        change=await change_to(uow, tenant, sources, plan.facts, keep_trial=False, now=now),
        trial_ends_at=here.entitlements.trial_ends_at,
        total=total_of(plan.name, plan, held, before_minor) if held else None,
    )


def _on_offer(
    bolt_ons: Iterable[OfferedBoltOn],
    held: list[HeldBoltOn],
    sources: EntitlementSources,
    here: TenantSnapshot,
) -> tuple[BoltOnCard, ...]:
    """Those that can be asked for and that the tenant has not."""
    has = {one.key for one in held}
    return tuple(
        offered_card(one, sources.plan, here)
        for one in bolt_ons
        if one.is_on_offer and one.key not in has
    )


def _public(plans: tuple[OfferedPlan, ...]) -> list[OfferedPlan]:
    return [plan for plan in plans if plan.visibility is PlanVisibility.PUBLIC]


def _others(
    plans: tuple[OfferedPlan, ...], sources: EntitlementSources, here: TenantSnapshot
) -> tuple[OtherPlan, ...]:
    """The public plans in order, the tenant's own among them where it is public."""
    tried, may = trial_plan(plans), here.entitlements
    return tuple(
        OtherPlan(
            card=plan_card(plan, is_highlighted=plan == tried),
            is_current=plan.key == sources.plan.key,
            is_tried=may.trial_ends_at is not None and plan.key == may.plan_key,
            asked_at=here.asked_plans.get(plan.key),
        )
        for plan in plans
        if plan.visibility is PlanVisibility.PUBLIC
    )


async def _bookings(
    uow: UnitOfWork, here: TenantSnapshot, may: Entitlements, now: datetime
) -> Usage:
    return Usage(
        label=_("Bookings this month"),
        used=await month_usage(uow, here.id, here.timezone, now),
        limit=may.limit(Limit.BOOKINGS_PER_MONTH),
    )


async def _members(uow: UnitOfWork, here: TenantSnapshot, may: Entitlements) -> Usage:
    used = await uow.session.scalar(
        select(func.count()).select_from(Member).where(Member.tenant_id == here.id)
    )
    return Usage(label=limit_name(Limit.MEMBERS), used=used or 0, limit=may.limit(Limit.MEMBERS))


def _keeps_older_terms(plans: tuple[OfferedPlan, ...], sources: EntitlementSources) -> bool:
    """Whether the plan has been edited since the tenant took it."""
    newest = {plan.key: str(plan.version_id) for plan in plans}
    return newest.get(sources.plan.key) != sources.plan.version_id


def _extras(sources: EntitlementSources, now: datetime) -> tuple[str, ...]:
    """What the platform added by hand."""
    return tuple(
        granted_sentence(grant.feature, grant.limit, grant.value)
        for grant in sources.grants
        if is_live(grant.ends_at, now) and (grant.feature is None or grant.feature in BUILT)
    )


def _days_left(ends_at: datetime | None, here: TenantSnapshot, now: datetime) -> int | None:
    """Whole days on the business's calendar; 0 on the last one."""
    if ends_at is None:
        return None
    last, today = to_local(ends_at, here.zone).date(), to_local(now, here.zone).date()
    return max(0, (last - today).days)


def _month_bounds(here: TenantSnapshot, now: datetime) -> tuple[datetime, datetime]:
    """When the business's current month began, and when the next one begins."""
    first = to_local(now, here.zone).date().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return local_day_bounds(first, here.zone)[0], local_day_bounds(following, here.zone)[0]
