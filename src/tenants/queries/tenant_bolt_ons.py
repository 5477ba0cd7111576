"""Bolt-ons beside one tenant: what it has and could have, what each would change, and the total."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.bolt_ons import OfferedBoltOn, adds_nothing
from src.tenants.domain.downgrade import Consequence, month_left
from src.tenants.domain.entitlements import EntitlementSources, Limit, PlanFacts, read_sources
from src.tenants.domain.plans import OfferedPlan, compare
from src.tenants.domain.roles import Role
from src.tenants.models import PlanRequest, PlanVersion, Tenant
from src.tenants.plan_words import addition_sentences
from src.tenants.queries.admin import find_tenant_row
from src.tenants.queries.bolt_ons import HeldBoltOn, find_bolt_on, list_bolt_ons, list_held
from src.tenants.queries.consequences import month_usage
from src.tenants.queries.members import list_members
from src.tenants.queries.plan_changes import change_between, resolved_pair
from src.tenants.views.admin import BoltOnStepView, TenantBoltOnRow
from src.tenants.views.plans import BoltOnCard, BoltOnView, ChangeView, TotalView


class _Beside(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on beside a tenant, before a step is made: giving it, or taking what is held."""

    tenant: Tenant
    offered: OfferedBoltOn
    held: HeldBoltOn | None
    change: ChangeView
    total: TotalView
    sources: EntitlementSources


async def get_bolt_on(uow: UnitOfWork, here: TenantSnapshot, key: str, now: datetime) -> BoltOnView:
    """The bolt-on before the tenant asks for it, or removes it where it has it.

    In the tenant's own transaction. Raises: NotFound for one that is not on offer and not held.
    """
    beside = await _beside(uow, here.id, key, now)
    if beside.held is None and not beside.offered.is_on_offer:
        raise NotFound(_("There is no such bolt-on."))
    card = (
        offered_card(beside.offered, beside.sources.plan, here)
        if beside.held is None
        else held_card(beside.held, beside.offered, beside.sources.plan)
    )
    return BoltOnView(
        slug=here.slug,
        zone=here.timezone,
        card=card,
        held_id=None if beside.held is None else beside.held.held_id,
        change=beside.change,
        total=beside.total,
    )


async def preview_step(uow: UnitOfWork, tenant_id: UUID, key: str, now: datetime) -> BoltOnStepView:
    """What giving the tenant the bolt-on would do, or taking it where it has it.

    In the tenant's own transaction. Raises: NotFound.
    """
    row = await find_tenant_row(uow, tenant_id, now)
    if row is None:
        raise NotFound(_("There is no such business."))
    beside = await _beside(uow, tenant_id, key, now)
    shown = beside.held or beside.offered
    members = await list_members(uow, tenant_id)
    return BoltOnStepView(
        row=row,
        key=key,
        name=shown.name,
        additions=addition_sentences(shown.features, shown.increments),
        version_id=shown.version_id,
        held_id=None if beside.held is None else beside.held.held_id,
        change=beside.change,
        total=beside.total,
        owners=tuple(member.email for member in members if member.role is Role.OWNER),
        is_active=beside.offered.active,
        closes_request=beside.offered.bolt_on_id in await _asked_for(uow, tenant_id),
    )


async def list_rows(uow: UnitOfWork, tenant_id: UUID) -> tuple[TenantBoltOnRow, ...]:
    """What the tenant has, and then what an admin may give it; in the tenant's own transaction."""
    catalogue = {one.key: one for one in await list_bolt_ons(uow)}
    held = {one.key: one for one in await list_held(uow, tenant_id)}
    asked = await _asked_for(uow, tenant_id)
    had = [
        TenantBoltOnRow(
            key=one.key,
            name=one.name,
            additions=addition_sentences(one.features, one.increments),
            monthly_minor=one.monthly_minor,
            currency=one.currency,
            version=one.version,
            newest_version=catalogue[one.key].version,
            since=one.since,
            given_by=one.given_by,
            note=one.note,
        )
        for one in held.values()
    ]
    free = [
        TenantBoltOnRow(
            key=one.key,
            name=one.name,
            additions=addition_sentences(one.features, one.increments),
            monthly_minor=one.monthly_minor,
            currency=one.currency,
            version=one.version,
            newest_version=one.version,
            is_asked_for=one.bolt_on_id in asked,
        )
        for one in catalogue.values()
        if one.active and one.key not in held
    ]
    return (*had, *free)


