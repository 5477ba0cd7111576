"""A change of the end stands in the history, for staff and for whose credits they are."""

import re
from datetime import datetime, timedelta

import pytest
from httpx import Response

from src.platform.services import Services
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import send
from tests.booking.web.test_credits import HOME, WHY
from tests.support.clock import FrozenClock
from tests.support.lots import a_customer, lot_of
from tests.support.portal import sign_in_portal
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


def words(page: Response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def test_who_moved_the_end_from_when_to_when_and_why_is_read_by_both(
    shop: Shop, clock: FrozenClock
) -> None:
    factory, client = shop.services.uow_factory, shop.guest.client
    carl = await a_customer(factory, shop.business.id)
    mine = await lot_of(
        factory, shop.business.id, carl.id, expires_at=ends_on(2032, 12, 27, shop.services)
    )
    clock.advance(timedelta(hours=1))
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"{HOME}/{mine.id}"
    for day in ("2033-02-28", "2033-01-31"):
        await send(client, f"{here}/end", {"ends_on": day, **WHY})
        clock.advance(timedelta(minutes=1))
    await send(client, f"{here}/end", {"ends_on": "", **WHY})
    shown = words(await client.get(here))
    moves = [
        "from Mon, Dec 27, 2032 to Mon, Feb 28, 2033",
        "from Mon, Feb 28, 2033 to Mon, Jan 31, 2033",
        "from Mon, Jan 31, 2033 to no end",
    ]
    for move in moves:
        assert f"End changed {move} {WHY['reason']}" in shown
    assert [shown.index(move) for move in moves] == sorted(map(shown.index, moves), reverse=True)
    assert "– 10 Olive" in shown

    await sign_in_portal(client, shop.services, shop.business.id, carl.id)
    own = words(await client.get("/b/lotus/me"))
    for move in moves:
        assert f"End changed {move} {WHY['reason']}" in own


def ends_on(year: int, month: int, day: int, services: Services) -> datetime:
    return datetime(year, month, day, 12, tzinfo=services.clock.now().tzinfo)
