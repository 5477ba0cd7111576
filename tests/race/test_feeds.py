"""Two windows make a new address of the same calendar at once, with real commits."""

import asyncio

import pytest
from sqlalchemy import func, select

from src.booking.commands.feeds import make_member_feed, open_feed
from src.booking.domain.kinds import FeedKind
from src.booking.models import CalendarFeed
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, Gone
from tests.conftest import Committing
from tests.support.builders import Business, a_business
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race]


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
