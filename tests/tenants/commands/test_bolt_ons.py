"""Bolt-ons are asked for, given, kept in the version taken, and removed."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.commands.bolt_ons import (
    BoltOnFace,
    BoltOnTerms,
    EditBoltOn,
    GiveBoltOn,
    edit_bolt_on,
    give_bolt_on,
)
from src.tenants.commands.counters import claim_booking_unit
from src.tenants.commands.plan_requests import decline_request
from src.tenants.commands.plans import MoveTenant, move_tenant
from src.tenants.context import RequestContext
from src.tenants.domain.bolt_ons import BoltOnVisibility, OfferedBoltOn
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.gates import read_price_list, require_feature_now
from src.tenants.models import AuditEntry, BookingCounter
from tests.support.builders import Business, a_business
from tests.tenants.bolt_on_support import (
    MORE,
    REFUNDS,
    ask_for,
    bolt_on_of,
    given,
    holdings,
    removed,
    request_states,
)
from tests.tenants.plan_support import an_admin, events_of, now_of, platform_log, version_of

pytestmark = pytest.mark.anyio


def edit_of(
    one: OfferedBoltOn,
    *,
    name: str | None = None,
    visibility: BoltOnVisibility = BoltOnVisibility.PUBLIC,
    active: bool = True,
    monthly_minor: int | None = None,
    increments: dict[Limit, int] | None = None,
) -> EditBoltOn:
    return EditBoltOn(
        key=one.key,
        based_on_version=one.version,
        face=BoltOnFace(
            name=name or one.name, summary=one.summary, visibility=visibility, active=active
        ),
        terms=BoltOnTerms(
            monthly_minor=one.monthly_minor if monthly_minor is None else monthly_minor,
            yearly_minor=one.yearly_minor,
            features=one.features,
            increments=one.increments if increments is None else increments,
        ),
    )


async def edited(uow_factory: UowFactory, admin: RequestContext, cmd: EditBoltOn) -> OfferedBoltOn:
    async with uow_factory(None) as uow:
        return await edit_bolt_on(uow, admin, cmd)


async def audited(uow_factory: UowFactory, business: Business) -> list[str]:
    async with uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def test_what_is_asked_for_is_given_and_counts_at_once(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="growth")
    request_id = await ask_for(uow_factory, business, REFUNDS)
    assert await ask_for(uow_factory, business, REFUNDS) == request_id, "asking twice asks once"
    async with uow_factory(business.id) as uow:
        await read_price_list(uow)
        with pytest.raises(PlanLimitReached) as refused:
            await require_feature_now(uow, business.ctx, Feature.AUTO_REFUND)
    assert refused.value.cheapest_bolt_on == "Auto-refund"
    assert refused.value.cheapest_plan == "Scale"
    await given(uow_factory, ada, business, REFUNDS)
    async with uow_factory(business.id) as uow:
        await require_feature_now(uow, business.ctx, Feature.AUTO_REFUND)
    assert await request_states(uow_factory) == ["done"]
    (held,) = await holdings(uow_factory, business)
    assert (held.given_by, held.ended_at) == (ada.user_id, None)
    assert await audited(uow_factory, business) == [
        "plan.bolt_on_requested",
        "plan.bolt_on_given",
    ]
    ((action, subject, detail),) = await platform_log(uow_factory)
    assert (action, subject) == ("tenant.bolt_on_given", f"tenant:{business.id}")
    assert detail["closed_requests"] == 1


async def test_more_bookings_are_there_in_the_very_month(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    async with uow_factory(business.id) as uow:
        uow.session.add(
            BookingCounter(tenant_id=business.id, month="2027-03", taken=30, warned_percent=100)
        )
    with pytest.raises(PlanLimitReached):
        async with uow_factory(business.id) as uow:
            await claim_booking_unit(uow, business.tenant, uow.clock.now())
    held_id = await given(uow_factory, ada, business, MORE)
    now = await now_of(uow_factory, business)
    assert now.entitlements.limit(Limit.BOOKINGS_PER_MONTH) == 130
    async with uow_factory(business.id) as uow:
        await claim_booking_unit(uow, now, uow.clock.now())
        counter = await uow.session.get_one(BookingCounter, (business.id, "2027-03"))
        assert (counter.taken, counter.warned_percent) == (31, 0), "warnings count anew"
    await removed(uow_factory, business.ctx, business, MORE, held_id)
    now = await now_of(uow_factory, business)
    assert now.entitlements.limit(Limit.BOOKINGS_PER_MONTH) == 30
    with pytest.raises(PlanLimitReached):
        async with uow_factory(business.id) as uow:
            await claim_booking_unit(uow, now, uow.clock.now())
    topics = [topic for topic, _payload in await events_of(uow_factory, business)]
    assert topics.count("tenants.monthly_limit_neared") == 1, "31 of 30 is told at once"


async def test_of_each_there_is_one(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    first = await given(uow_factory, ada, business, MORE)
    with pytest.raises(Conflict, match="already"):
        await given(uow_factory, ada, business, MORE)
    with pytest.raises(InvalidInput, match="already"):
        await ask_for(uow_factory, business, MORE)
    limit = (await now_of(uow_factory, business)).entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    assert limit == 130
    await removed(uow_factory, business.ctx, business, MORE, first)
    second = await given(uow_factory, ada, business, MORE)
    assert [held.id for held in await holdings(uow_factory, business)] == [first, second]


async def test_a_removal_that_looked_at_an_earlier_holding_takes_nothing(
    uow_factory: UowFactory,
) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="growth")
    first = await given(uow_factory, ada, business, REFUNDS)
    await removed(uow_factory, business.ctx, business, REFUNDS, first)
    await given(uow_factory, ada, business, REFUNDS)
    with pytest.raises(Conflict, match="already"):
        await removed(uow_factory, business.ctx, business, REFUNDS, first)
    with pytest.raises(NotFound):
        await removed(uow_factory, business.ctx, business, REFUNDS, new_id())
    assert (await now_of(uow_factory, business)).entitlements.has(Feature.AUTO_REFUND)


async def test_anothers_bolt_on_is_not_there(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    lotus = await a_business(uow_factory, plan="growth")
    tennis = await a_business(uow_factory, "tennis", plan="growth", owner="Eve")
    held_id = await given(uow_factory, ada, lotus, REFUNDS)
    with pytest.raises(NotFound):
        await removed(uow_factory, tennis.ctx, tennis, REFUNDS, held_id)
    assert await holdings(uow_factory, tennis) == []
    assert not (await now_of(uow_factory, tennis)).entitlements.has(Feature.AUTO_REFUND)
    assert (await now_of(uow_factory, lotus)).entitlements.has(Feature.AUTO_REFUND)


async def test_what_the_plan_has_is_not_asked_for(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="scale")
    for key in (REFUNDS, MORE):
        with pytest.raises(InvalidInput, match="part of your plan"):
            await ask_for(uow_factory, business, key)
    with pytest.raises(NotFound):
        await ask_for(uow_factory, business, "nonsense")


async def test_an_edit_leaves_everyone_what_they_took(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    lotus = await a_business(uow_factory, plan="free")
    tennis = await a_business(uow_factory, "tennis", plan="free", owner="Eve")
    await given(uow_factory, ada, lotus, MORE)
    before = await bolt_on_of(uow_factory, MORE)
    increments = {Limit.BOOKINGS_PER_MONTH: 80}
    after = await edited(uow_factory, ada, edit_of(before, name="+80", increments=increments))
    assert (after.version, after.name) == (2, "+80")
    await given(uow_factory, ada, tennis, MORE)
    limits = [
        (await now_of(uow_factory, one)).entitlements.limit(Limit.BOOKINGS_PER_MONTH)
        for one in (lotus, tennis)
    ]
    assert limits == [130, 110]
    names = [
        (await now_of(uow_factory, one)).entitlements.bolt_ons[0].name for one in (lotus, tennis)
    ]
    assert names == ["+80", "+80"], "the name is everybody's"
    with pytest.raises(Conflict, match="Someone else"):
        await edited(uow_factory, ada, edit_of(before, monthly_minor=1))
    with pytest.raises(Conflict, match="Someone else"):
        async with uow_factory(tennis.id) as uow:
            await give_bolt_on(uow, ada, GiveBoltOn(key=MORE, version_id=before.version_id))


async def test_a_new_face_makes_no_version_and_takes_it_off_offer(
    uow_factory: UowFactory,
) -> None:
    ada = await an_admin(uow_factory)
    lotus = await a_business(uow_factory, plan="growth")
    before = await bolt_on_of(uow_factory, REFUNDS)
    hidden = await edited(uow_factory, ada, edit_of(before, visibility=BoltOnVisibility.HIDDEN))
    assert hidden.version == 1
    with pytest.raises(NotFound):
        await ask_for(uow_factory, lotus, REFUNDS)
    held_id = await given(uow_factory, ada, lotus, REFUNDS)
    await removed(uow_factory, ada, lotus, REFUNDS, held_id)
    await edited(uow_factory, ada, edit_of(before, active=False))
    with pytest.raises(Conflict, match="not given"):
        await given(uow_factory, ada, lotus, REFUNDS)


@pytest.mark.parametrize("field", ["yearly", "features"])
async def test_a_bolt_on_of_nothing_or_of_a_dear_year_is_refused(
    uow_factory: UowFactory, field: str
) -> None:
    ada = await an_admin(uow_factory)
    before = await bolt_on_of(uow_factory, MORE)
    wrong = (
        edit_of(before, monthly_minor=1) if field == "yearly" else edit_of(before, increments={})
    )
    with pytest.raises(InvalidInput) as refused:
        await edited(uow_factory, ada, wrong)
    assert list(refused.value.fields) == [field]


async def test_a_version_is_never_edited(uow_factory: UowFactory) -> None:
    from sqlalchemy import text

    with pytest.raises(DBAPIError, match="permission denied"):
        async with uow_factory(None) as uow:
            await uow.session.execute(text("UPDATE bolt_on_versions SET monthly_minor = 0"))


async def test_bolt_ons_stay_on_another_plan(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    await given(uow_factory, ada, business, MORE)
    await ask_for(uow_factory, business, REFUNDS)
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=await version_of(uow_factory, "growth"),
        expected_version_id=await version_of(uow_factory, "free"),
    )
    async with uow_factory(business.id) as uow:
        await move_tenant(uow, ada, cmd)
    limit = (await now_of(uow_factory, business)).entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    assert limit == 1100
    assert await request_states(uow_factory) == ["open"], "a move answers no wish for a bolt-on"


async def test_a_declined_wish_can_be_made_again(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="growth")
    for _time in range(7):
        request_id = await ask_for(uow_factory, business, REFUNDS)
        async with uow_factory(business.id) as uow:
            await decline_request(uow, ada, request_id, "")
    assert await request_states(uow_factory) == ["declined"] * 7
    assert await holdings(uow_factory, business) == []
