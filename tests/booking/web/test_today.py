"""The first page of the day."""

import html
import json
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.models import OpenItem, Order
from src.booking.commands.book import book
from src.booking.models import Seat
from src.platform.localtime import local_day_bounds, to_local
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
from tests.support.clock import FrozenClock
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
PATH = "/app/lotus/today"
ZONE = ZoneInfo("Europe/Amsterdam")


async def count(services: Services, business: Business, taken: int) -> None:
    async with services.uow_factory(business.id) as uow:
        uow.session.add(BookingCounter(tenant_id=business.id, month="2027-03", taken=taken))


def tick_of(at: datetime) -> str:
    on = to_local(at, ZONE)
    return f"{on:%A}"[0] + f"\n{on.day}"


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


@pytest.mark.slow
async def test_a_roster_that_is_ticked_in_part_is_told_for_a_day_after_its_session(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    async with services.uow_factory(business.id) as uow:
        await book(uow, as_guest(business), a_wish("session", session.id, party=("Carl", "Kim")))

    async def tick(wanted: str, most: int) -> None:
        async with services.uow_factory(business.id) as uow:
            found = await uow.session.scalars(
                select(Seat).where(Seat.session_id == session.id).order_by(Seat.id).limit(most)
            )
            for seat in found:
                seat.state = wanted

    clock.at = session.ends_at + timedelta(minutes=25)
    await as_owner(client, services, business)
    assert "not ticked yet" not in (await client.get(PATH)).text, "check-in is not used"
    await tick("attended", 1)
    shown = flat((await client.get(PATH)).text)
    assert "1 of 2 is not ticked yet." in shown
    assert f"/sessions/{session.id}?show=expected" in shown
    await tick("no_show", 2)
    assert "not ticked yet" not in (await client.get(PATH)).text, "all are ticked"
    await tick("confirmed", 1)
    clock.at = session.ends_at + timedelta(hours=23, minutes=59)
    assert "1 of 2 is not ticked yet." in flat((await client.get(PATH)).text)
    clock.at = session.ends_at + timedelta(days=1)
    assert "not ticked yet" not in (await client.get(PATH)).text, "a day later"


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
    assert "1 refund needs a decision." in shown
    assert "payment needs a decision" not in shown
    assert "Guests cannot pay online yet" in shown
    assert "nearly used up" in shown
    assert "850 of 1,000" in shown


async def test_a_month_that_is_used_up_offers_what_brings_more_for_least(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, plan="growth")
    await count(services, business, 1000)
    await as_owner(client, services, business)
    shown = (await client.get(PATH)).text
    assert "The bookings of your plan are used up for this month." in shown
    assert "+100 bookings a month" in shown


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
    assert "Start: Publish the first date, or set hours" not in after


async def test_an_online_series_of_a_service_paid_on_site_needs_payments_too(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, payments_ready=False)
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    await as_owner(client, services, business)
    assert "Connect payments" not in (await client.get(PATH)).text
    await a_series(services.uow_factory, service, price_type="online")
    assert "Connect payments" in (await client.get(PATH)).text


def flat(text: str) -> str:
    return " ".join(text.split())


async def test_how_full_the_next_days_are_is_counted_by_the_businesss_days(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    midnight, _next = local_day_bounds(to_local(clock.now(), ZONE).date(), ZONE)
    late = midnight + timedelta(days=1, hours=23)
    for starts_at, taken, state in (
        (late, 5, "scheduled"),
        (late - timedelta(hours=22, minutes=30), 2, "scheduled"),
        (late, 0, "cancelled"),
        (midnight + timedelta(days=14), 9, "scheduled"),
    ):
        await a_session(
            services.uow_factory, service, starts_at=starts_at, seats_taken=taken, state=state
        )
    await as_owner(client, services, business)
    shown = flat((await client.get(PATH)).text)
    assert "35%: 7 of 20 places are taken." in shown
    assert "7 of 20 (35%)" in shown
    assert shown.count("no session") >= 13
    [fill, *_weekly] = re.findall(r"data-chart=\"([^\"]+)\"", shown)
    ticks = [point["tick"] for point in json.loads(html.unescape(fill))]
    assert (ticks[0], ticks[-1]) == (tick_of(midnight), tick_of(midnight + timedelta(days=13)))


async def test_what_each_week_brought_is_told_with_what_was_given_back(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    """Row 2-25: statistics did not know of refunds."""
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, in_days=60)
    for weeks, paid, back in ((0, 1500, 0), (1, 3000, 1000), (20, 1500, 0)):
        async with services.uow_factory(business.id) as uow:
            wish = a_wish("session", session.id, guest_email=f"g{weeks}@example.com")
            made = await book(uow, as_guest(business), wish)
            await uow.session.execute(
                update(Order)
                .where(Order.id == made.order_id)
                .values(
                    created_at=clock.now() - timedelta(weeks=weeks),
                    paid_minor=paid,
                    refunded_minor=back,
                )
            )
    await as_owner(client, services, business)
    shown = flat((await client.get(PATH)).text)
    assert "1 booking this week so far, 1 in the week before." in shown
    assert "€35.00 in twelve weeks" in shown
    assert "€20.00" in shown


async def test_charts_say_when_there_is_nothing_to_draw_and_instructors_get_none(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    await a_session(services.uow_factory, service, in_days=60)
    await as_owner(client, services, business)
    shown = (await client.get(PATH)).text
    assert "No session takes place in the next 14 days." in shown
    assert "<canvas" not in shown
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    shown = (await client.get(PATH)).text
    assert "How full are" not in shown
    assert "in twelve weeks" not in shown
