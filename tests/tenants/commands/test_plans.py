"""Plans edited into versions, and tenants moved between them."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.tenants.commands.counters import mark_warned
from src.tenants.commands.plans import (
    EditPlan,
    MoveTenant,
    PlanFace,
    edit_plan,
    move_tenant,
    terms_of,
)
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.domain.plans import OfferedPlan
from src.tenants.models import AuditEntry, BookingCounter
from src.tenants.queries.plans import find_plan
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.tenants.plan_support import (
    a_trying_business,
    an_admin,
    now_of,
    platform_log,
    version_of,
)

pytestmark = pytest.mark.anyio


async def plan_of(uow_factory: UowFactory, key: str) -> OfferedPlan:
    async with uow_factory(None) as uow:
        plan = await find_plan(uow, key)
    assert plan is not None
    return plan


def an_edit(plan: OfferedPlan, **terms: object) -> EditPlan:
    return EditPlan(
        key=plan.key,
        based_on_version=plan.version,
        face=PlanFace(name=plan.name, summary=plan.summary, visibility=plan.visibility),
        terms=msgspec.structs.replace(terms_of(plan), **terms),
    )


async def save(uow_factory: UowFactory, ctx: RequestContext, edit: EditPlan) -> OfferedPlan:
    async with uow_factory(None) as uow:
        return await edit_plan(uow, ctx, edit)


async def move(
    uow_factory: UowFactory, ctx: RequestContext, business: Business, to: str, **more: object
) -> None:
    async with uow_factory(None) as uow:
        target = await find_plan(uow, to)
    assert target is not None
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=target.version_id,
        expected_version_id=more.pop("expected", None) or await version_of(uow_factory, "free"),
        **more,
    )
    async with uow_factory(business.id) as uow:
        await move_tenant(uow, ctx, cmd)


async def test_an_edit_makes_a_version_and_leaves_tenants_on_theirs(
    uow_factory: UowFactory,
) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="starter")
    starter = await plan_of(uow_factory, "starter")
    after = await save(
        uow_factory,
        ada,
        an_edit(
            starter,
            limits={Limit.BOOKINGS_PER_MONTH: 50},
            monthly_minor=900,
            yearly_minor=9000,
        ),
    )
    assert (after.version, after.monthly_minor) == (2, 900)
    stayed = await now_of(uow_factory, business)
    assert stayed.entitlements.limit(Limit.BOOKINGS_PER_MONTH) == 200
    newcomer = await a_business(uow_factory, "tennis", plan="starter", owner="Eve")
    assert newcomer.tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH) == 50


async def test_an_edit_is_in_the_platforms_log(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    starter = await plan_of(uow_factory, "starter")
    await save(uow_factory, ada, an_edit(starter, monthly_minor=2100))
    action, subject, detail = (await platform_log(uow_factory))[-1]
    assert (action, subject) == ("plan.edited", "plan:starter")
    assert detail["monthly_minor"] == [1900, 2100]
    assert "summary" not in detail


async def test_the_same_terms_make_no_version(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    free = await plan_of(uow_factory, "free")
    assert (await save(uow_factory, ada, an_edit(free))).version == 1


async def test_a_new_name_reaches_those_on_the_plan_and_on_its_trial(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    ada = await an_admin(uow_factory)
    on_it = await a_business(uow_factory, "tennis", plan="growth", owner="Eve")
    tries_it = await a_trying_business(uow_factory, clock.now() + timedelta(days=3))
    growth = await plan_of(uow_factory, "growth")
    face = PlanFace(name="Bloom", summary="", visibility=growth.visibility)
    await save(uow_factory, ada, msgspec.structs.replace(an_edit(growth), face=face))
    assert (await now_of(uow_factory, on_it)).entitlements.plan_name == "Bloom"
    assert (await now_of(uow_factory, tries_it)).entitlements.plan_name == "Bloom"


async def test_of_two_admins_the_second_is_told(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    starter = await plan_of(uow_factory, "starter")
    await save(uow_factory, ada, an_edit(starter, monthly_minor=2100))
    with pytest.raises(Conflict):
        await save(uow_factory, ada, an_edit(starter, monthly_minor=1700))
    assert (await plan_of(uow_factory, "starter")).monthly_minor == 2100


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"monthly_minor": 0, "yearly_minor": 0, "trial_days": 7}, "trial_days"),
        ({"monthly_minor": 100, "yearly_minor": 1201}, "yearly"),
    ],
)
async def test_terms_that_contradict_themselves_are_refused(
    uow_factory: UowFactory, terms: dict[str, int], field: str
) -> None:
    ada = await an_admin(uow_factory)
    starter = await plan_of(uow_factory, "starter")
    with pytest.raises(InvalidInput) as refusal:
        await save(uow_factory, ada, an_edit(starter, **terms))
    assert list(refusal.value.fields) == [field]


async def test_a_move_counts_at_once_and_is_in_both_logs(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    await move(uow_factory, ada, business, "growth", note="asked by phone")
    moved = (await now_of(uow_factory, business)).entitlements
    assert moved.plan_name == "Growth"
    assert moved.has(Feature.SERIES)
    action, subject, detail = (await platform_log(uow_factory))[-1]
    assert (action, subject) == ("tenant.moved", f"tenant:{business.id}")
    assert detail["note"] == "asked by phone"
    async with uow_factory(business.id) as uow:
        entry = await uow.session.scalar(select(AuditEntry))
    assert entry is not None
    assert (entry.action, entry.actor_name) == ("plan.moved", "Ada")


async def test_moving_up_and_back_restores_exactly(uow_factory: UowFactory) -> None:
    """Row 2-58: a smaller plan lost what the bigger one had set up."""
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="growth")
    growth = await version_of(uow_factory, "growth")
    free = await version_of(uow_factory, "free")
    await move(uow_factory, ada, business, "free", expected=growth)
    assert not (await now_of(uow_factory, business)).entitlements.has(Feature.SERIES)
    await move(uow_factory, ada, business, "growth", expected=free)
    assert (await now_of(uow_factory, business)).entitlements == business.tenant.entitlements


async def test_a_move_ends_the_trial_unless_it_is_kept(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    ada = await an_admin(uow_factory)
    ends_at = clock.now() + timedelta(days=5)
    first = await a_trying_business(uow_factory, ends_at)
    second = await a_trying_business(uow_factory, ends_at, "tennis")
    await move(uow_factory, ada, first, "starter")
    await move(uow_factory, ada, second, "starter", keep_trial=True)
    ended = (await now_of(uow_factory, first)).entitlements
    assert (ended.plan_name, ended.has(Feature.SERIES)) == ("Starter", False)
    kept = (await now_of(uow_factory, second)).entitlements
    assert (kept.plan_name, kept.trial_ends_at) == ("Growth", ends_at)


async def test_a_move_decided_on_an_older_state_is_refused(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    await move(uow_factory, ada, business, "growth")
    with pytest.raises(Conflict):
        await move(uow_factory, ada, business, "scale")


async def test_a_move_to_nowhere_is_refused(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=new_id(),
        expected_version_id=await version_of(uow_factory, "free"),
    )
    with pytest.raises(NotFound):
        async with uow_factory(business.id) as uow:
            await move_tenant(uow, ada, cmd)


async def test_a_higher_limit_makes_warnings_count_anew(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    async with uow_factory(business.id) as uow:
        uow.session.add(
            BookingCounter(tenant_id=business.id, month="2027-03", taken=30, warned_percent=100)
        )
    await move(uow_factory, ada, business, "starter")
    async with uow_factory(business.id) as uow:
        assert await mark_warned(uow, "2027-03", 80)
