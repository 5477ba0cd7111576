"""What is said of credits, packages and vouchers as numbers adds up."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from src.billing.commands.credits import GUEST, SYSTEM, Author, lock_lot, write_entry
from src.billing.domain.credits import EntryKind, LotSource
from src.billing.models import CreditLot
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import Customer
from tests.booking.web.pages import send_again
from tests.booking.web.test_credits import WHY, paid_by_card
from tests.support.builders import Business
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.lots import a_customer, lot_of
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/credits"
STAFF = Author("staff", reason="Sorry")


@pytest.fixture
async def carl(services: Services, lotus: Business) -> Customer:
    return await a_customer(services.uow_factory, lotus.id)


async def written(
    services: Services, lotus: Business, lot: CreditLot, *entries: tuple[EntryKind, int, Author]
) -> None:
    for kind, number, author in entries:
        named = {"seat_id": new_id()} if author == GUEST else {}
        async with services.uow_factory(lotus.id) as uow:
            locked = await lock_lot(uow, lot.id)
            await write_entry(uow, locked, kind, number, author, **named)


async def sales(client: AsyncClient) -> list[dict[str, str]]:
    sent = await send_again(client, f"{HOME}/sales", await client.get(HOME), {})
    return list(csv.DictReader(io.StringIO(sent.content.decode("utf-8-sig"))))


PARTS = ("Used", "Left", "Lapsed", "Credits refunded", "Credits taken off", "Rolled over")


async def test_the_credits_of_a_row_are_all_somewhere_and_its_order_is_named(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer, clock: FrozenClock
) -> None:
    order = await paid_by_card(services, lotus, carl)
    mine = await lot_of(services.uow_factory, lotus.id, carl.id, order_id=order.id)
    await written(
        services,
        lotus,
        mine,
        (EntryKind.ADJUST, 3, STAFF),
        (EntryKind.ADJUST, -2, STAFF),
        (EntryKind.REDEEM, -1, GUEST),
        (EntryKind.REFUND, -7, SYSTEM),
    )
    [row] = await sales(client)
    assert row["Order"] == order.reference
    assert row["Credits"] == "13"
    assert [row[part] for part in PARTS] == ["1", "3", "0", "7", "2", "0"]
    listed = (await client.get(HOME)).text
    assert "7 refunded · 2 taken off" in listed
    assert f'href="/app/lotus/orders/{order.id}">{order.reference}</a>' in listed
    assert "7 refunded · 2 taken off" in (await client.get(f"{HOME}/{mine.id}")).text


async def test_what_was_rolled_over_is_in_its_row_as_that(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer, clock: FrozenClock
) -> None:
    ends_at = clock.now() + timedelta(days=3)
    mine = await lot_of(services.uow_factory, lotus.id, carl.id, expires_at=ends_at)
    await written(services, lotus, mine, (EntryKind.REDEEM, -1, GUEST))
    clock.advance(timedelta(days=4))
    act = f"{HOME}/{mine.id}/roll-over"
    await send_again(client, act, await client.get(act), WHY)
    rows = await sales(client)
    assert sorted([row[part] for part in PARTS] for row in rows) == [
        ["0", "9", "0", "0", "0", "0"],
        ["1", "0", "0", "0", "0", "9"],
    ]
    assert "9 rolled over" in (await client.get(HOME)).text


async def test_a_package_counts_as_sold_what_was_bought(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    """No gift, nothing that was rolled over, and no credit that stands for one that has ended."""
    package = await a_package(services.uow_factory, lotus.id, name="Five mornings")

    async def of(**more: Any) -> CreditLot:
        of_package = {"package_id": package.id, "credits": 1, "bought": 1}
        return await lot_of(services.uow_factory, lotus.id, carl.id, **of_package, **more)

    bought = await of()
    for more in (
        {"source": LotSource.GOODWILL},
        {"source": LotSource.ROLLOVER, "rolled_from_id": bought.id},
        {"source": LotSource.SEAT, "source_seat_id": new_id(), "stands_for_id": bought.id},
        {"source": LotSource.PACKAGE},
    ):
        await of(**more)
    shown = (await client.get(f"/app/lotus/packages/{package.id}")).text
    assert stat_of(shown, "Sold and paid") == "2"
    assert stat_of(shown, "Credits left with guests") == "5"


def stat_of(page: str, label: str) -> str:
    """The number on top of the page that has this label."""
    after = page[page.index(f">{label}<") :]
    return after[after.index("<dd") :].split(">", 1)[1].split("<", 1)[0].strip()


async def test_what_was_given_in_place_of_a_refund_was_not_sold(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    for minor, source, code in ((5000, "sold", CODE), (1234, "refund", "K7QF-2M9X-3456-BCDG")):
        more = {"minor": minor, "source": source, "code": code}
        await a_voucher(services.uow_factory, lotus.id, **more)
    shown = (await client.get("/app/lotus/vouchers")).text
    assert stat_of(shown, "Sold in all") == "€50.00"
    assert "and €12.34 given in place of refunds" in shown
