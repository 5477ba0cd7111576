"""The last use of a coupon, and the first order of a customer, wanted by many at once.

The controls switch the guards off and show the race, so that the others are known to mean a thing.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import text

from src.billing.commands import coupon_claims
from src.billing.commands.ending import expire_order
from src.billing.domain.coupons import no_use, used_up_meanwhile
from src.booking.commands.book import BookCommand
from src.platform.errors import InvalidInput
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.race.test_seats import (
    FEW,
    TAKEN_BY_SESSION,
    all_at_once,
    all_having_looked,
    numbers,
)
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.coupons import a_coupon, uses
from tests.support.locks import until_somebody_waits
from tests.support.servers import test_servers

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

AT_ONCE = 20
ORDERS = "SELECT count(*) FROM orders"
UNGUARDED = text(
    "UPDATE coupons SET used = used + 1 WHERE tenant_id = :tenant_id AND id = :coupon_id"
    " RETURNING max_per_customer"
)


async def a_shop(committing: Committing) -> tuple[Business, Term]:
    """A series with a place for everybody."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    return business, await a_series(committing.uow_factory, service, capacity=2 * AT_ONCE)


def wishes(term: Term, *addresses: str) -> Sequence[BookCommand]:
    return [
        a_wish(
            "series",
            term.series.id,
            guest_email=addresses[number % len(addresses)],
            coupon="SPRING",
        )
        for number in range(AT_ONCE)
    ]


def strangers() -> list[str]:
    return [f"g{number}@example.com" for number in range(AT_ONCE)]


async def test_the_last_use_goes_to_exactly_one_of_twenty(committing: Committing) -> None:
    """Row 2-49: limited codes were used more often than allowed."""
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, max_uses=1)
    outcomes = await all_at_once(committing, business, wishes(term, *strangers()))
    assert outcomes == {"booked": 1, "invalid_input": AT_ONCE - 1}
    assert await uses(committing.uow_factory, business.id) == 1
    assert await numbers(committing, business, ORDERS) == [1]
    assert await numbers(committing, business, TAKEN_BY_SESSION) == [1, 1, 1]


@pytest.mark.parametrize("is_active", [True, False])
async def test_who_comes_too_late_reads_that_it_was_used_up_and_not_that_it_was_switched_off(
    committing: Committing, is_active: bool
) -> None:
    """It was found good, and gone when it was to be taken."""
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, max_uses=1)
    async with committing.uow_factory(business.id) as uow:
        await uow.session.execute(
            text("UPDATE coupons SET used = 1, active = :active"), {"active": is_active}
        )
        coming = asyncio.create_task(
            booked(committing.uow_factory, business, wishes(term, "a@example.com")[0])
        )
        await until_somebody_waits(committing.uow_factory)
    with pytest.raises(InvalidInput) as refused:
        await coming
    said = used_up_meanwhile() if is_active else no_use()
    assert refused.value.fields == {"coupon": said}


async def test_control_without_the_guard_the_last_use_goes_to_many(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, max_uses=1)
    monkeypatch.setattr(coupon_claims, "_TAKE", UNGUARDED)
    await all_having_looked(committing, business, wishes(term, *strangers())[:FEW])
    assert await uses(committing.uow_factory, business.id) == FEW


async def test_one_customer_has_their_limit_however_often_they_ask_at_once(
    committing: Committing,
) -> None:
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, max_per_customer=2)
    outcomes = await all_at_once(
        committing, business, wishes(term, "carl@example.com", "Carl@Example.com ")
    )
    assert outcomes == {"booked": 2, "invalid_input": AT_ONCE - 2}
    assert await uses(committing.uow_factory, business.id) == 2


async def test_control_without_the_guard_a_customer_passes_their_limit(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, max_per_customer=2)
    unguarded = text(f"{coupon_claims._TAKE_FOR} RETURNING cast(:most AS integer)")
    monkeypatch.setattr(coupon_claims, "_TAKE_FOR_CUSTOMER", unguarded)
    await all_having_looked(committing, business, wishes(term, "carl@example.com")[:FEW])
    assert await uses(committing.uow_factory, business.id) == FEW


async def test_a_first_order_is_one_of_twenty(committing: Committing) -> None:
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, first_order_only=True)
    outcomes = await all_at_once(committing, business, wishes(term, "carl@example.com"))
    assert outcomes == {"booked": 1, "invalid_input": AT_ONCE - 1}
    assert await uses(committing.uow_factory, business.id) == 1


async def test_control_without_the_unique_row_a_customer_has_many_first_orders(
    committing: Committing,
) -> None:
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, first_order_only=True)
    test_servers().postgres.execute(committing.name, "DROP INDEX uq_coupon_uses_first")
    await all_having_looked(committing, business, wishes(term, "carl@example.com")[:FEW])
    assert await uses(committing.uow_factory, business.id) == FEW


async def test_holds_that_die_give_back_what_others_claim_at_the_same_moment(
    committing: Committing,
) -> None:
    """Nothing deadlocks, and the counters agree with the orders' own rows whoever was first."""
    business, term = await a_shop(committing)
    await a_coupon(committing.uow_factory, business.id, max_uses=AT_ONCE)
    await all_at_once(committing, business, wishes(term, *strangers()))
    async with committing.uow_factory(business.id) as uow:
        held = list((await uow.session.execute(text("SELECT id FROM orders"))).scalars())

    async def end(order_id: UUID) -> None:
        async with committing.uow_factory(business.id) as uow:
            await expire_order(uow, order_id, "not_paid", uow.clock.now())

    again = [f"again{number}@example.com" for number in range(AT_ONCE)]
    outcomes, *_ended = await asyncio.gather(
        all_at_once(committing, business, wishes(term, *again)), *(end(one) for one in held)
    )
    assert set(outcomes) <= {"booked", "invalid_input"}
    assert await uses(committing.uow_factory, business.id) == outcomes["booked"]
    booked = outcomes["booked"]
    assert await numbers(committing, business, TAKEN_BY_SESSION) == [booked] * 3
