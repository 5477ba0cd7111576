"""The first page of the day."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from src.billing.models import OpenItem
from src.booking.commands.book import book
from src.platform.services import Services
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.domain.roles import Role
from src.tenants.models import BookingCounter, Tenant
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish
from tests.booking.web.pages import as_owner
from tests.support.builders import (
    Business,
    a_business,
    a_member,
    a_series,
    a_service,
    a_session,
    as_guest,
    plan_version_id,
)
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
PATH = "/app/lotus/today"


async def count(services: Services, business: Business, taken: int) -> None:
    async with services.uow_factory(business.id) as uow:
        uow.session.add(BookingCounter(tenant_id=business.id, month="2027-03", taken=taken))


async def test_a_new_business_is_led_to_its_first_steps(
    client: AsyncClient, services: Services
) -> None:
    await as_owner(client, services, await a_business(services.uow_factory))
    shown = (await client.get(PATH)).text
    assert "Your first date is a few steps away" in shown
    assert 'href="/app/lotus/start"' in shown


async def test_it_tells_what_comes_next_and_how_the_month_goes(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, title="Basics")
    await a_session(services.uow_factory, service, title="Called off", state="cancelled")
    async with services.uow_factory(business.id) as uow:
        await book(uow, as_guest(business), a_wish("session", session.id, party=("Carl", "Kim")))
    await as_owner(client, services, business)
    shown = " ".join((await client.get(PATH)).text.split())
    for words in ("Basics", "2 of 10", "Bookings in March", "€30.00", "1, no limit"):
        assert words in shown, words
    assert "Called off" not in shown


async def test_a_session_that_runs_now_is_still_there(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    started = services.clock.now() - timedelta(minutes=30)
    await a_session(services.uow_factory, service, starts_at=started, title="Running")
    await as_owner(client, services, business)
    assert "Running" in (await client.get(PATH)).text


async def test_what_waits_for_a_person_is_said(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory, plan="growth", payments_ready=False)
    await a_service(services.uow_factory, business.id)
    await count(services, business, 850)
    async with services.uow_factory(business.id) as uow:
        uow.session.add(
            OpenItem(
                tenant_id=business.id,
                kind="refund_failed",
                subject_id=business.id,
                sentence="A refund failed.",
                created_at=uow.clock.now(),
            )
        )
    await as_owner(client, services, business)
    shown = (await client.get(PATH)).text
    assert "1 payment needs a decision." in shown
    assert "Guests cannot pay online yet" in shown
    assert "nearly used up" in shown
    assert "850 of 1,000" in shown


async def test_a_month_that_is_used_up_offers_the_next_plan(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, plan="growth")
    await count(services, business, 1000)
    await as_owner(client, services, business)
    shown = (await client.get(PATH)).text
    assert "The bookings of your plan are used up for this month." in shown
    assert "Scale" in shown


async def test_a_plan_without_groups_says_so(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory, plan="starter")
    await a_service(services.uow_factory, business.id)
    await as_owner(client, services, business)
    assert "guests do not see yours" in (await client.get(PATH)).text


async def test_a_trial_that_ends_soon_is_said(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory, plan="starter")
    await give_trial(services, business, timedelta(days=3))
    await as_owner(client, services, business)
    assert "Your trial of Growth ends on" in (await client.get(PATH)).text


async def give_trial(services: Services, business: Business, left: timedelta) -> None:
    async with services.uow_factory(business.id) as uow:
        growth = await plan_version_id(uow, "growth")
        ends_at = uow.clock.now() + left
        await uow.session.execute(
            update(Tenant)
            .where(Tenant.id == business.id)
            .values(trial_version_id=growth, trial_ends_at=ends_at)
        )
        await rebuild_entitlements(uow, business.id)


async def test_an_instructor_sees_their_own_sessions_and_no_money(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, business, user_id=ivan.user_id)
    await a_session(services.uow_factory, service, performer_id=performer.id, title="Mine")
    await a_session(services.uow_factory, service, title="Not mine")
    await sign_in(client, services, ivan.user_id)
    shown = (await client.get(PATH)).text
    assert "Mine" in shown
    assert "Not mine" not in shown
    assert "€" not in shown


async def test_the_first_steps_are_ticked_as_they_are_done(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    before = (await client.get("/app/lotus/start")).text
    assert "Start: Describe what you offer" in before
    service = await a_service(services.uow_factory, business.id)
    await a_session(services.uow_factory, service)
    after = (await client.get("/app/lotus/start")).text
    assert "Start: Describe what you offer" not in after
    assert "Start: Publish the first date" not in after


async def test_an_online_series_of_a_service_paid_on_site_needs_payments_too(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, payments_ready=False)
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    await as_owner(client, services, business)
    assert "Connect payments" not in (await client.get(PATH)).text
    await a_series(services.uow_factory, service, price_type="online")
    assert "Connect payments" in (await client.get(PATH)).text