def total_of(
    name: str,
    plan: PlanVersion | OfferedPlan,
    held: Iterable[HeldBoltOn | OfferedBoltOn],
    before_minor: int | None = None,
) -> TotalView:
    """What the plan of this name and the bolt-ons come to; `before_minor` a month until then."""
    parts = [(name, plan.monthly_minor, plan.yearly_minor)]
    parts += [(one.name, one.monthly_minor, one.yearly_minor) for one in held]
    monthly_minor = sum(monthly for _part, monthly, _yearly in parts)
    return TotalView(
        lines=tuple((part, monthly) for part, monthly, _yearly in parts),
        monthly_minor=monthly_minor,
        yearly_minor=sum(yearly for _part, _monthly, yearly in parts),
        currency=plan.currency,
        monthly_before_minor=monthly_minor if before_minor is None else before_minor,
    )


def held_card(held: HeldBoltOn, offered: OfferedBoltOn, plan: PlanFacts) -> BoltOnCard:
    return BoltOnCard(
        key=held.key,
        name=held.name,
        summary=held.summary,
        monthly_minor=held.monthly_minor,
        yearly_minor=held.yearly_minor,
        currency=held.currency,
        additions=addition_sentences(held.features, held.increments),
        since=held.since,
        keeps_older_terms=held.version < offered.version,
        is_in_plan=_is_in(plan, held),
    )


def offered_card(offered: OfferedBoltOn, plan: PlanFacts, here: TenantSnapshot) -> BoltOnCard:
    return BoltOnCard(
        key=offered.key,
        name=offered.name,
        summary=offered.summary,
        monthly_minor=offered.monthly_minor,
        yearly_minor=offered.yearly_minor,
        currency=offered.currency,
        additions=addition_sentences(offered.features, offered.increments),
        asked_at=here.asked_bolt_ons.get(offered.key),
        is_in_plan=_is_in(plan, offered),
    )


def _is_in(plan: PlanFacts, one: HeldBoltOn | OfferedBoltOn) -> bool:
    return adds_nothing(one.features, one.increments, plan)


async def _beside(uow: UnitOfWork, tenant_id: UUID, key: str, now: datetime) -> _Beside:
    offered = await find_bolt_on(uow, key)
    if offered is None:
        raise NotFound(_("There is no such bolt-on."))
    tenant = (await uow.session.scalars(select(Tenant).where(Tenant.id == tenant_id))).one()
    version = await uow.session.get_one(PlanVersion, tenant.plan_version_id)
    every = await list_held(uow, tenant_id)
    held = next((one for one in every if one.key == key), None)
    sources = read_sources(tenant.entitlements)
    kept = tuple(one for one in sources.bolt_ons if one.key != key)
    after = kept if held is not None else (*kept, offered.facts)
    changed = msgspec.structs.replace(sources, bolt_ons=after)
    left: list[HeldBoltOn | OfferedBoltOn] = [one for one in every if one.key != key]
    if held is None:
        left.append(offered)
    before_minor = total_of(sources.plan.name, version, every).monthly_minor
    return _Beside(
        tenant=tenant,
        offered=offered,
        held=held,
        change=await _change(uow, tenant, sources, changed, now),
        total=total_of(sources.plan.name, version, left, before_minor),
        sources=sources,
    )


async def _change(
    uow: UnitOfWork,
    tenant: Tenant,
    before: EntitlementSources,
    after: EntitlementSources,
    now: datetime,
) -> ChangeView:
    """With what is left of the month under a smaller number of bookings."""
    view = await change_between(uow, tenant, before, after, now)
    lower = [one for one in compare(*resolved_pair(before, after, now)).limits if one.is_lower]
    more: list[Consequence] = []
    for one in lower:
        if one.limit is Limit.BOOKINGS_PER_MONTH and one.after is not None:
            taken = await month_usage(uow, tenant.id, tenant.timezone, now)
            more += month_left(taken, one.after)
    return msgspec.structs.replace(view, consequences=(*view.consequences, *more))


async def _asked_for(uow: UnitOfWork, tenant_id: UUID) -> set[UUID]:
    """The bolt-ons that the tenant waits for an answer about."""
    found = await uow.session.scalars(
        select(PlanRequest.bolt_on_id).where(
            PlanRequest.tenant_id == tenant_id,
            PlanRequest.bolt_on_id.is_not(None),
            PlanRequest.state == "open",
        )
    )
    return {bolt_on_id for bolt_on_id in found if bolt_on_id is not None}
