"""Credits that staff add are worth nothing, and make none that were paid for worth less."""

from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import Table

from src.billing.commands.credit_acts import ChangeNumber, add_credits
from src.billing.commands.credit_refunds import RefundCredits, Refunded, refund_credits
from src.billing.commands.credits import GUEST, lock_lot, write_entry
from src.billing.commands.refunds import retry_refund
from src.billing.domain.credits import EntryKind, LotSource
from src.billing.jobs.refunds import lock_refund
from src.billing.models import CreditEntry, CreditLot
from src.billing.queries.credit_lists import get_credit_totals
from src.billing.queries.credit_worth import get_worth
from src.billing.queries.outstanding import is_changed
from src.billing.queries.paid_credits import list_written
from src.platform.ids import new_id
from src.tenants.context import RequestContext
from tests.billing.till import Till
from tests.support.lots import lot_of

pytestmark = pytest.mark.anyio

PAID = 2000


@pytest.fixture
async def lot(till: Till, sold: UUID) -> CreditLot:
    """Ten credits bought with the order for 20.00."""
    return await lot_of(
        till.services.uow_factory,
        till.business.id,
        till.business.customer_id,
        currency="GBP",
        order_id=sold,
        paid_minor=PAID,
    )


async def add(till: Till, ctx: RequestContext, lot: CreditLot, number: int) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        cmd = ChangeNumber(lot_id=lot.id, number=number, reason="Sorry", token=new_id())
        await add_credits(uow, ctx, cmd)


async def use(till: Till, lot: CreditLot, seat_id: UUID, *, back: bool = False) -> None:
    kind, number = (EntryKind.RESTORE, 1) if back else (EntryKind.REDEEM, -1)
    async with till.services.uow_factory(till.business.id) as uow:
        locked = await lock_lot(uow, lot.id)
        await write_entry(uow, locked, kind, number, GUEST, seat_id=seat_id)


async def refund(till: Till, ctx: RequestContext, lot: CreditLot, seen: int, minor: int) -> None:
    cmd = RefundCredits(
        lot_id=lot.id, amount_minor=minor, seen=seen, reason="She moves away", token=new_id()
    )
    async with till.services.uow_factory(till.business.id) as uow:
        assert await refund_credits(uow, ctx, cmd) == Refunded(minor)


async def refuse(till: Till) -> None:
    error = {"message": "Insufficient funds in your balance."}
    await till.stripe.turn(
        "api_faults", kind="refuse", path_contains="refunds", method="POST", error=error
    )
    await till.work()


async def worth(till: Till, ctx: RequestContext, lot: CreditLot) -> int:
    """By the page of the credits, with which the sum of all credits agrees."""
    async with till.services.uow_factory(till.business.id) as uow:
        found = await uow.session.get_one(CreditLot, (uow.tenant, lot.id))
        minor = (await get_worth(uow, found)).amount_minor
        assert (await get_credit_totals(uow, ctx.here)).outstanding_minor == minor
    return minor


async def test_a_paid_credit_that_comes_back_after_the_refund_is_worth_what_it_cost(
    till: Till, ctx: RequestContext, lot: CreditLot
) -> None:
    """The added one left with the refund: it is not taken off a second time."""
    seat_id = new_id()
    await add(till, ctx, lot, 1)
    assert await worth(till, ctx, lot) == PAID
    await use(till, lot, seat_id)
    assert await worth(till, ctx, lot) == 1800
    await refund(till, ctx, lot, 10, 1800)
    await till.work()
    await use(till, lot, seat_id, back=True)
    assert await worth(till, ctx, lot) == 200
    await add(till, ctx, lot, 2)
    assert await worth(till, ctx, lot) == 200
    await refund(till, ctx, lot, 3, 200)


async def test_a_refund_that_fails_brings_the_added_one_back_as_one(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    seat_id = new_id()
    await add(till, ctx, lot, 1)
    await use(till, lot, seat_id)
    await refund(till, ctx, lot, 10, 1800)
    await refuse(till)
    assert await worth(till, ctx, lot) == 1800
    await use(till, lot, seat_id, back=True)
    assert await worth(till, ctx, lot) == PAID
    [asked] = await till.refunds(sold)
    async with till.services.uow_factory(till.business.id) as uow:
        order, failed = await lock_refund(uow, asked.id)
        await retry_refund(uow, order, failed)
    await till.work()
    assert await worth(till, ctx, lot) == 200


async def test_added_ones_count_for_nothing_in_what_customers_have_left(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    """Also where the last one of what a seat gave is used, and the added ones are left."""
    given = await lot_of(
        till.services.uow_factory,
        till.business.id,
        till.business.customer_id,
        currency="GBP",
        order_id=sold,
        source=LotSource.SEAT,
        source_seat_id=new_id(),
        credits=1,
        bought=0,
        paid_minor=0,
        value_minor=700,
    )
    await add(till, ctx, given, 2)
    await use(till, given, new_id())
    await add(till, ctx, lot, 3)
    for _time in range(4):
        await use(till, lot, new_id())
    async with till.services.uow_factory(till.business.id) as uow:
        totals = await get_credit_totals(uow, ctx.here)
    assert (totals.outstanding, totals.outstanding_minor) == (2 + 9, 1200)


async def test_what_is_left_is_rounded_as_on_the_page_of_the_credits(
    till: Till, ctx: RequestContext, sold: UUID
) -> None:
    lot = await lot_of(
        till.services.uow_factory,
        till.business.id,
        till.business.customer_id,
        currency="GBP",
        order_id=sold,
        paid_minor=1000,
        bought=3,
        credits=2,
    )
    assert await worth(till, ctx, lot) == 667


async def test_any_number_of_lots_is_one_parameter_of_the_statement(till: Till) -> None:
    """The protocol takes 32,767 of them."""
    async with till.services.uow_factory(till.business.id) as uow:
        assert await list_written(uow, [new_id() for _one in range(33_000)]) == []


def test_changed_lots_are_asked_for_in_the_words_of_their_index() -> None:
    table = cast(Table, CreditEntry.__table__)
    [index] = [one for one in table.indexes if one.name == "ix_credit_entries_beside_seats"]
    asked = str(is_changed())
    assert str(index.dialect_options["postgresql"]["where"]) in asked
