"""Repeats and retries of what asks for a worksheet, and answers sent at once.

Two orders of one customer ask at the same time: the customer is locked first, so one copy is made.
The control takes the lock off and shows two. Who sends while they are being erased or merged does
so before, or finds nobody, or whom they are now; without both locks what they sent is left behind.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.models import Order
from src.booking.commands import worksheet_copies, worksheet_filling
from src.booking.commands.erase_customer import erase_customer
from src.booking.commands.leave import leave_dates
from src.booking.commands.worksheet_copies import (
    ask_for_orders,
    give_worksheet,
    take_back_copy,
)
from src.booking.commands.worksheet_endings import end_unasked
from src.booking.commands.worksheet_filling import Filling, fill_in
from src.booking.domain.worksheets import AskedRule, CopyState
from src.booking.models import Seat, Worksheet
from src.booking.queries.worksheet_copies import get_copy
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Gone, InvalidInput
from src.platform.ids import new_id
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.domain.entitlements import Entitlements, Limit
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.locks import until_somebody_waits
from tests.support.work import work
from tests.support.worksheets import a_file, a_worksheet, copies_of, files_of, filling
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

ANNA = "anna@x.example"


async def two_orders(
    committing: Committing, rule: AskedRule = AskedRule.ONCE
) -> tuple[Business, list[UUID]]:
    """Of the same customer, confirmed, both of what asks for a worksheet."""
    factory = committing.uow_factory
    business = await a_business(factory)
    service = await a_service(factory, business.id, price_type="free")
    await a_worksheet(factory, business, rule=rule, service_ids=[service.id])
    orders = []
    for days in (7, 14):
        session = await a_session(factory, service, in_days=days)
        orders.append((await booked(factory, business, a_wish("session", session.id))).order_id)
    return business, orders


async def test_two_orders_and_their_retries_at_once_ask_once(committing: Committing) -> None:
    business, orders = await two_orders(committing)

    async def ask(order_ids: Sequence[UUID]) -> int:
        async with committing.uow_factory(business.id) as uow:
            return len(await ask_for_orders(uow, order_ids))

    tried = [orders[:1], orders[1:], orders, orders[::-1]] * 2
    assert sorted(await asyncio.gather(*(ask(one) for one in tried))) == [0] * 7 + [1]
    assert len(await copies_of(committing.uow_factory, business)) == 1


async def test_under_each_purchase_every_order_asks_once(committing: Committing) -> None:
    business, orders = await two_orders(committing, AskedRule.EACH)

    async def ask(order_id: UUID) -> None:
        async with committing.uow_factory(business.id) as uow:
            await ask_for_orders(uow, [order_id])

    await asyncio.gather(*(ask(one) for one in orders * 4))
    found = await copies_of(committing.uow_factory, business)
    assert sorted(one.order_id or new_id() for one in found) == sorted(orders)


async def test_control_without_the_lock_two_orders_ask_twice(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, (first, second) = await two_orders(committing)
    factory = committing.uow_factory

    async def unlocked(_uow: Any, _ids: Any) -> None:
        return None

    monkeypatch.setattr(worksheet_copies, "lock_customers", unlocked)
    async with factory(business.id) as one:
        await ask_for_orders(one, [first])
        async with factory(business.id) as other:
            await ask_for_orders(other, [second])
    assert len(await copies_of(factory, business)) == 2


async def test_who_asks_waits_for_staff_who_give_it(committing: Committing) -> None:
    business, (first, _second) = await two_orders(committing)
    factory = committing.uow_factory

    async def ask() -> dict[UUID, list[UUID]]:
        async with factory(business.id) as uow:
            return await ask_for_orders(uow, [first])

    async with factory(business.id) as uow:
        order = await uow.session.get_one(Order, (business.id, first))
        worksheet = (await uow.session.scalars(select(Worksheet))).one()
        await give_worksheet(uow, business.ctx, new_id(), worksheet.id, order.customer_id)
        asking = asyncio.create_task(ask())
        await until_somebody_waits(factory)
    assert await asking == {}
    assert len(await copies_of(factory, business)) == 1


async def a_copy(
    committing: Committing, business: Business, worksheet_id: UUID, email: str
) -> UUID:
    factory, copy_id = committing.uow_factory, new_id()
    customer_id = await a_customer(factory, business, name="Anna", email=email)
    async with factory(business.id) as uow:
        await give_worksheet(uow, business.ctx, copy_id, worksheet_id, customer_id)
    return copy_id


async def test_a_button_that_is_pressed_twice_sends_once(committing: Committing) -> None:
    factory = committing.uow_factory
    business = await a_business(factory)
    worksheet_id = await a_worksheet(factory, business)
    copy_id = await a_copy(committing, business, worksheet_id, "anna@x.example")

    async def send(answer: str) -> CopyState | None:
        async with factory(business.id) as uow:
            typed = filling(typed={"q1": [answer]}, files={"q3": a_file()})
            return await fill_in(uow, business.ctx.here.entitlements, copy_id, typed)

    done = await asyncio.gather(*(send(str(one)) for one in range(5)))
    assert sorted(one or "" for one in done) == ["", "", "", "", "sent"]
    assert len(await files_of(factory, business)) == 1
    (copy,) = await copies_of(factory, business)
    assert copy.answers[0]["values"] == [str(done.index(CopyState.SENT))]


async def test_what_staff_take_back_and_its_guest_sends_at_once_is_one_of_the_two(
    committing: Committing,
) -> None:
    factory = committing.uow_factory
    business = await a_business(factory)
    worksheet_id = await a_worksheet(factory, business)
    ended = []
    for is_staff_first in (True, False):
        email = f"guest{is_staff_first}@x.example"
        copy_id = await a_copy(committing, business, worksheet_id, email)
        typed = filling(files={"q3": a_file()})

        async def send(uow: UnitOfWork, copy_id: UUID = copy_id, typed: Filling = typed) -> None:
            await fill_in(uow, business.ctx.here.entitlements, copy_id, typed)

        async def take_back(uow: UnitOfWork, copy_id: UUID = copy_id) -> None:
            await take_back_copy(uow, business.ctx, worksheet_id, copy_id)

        acts = [take_back, send] if is_staff_first else [send, take_back]

        async def second(act: Any = acts[1]) -> None:
            async with factory(business.id) as uow:
                await act(uow)

        async with factory(business.id) as uow:
            await acts[0](uow)
            late = asyncio.create_task(second())
            await until_somebody_waits(factory)
        with pytest.raises((Gone, Conflict)):
            await late
        copies = await copies_of(factory, business)
        ended.append(next(one.state for one in copies if one.id == copy_id))
    assert ended == ["taken_back", "sent"]
    assert len(await files_of(factory, business)) == 1


async def test_the_last_room_for_a_file_is_given_once(committing: Committing) -> None:
    factory = committing.uow_factory
    business = await a_business(factory)
    worksheet_id = await a_worksheet(factory, business)
    copies = [
        await a_copy(committing, business, worksheet_id, f"guest{one}@x.example")
        for one in range(4)
    ]
    may = Entitlements(
        plan_key="p",
        plan_name="P",
        features=frozenset(),
        limits={Limit.BOOKINGS_PER_MONTH: 2},
        trial_ends_at=None,
    )

    async def send(copy_id: UUID) -> None:
        async with factory(business.id) as uow:
            await fill_in(uow, may, copy_id, filling(files={"q3": a_file()}))

    done = await asyncio.gather(*(send(one) for one in copies), return_exceptions=True)
    assert sum(isinstance(one, InvalidInput) for one in done) == 2
    assert len(await files_of(factory, business)) == 2


async def anna_has_begun(committing: Committing) -> tuple[Business, UUID]:
    """And no mail to her is on its way, which would stand against erasing her."""
    factory = committing.uow_factory
    business = await a_business(factory)
    copy_id = await a_copy(committing, business, await a_worksheet(factory, business), ANNA)
    await work(committing.services, business.id)
    return business, copy_id


async def send_with_a_letter(
    committing: Committing, business: Business, copy_id: UUID
) -> CopyState | None:
    async with committing.uow_factory(business.id) as uow:
        typed = filling(files={"q3": a_file()})
        return await fill_in(uow, business.ctx.here.entitlements, copy_id, typed)


async def erased_while_she_sends(
    committing: Committing, business: Business, copy_id: UUID
) -> CopyState | BaseException | None:
    """What came of her sending, which began after the erasure and before its end."""
    factory = committing.uow_factory
    (copy,) = await copies_of(factory, business)
    async with factory(business.id) as uow:
        await erase_customer(uow, business.ctx, copy.customer_id, ANNA)
        await uow.settle()
        sending = asyncio.create_task(send_with_a_letter(committing, business, copy_id))
        await until_somebody_waits(factory)
    (done,) = await asyncio.gather(sending, return_exceptions=True)
    return done


async def test_who_sends_while_being_erased_leaves_nothing_behind(committing: Committing) -> None:
    business, copy_id = await anna_has_begun(committing)
    done = await erased_while_she_sends(committing, business, copy_id)
    assert isinstance(done, Gone)
    (copy,) = await copies_of(committing.uow_factory, business)
    assert (copy.state, copy.answers) == ("taken_back", [])
    assert await files_of(committing.uow_factory, business) == []


async def test_the_customer_is_held_though_the_copy_is_not(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either of the two locks keeps what is sent from somebody who is erased."""
    business, copy_id = await anna_has_begun(committing)
    monkeypatch.setattr(worksheet_filling, "lock_copy", get_copy)
    done = await erased_while_she_sends(committing, business, copy_id)
    assert isinstance(done, Gone)
    assert await files_of(committing.uow_factory, business) == []


