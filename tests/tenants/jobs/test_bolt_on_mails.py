"""Mails about bolt-ons: to whom, and how often."""

import pytest

from src.platform.services import Services
from src.tenants.commands.plan_requests import decline_request
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.domain.roles import Role
from src.tenants.plan_events import BoltOnGiven
from tests.support.builders import a_business, a_member
from tests.support.work import waiting, work
from tests.tenants.bolt_on_support import MORE, REFUNDS, ask_for, given, removed
from tests.tenants.jobs.test_plan_mails import mails, record
from tests.tenants.plan_support import an_admin

pytestmark = pytest.mark.anyio


async def test_admins_hear_of_a_wish_and_owners_of_the_answer(services: Services) -> None:
    factory = services.uow_factory
    ada = await an_admin(factory)
    business = await a_business(factory, plan="growth")
    mia = await a_member(factory, business, "Mia", Role.MANAGER)
    await ask_for(factory, business, REFUNDS, mia)
    await work(services, business.id)
    (asked,) = await mails(services, PLATFORM_TENANT_ID)
    assert asked.subject == "Lotus asks for Auto-refund"
    assert "Lotus is on Growth and asks for Auto-refund." in asked.text
    held_id = await given(factory, ada, business, REFUNDS)
    await record(services, business, BoltOnGiven(held_id=held_id, name="Auto-refund"))
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    (told,) = await mails(services, business.id)
    assert told.to_address == "olive@lotus.example"
    assert told.subject == "Lotus now has Auto-refund"
    assert "- Auto-refund\n" in told.text
    assert "- 1,000 bookings a month" in told.text


async def test_who_asked_hears_why_not(services: Services) -> None:
    ada = await an_admin(services.uow_factory)
    business = await a_business(services.uow_factory, plan="growth")
    request_id = await ask_for(services.uow_factory, business, REFUNDS)
    async with services.uow_factory(business.id) as uow:
        await decline_request(uow, ada, request_id, "Please call us first.")
    await work(services, business.id)
    (answer,) = await mails(services, business.id)
    assert answer.subject == "About your request for Auto-refund"
    assert "Please call us first." in answer.text


async def test_a_removal_is_told_to_owners_and_to_who_writes_the_bills(
    services: Services,
) -> None:
    factory = services.uow_factory
    ada = await an_admin(factory)
    business = await a_business(factory, plan="free")
    held_id = await given(factory, ada, business, MORE)
    await work(services, business.id)
    await removed(factory, business.ctx, business, MORE, held_id)
    await work(services, business.id)
    assert await waiting(services, business.id) == []
    _given, gone = await mails(services, business.id)
    assert gone.subject == "Lotus no longer has +100 bookings a month"
    assert "Olive has removed the bolt-on +100 bookings a month from Lotus." in gone.text
    assert "- 30 bookings a month" in gone.text
    (bill,) = await mails(services, PLATFORM_TENANT_ID)
    assert bill.subject == "Lotus has removed +100 bookings a month"
    assert f"/admin/tenants/{business.id}" in bill.text


async def test_what_an_admin_removes_is_told_to_the_owners_only(services: Services) -> None:
    factory = services.uow_factory
    ada = await an_admin(factory)
    business = await a_business(factory, plan="growth")
    held_id = await given(factory, ada, business, REFUNDS)
    await removed(factory, ada, business, REFUNDS, held_id)
    await work(services, business.id)
    _given, gone = await mails(services, business.id)
    assert "The bolt-on Auto-refund has been removed from Lotus." in gone.text
    assert await mails(services, PLATFORM_TENANT_ID) == []
