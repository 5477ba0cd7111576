"""Mails about plans: to whom, and how often."""

from uuid import UUID

import pytest
from sqlalchemy import select

from src.platform.mail.models import MailRow
from src.platform.outbox.events import Event
from src.platform.services import Services
from src.tenants.commands.counters import claim_booking_unit
from src.tenants.commands.plan_requests import RequestPlan, decline_request, request_plan
from src.tenants.commands.plans import MoveTenant, move_tenant
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.domain.roles import Role
from src.tenants.models import Tenant
from src.tenants.plan_events import MonthlyLimitNeared
from tests.support.builders import Business, a_business, a_member, a_service
from tests.support.work import waiting, work
from tests.tenants.plan_support import an_admin, version_of

pytestmark = pytest.mark.anyio


async def mails(services: Services, tenant_id: UUID) -> list[MailRow]:
    async with services.uow_factory(tenant_id) as uow:
        return list(await uow.session.scalars(select(MailRow).order_by(MailRow.id)))


async def record(services: Services, business: Business, event: Event) -> None:
    async with services.uow_factory(business.id) as uow:
        uow.record(event)


async def book(services: Services, business: Business, times: int) -> None:
    for _ in range(times):
        async with services.uow_factory(business.id) as uow:
            await claim_booking_unit(uow, business.tenant, services.clock.now())


async def test_owners_are_warned_at_80_and_at_100_percent(services: Services) -> None:
    business = await a_business(services.uow_factory, plan="free")
    await a_member(services.uow_factory, business, "Mia", Role.MANAGER)
    await book(services, business, 23)
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    assert await mails(services, business.id) == []
    await book(services, business, 1)
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    (first,) = await mails(services, business.id)
    assert first.to_address == "olive@lotus.example"
    assert first.subject == "Lotus: 80 percent of this month's bookings are used"
    assert "24 of the 30 bookings that Free has room for this month" in first.text
    assert "What waits for its payment counts already" in first.text
    assert "What waits for its payment counts already" in first.html
    await book(services, business, 6)
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    _first, second = await mails(services, business.id)
    assert "used up" in second.subject
    assert "Thursday, April 1, 2027" in second.text
    assert "http://testserver.local/app/lotus/plan" in second.html


async def test_a_warning_that_comes_twice_or_late_is_sent_once(services: Services) -> None:
    business = await a_business(services.uow_factory, plan="free")
    await book(services, business, 24)
    near = MonthlyLimitNeared(month="2027-03", percent=80, taken=24, limit=30)
    full = MonthlyLimitNeared(month="2027-03", percent=100, taken=30, limit=30)
    for event in (near, full, near, full):
        await record(services, business, event)
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    assert [mail.subject for mail in await mails(services, business.id)] == [
        "Lotus: 80 percent of this month's bookings are used",
        "Lotus: this month's bookings are used up",
    ]


async def test_every_platform_admin_hears_of_a_request_once(services: Services) -> None:
    await an_admin(services.uow_factory, "Ada")
    await an_admin(services.uow_factory, "Alan")
    business = await a_business(services.uow_factory, plan="free")
    for _ in range(2):
        async with services.uow_factory(business.id) as uow:
            await request_plan(
                uow, business.ctx, RequestPlan(plan_key="growth", wanted_for="Series")
            )
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    sent = await mails(services, PLATFORM_TENANT_ID)
    assert sorted(mail.to_address for mail in sent) == ["ada@example.com", "alan@example.com"]
    assert {mail.subject for mail in sent} == {"Lotus asks for Growth"}
    assert "Wanted for: Series" in sent[0].text
    assert await mails(services, business.id) == []


async def test_who_asked_hears_why_not(services: Services) -> None:
    ada = await an_admin(services.uow_factory)
    business = await a_business(services.uow_factory, plan="free")
    mia = await a_member(services.uow_factory, business, "Mia", Role.MANAGER)
    async with services.uow_factory(business.id) as uow:
        request_id = await request_plan(uow, mia, RequestPlan(plan_key="growth"))
    async with services.uow_factory(business.id) as uow:
        await decline_request(uow, ada, request_id, "Please call us <first>.")
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    (answer,) = await mails(services, business.id)
    assert answer.to_address == "mia@example.com"
    assert "Please call us <first>." in answer.text
    assert "Please call us &lt;first&gt;." in answer.html


async def test_owners_hear_what_a_smaller_plan_takes(services: Services) -> None:
    ada = await an_admin(services.uow_factory)
    business = await a_business(services.uow_factory)
    await a_service(services.uow_factory, business.id)
    async with services.uow_factory(business.id) as uow:
        on = (await uow.session.get_one(Tenant, business.id)).plan_version_id
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=await version_of(services.uow_factory, "free"),
        expected_version_id=on,
    )
    async with services.uow_factory(business.id) as uow:
        await move_tenant(uow, ada, cmd)
    await work(services, business.id)
    told = next(one for one in await mails(services, business.id) if "now on Free" in one.subject)
    for said in (told.text, told.html):
        assert "Not part of it any more: " in said
        assert "1 group service is hidden from guests: no new sales, no new sessions." in said


async def test_owners_hear_of_a_move(services: Services) -> None:
    ada = await an_admin(services.uow_factory)
    business = await a_business(services.uow_factory, plan="free")
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=await version_of(services.uow_factory, "growth"),
        expected_version_id=await version_of(services.uow_factory, "free"),
    )
    async with services.uow_factory(business.id) as uow:
        await move_tenant(uow, ada, cmd)
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    (told,) = await mails(services, business.id)
    assert told.subject == "Lotus is now on Growth"
    assert "- 1,000 bookings a month" in told.text
    assert "- Series" in told.text
    assert "any more" not in told.text