async def test_control_without_both_locks_answers_and_a_file_are_left_under_nobody(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, copy_id = await anna_has_begun(committing)

    async def not_held(_uow: UnitOfWork, ids: set[UUID]) -> dict[UUID, UUID]:
        return {one: one for one in ids}

    monkeypatch.setattr(worksheet_filling, "lock_copy", get_copy)
    monkeypatch.setattr(worksheet_filling, "keep_customers", not_held)
    assert await erased_while_she_sends(committing, business, copy_id) == CopyState.SENT
    (copy,) = await copies_of(committing.uow_factory, business)
    assert (copy.state, copy.answers[0]["values"]) == ("sent", ["Yes"])
    assert len(await files_of(committing.uow_factory, business)) == 1


@pytest.mark.parametrize("act", ["erase", "merge"])
async def test_what_is_being_sent_is_waited_for_by_erasing_and_merging(
    committing: Committing, act: str
) -> None:
    factory = committing.uow_factory
    business, copy_id = await anna_has_begun(committing)
    (copy,) = await copies_of(factory, business)
    other = await a_customer(factory, business, name="Anna B.", email="annab@x.example")

    async def meanwhile() -> None:
        async with factory(business.id) as uow:
            if act == "erase":
                await erase_customer(uow, business.ctx, copy.customer_id, ANNA)
            else:
                await merge_customers(uow, business.ctx, copy.customer_id, other)

    async with factory(business.id) as uow:
        typed = filling(files={"q3": a_file()})
        await fill_in(uow, business.ctx.here.entitlements, copy_id, typed)
        acting = asyncio.create_task(meanwhile())
        await until_somebody_waits(factory)
    await acting
    (copy,) = await copies_of(factory, business)
    owners = [one.customer_id for one in await files_of(factory, business)]
    if act == "erase":
        assert (copy.state, copy.answers, owners) == ("sent", [], [])
    else:
        assert (copy.customer_id, owners) == (other, [other])
        assert copy.answers[0]["values"] == ["Yes"]


async def test_who_sends_while_being_merged_is_whom_they_are_now(committing: Committing) -> None:
    factory = committing.uow_factory
    business, copy_id = await anna_has_begun(committing)
    (copy,) = await copies_of(factory, business)
    other = await a_customer(factory, business, name="Anna B.", email="annab@x.example")
    async with factory(business.id) as uow:
        await merge_customers(uow, business.ctx, copy.customer_id, other)
        await uow.settle()
        sending = asyncio.create_task(send_with_a_letter(committing, business, copy_id))
        await until_somebody_waits(factory)
    assert await sending == CopyState.SENT
    (copy,) = await copies_of(factory, business)
    (file,) = await files_of(factory, business)
    assert copy.customer_id == file.customer_id == other


async def test_who_cancels_waits_for_what_asks_and_ends_it(committing: Committing) -> None:
    """Or what was asked for at that moment would stay for good."""
    factory, services = committing.uow_factory, committing.services
    business, (first, second) = await two_orders(committing, AskedRule.EACH)

    async def end() -> int:
        async with factory(business.id) as uow:
            return await end_unasked(uow, first)

    async with factory(business.id) as uow:
        assert len(await ask_for_orders(uow, [first])) == 1
        seats = await uow.session.scalars(select(Seat.id).where(Seat.order_id == first))
        leaving = asyncio.create_task(left(committing, business, first, list(seats)))
        await until_somebody_waits(factory)
    await leaving
    assert await end() == 1
    await work(services, business.id)
    assert [one.order_id for one in await copies_of(factory, business)] == [second]


async def left(
    committing: Committing, business: Business, order_id: UUID, seat_ids: list[UUID]
) -> None:
    async with committing.uow_factory(business.id) as uow:
        tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
        await leave_dates(uow, tenant, order_id, seat_ids)
