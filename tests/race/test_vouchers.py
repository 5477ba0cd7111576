"""The last of a voucher's balance, wanted by many at once, and given back while others take it.

The control switches the guard off and shows the race, so that the others are known to mean a thing.
"""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from src.billing.commands import voucher_claims
from src.billing.commands.ending import expire_order
from src.booking.commands.book import BookCommand
from tests.booking.commands.test_book import a_wish
from tests.conftest import Committing
from tests.race.test_coupons import strangers
from tests.race.test_seats import FEW, all_at_once, all_having_looked
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.ledgers import ledgers_that_do_not_add_up
from tests.support.servers import test_servers
from tests.support.vouchers import CODE, a_voucher, on_it

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

AT_ONCE = 20
UNGUARDED = text(
    "UPDATE vouchers SET balance_minor = greatest(balance_minor - :part, 0)"
    " WHERE tenant_id = :tenant_id AND id = :voucher_id AND created_at <= :now RETURNING id"
)


async def a_shop(committing: Committing) -> tuple[Business, Term]:
    """A series at EUR 60 with a place for everybody."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    return business, await a_series(committing.uow_factory, service, capacity=3 * AT_ONCE)


def wishes(term: Term, *addresses: str) -> list[BookCommand]:
    return [
        a_wish("series", term.series.id, guest_email=address, coupon=CODE) for address in addresses
    ]


async def wrong(committing: Committing, business: Business) -> list[str]:
    async with committing.uow_factory(business.id) as uow:
        return await ledgers_that_do_not_add_up(uow.session)


async def test_the_last_balance_is_spent_by_exactly_one_of_twenty(committing: Committing) -> None:
    business, term = await a_shop(committing)
    await a_voucher(committing.uow_factory, business.id, minor=6000)
    outcomes = await all_at_once(committing, business, wishes(term, *strangers()))
    assert outcomes == {"booked": 1, "invalid_input": AT_ONCE - 1}
    assert await on_it(committing.uow_factory, business.id) == 0
    assert await wrong(committing, business) == []


async def test_control_without_the_guard_many_spend_the_same_money(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, term = await a_shop(committing)
    await a_voucher(committing.uow_factory, business.id, minor=6000)
    monkeypatch.setattr(voucher_claims, "_TAKE", UNGUARDED)
    outcomes = await all_having_looked(committing, business, wishes(term, *strangers()[:FEW]))
    assert outcomes == {"booked": FEW}
    assert await wrong(committing, business) != []
    # What was spent twice is no other test's: after each of them all ledgers add up.
    for sql in ("DELETE FROM voucher_entries", "UPDATE vouchers SET balance_minor = 0"):
        test_servers().postgres.execute(committing.name, sql)


async def test_a_hold_that_dies_gives_back_what_others_want_at_the_same_moment(
    committing: Committing,
) -> None:
    """Nothing deadlocks, and the balance is what its entries say whoever was first."""
    business, term = await a_shop(committing)
    await a_voucher(committing.uow_factory, business.id, minor=5000)
    for turn in range(3):
        await all_at_once(committing, business, wishes(term, f"first{turn}@example.com"))
        async with committing.uow_factory(business.id) as uow:
            found = await uow.session.execute(text("SELECT id FROM orders WHERE state = 'open'"))
            (held,) = found.scalars()
        others = [f"g{turn}-{number}@example.com" for number in range(AT_ONCE)]
        outcomes, _ended = await asyncio.gather(
            all_at_once(committing, business, wishes(term, *others)),
            end(committing, business, held),
        )
        assert outcomes["booked"] <= 1
        left = await on_it(committing.uow_factory, business.id)
        assert left == (0 if outcomes["booked"] else 5000)
        assert await wrong(committing, business) == []
        if outcomes["booked"]:
            async with committing.uow_factory(business.id) as uow:
                found = await uow.session.execute(
                    text("SELECT id FROM orders WHERE state = 'open'")
                )
                (held,) = found.scalars()
            await end(committing, business, held)


async def end(committing: Committing, business: Business, order_id: UUID) -> None:
    async with committing.uow_factory(business.id) as uow:
        await expire_order(uow, order_id, "not_paid", uow.clock.now())
