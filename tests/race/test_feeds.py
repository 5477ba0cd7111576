"""Calendars under a secret address, with real commits: two renewals, a merge in a reading."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from src.booking.calendar_links import calendar_url, customer_behind
from src.booking.commands.feeds import (
    make_customer_feed,
    make_member_feed,
    note_reading,
    open_feed,
)
from src.booking.domain.kinds import FeedKind
from src.booking.models import CalendarFeed
from src.booking.queries.feeds import get_feed_content
from src.platform.config import Settings
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, Gone, NotFound
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def renew(factory: UowFactory, business: Business) -> str:
    async with factory(business.id) as uow:
        return await make_member_feed(uow, business.ctx, FeedKind.BUSINESS)


@pytest.mark.parametrize("has_one", [True, False])
async def test_of_two_renewals_one_address_is_left(committing: Committing, has_one: bool) -> None:
    factory = committing.uow_factory
    business = await a_business(factory)
    old = await renew(factory, business) if has_one else None
    async with factory(business.id) as uow:
        new = await make_member_feed(uow, business.ctx, FeedKind.BUSINESS)
        await uow.settle()
        other = asyncio.create_task(renew(factory, business))
        await until_somebody_waits(factory)
    with pytest.raises(Conflict):
        await other
    async with factory(business.id) as uow:
        live = await uow.session.scalar(
            select(func.count()).select_from(CalendarFeed).where(CalendarFeed.revoked_at.is_(None))
        )
        assert live == 1
        assert (await open_feed(uow, new)).kind == FeedKind.BUSINESS
        if old is not None:
            with pytest.raises(Gone):
                await open_feed(uow, old)


@pytest.mark.parametrize("is_customers", [True, False])
async def test_who_reads_while_the_feed_is_let_go_of_finds_none(
    committing: Committing, services: Services, is_customers: bool
) -> None:
    factory = committing.uow_factory
    business = await a_business(factory)
    if is_customers:
        _customer_id, key = await a_guest_with_a_feed(factory, business, services.settings)
    else:
        key = await renew(factory, business)

    async def read() -> None:
        async with factory(business.id) as uow:
            feed = await open_feed(uow, key)
            note_reading(feed, "other", uow.clock.now())

    async with factory(business.id) as uow:
        await uow.session.execute(delete(CalendarFeed))
        reading = asyncio.create_task(read())
        await until_somebody_waits(factory)
    with pytest.raises(NotFound):
        await reading


async def a_guest_with_a_feed(
    factory: UowFactory, business: Business, settings: Settings
) -> tuple[UUID, str]:
    """Their customer and the key of the feed of all their dates."""
    session = await a_session(factory, await a_service(factory, business.id, price_type="free"))
    made = await booked(factory, business, a_wish("session", session.id))
    customer_id = made.order.customer_id
    async with factory(business.id) as uow:
        url = calendar_url(
            settings, business.tenant, customer_id, made.order.guest_email, uow.clock.now()
        )
        linked = customer_behind(settings, url.rpartition("/")[2], business.id, uow.clock.now())
        return customer_id, await make_customer_feed(uow, linked)


async def test_a_merge_during_a_reading_adds_nothing_to_it(
    committing: Committing, services: Services
) -> None:
    factory = committing.uow_factory
    business = await a_business(factory)
    kept, key = await a_guest_with_a_feed(factory, business, services.settings)
    session = await a_session(
        factory, await a_service(factory, business.id, price_type="free", slug="pilates")
    )
    kims = await booked(
        factory, business, a_wish("session", session.id, guest_email="kim@example.com")
    )

    async def merge() -> None:
        async with factory(business.id) as uow:
            await merge_customers(uow, business.ctx, kims.order.customer_id, kept)

    async with factory(business.id) as uow:
        feed = await open_feed(uow, key)
        merging = asyncio.create_task(merge())
        await until_somebody_waits(factory)
        content = await get_feed_content(uow, business.tenant, services.settings, feed)
        assert len(content.dates) == 1
    await merging
    async with factory(business.id) as uow:
        with pytest.raises(Gone):
            await open_feed(uow, key)
