"""Guests: one record per address, and nothing of it changed by whoever types the address."""

import asyncio

import pytest
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.commands.customers import add_participants, find_or_add_customer
from src.tenants.models import Customer, Participant
from tests.conftest import Committing

pytestmark = pytest.mark.anyio


async def test_the_same_address_in_other_letters_is_the_same_customer(
    uow_factory: UowFactory,
) -> None:
    async with uow_factory(new_id()) as uow:
        now = uow.clock.now()
        first = await find_or_add_customer(uow, " Carl@Example.com ", "Carl", "1", now)
        second = await find_or_add_customer(uow, "carl@example.com", "Mallory", "2", now)
        stored = await uow.session.get_one(Customer, (uow.tenant, first))
    assert first == second
    assert (stored.email, stored.name, stored.phone) == ("carl@example.com", "Carl", "1")


async def test_without_an_address_everyone_is_someone_new(uow_factory: UowFactory) -> None:
    async with uow_factory(new_id()) as uow:
        now = uow.clock.now()
        first = await find_or_add_customer(uow, None, "Phone Guest", "1", now)
        second = await find_or_add_customer(uow, "", "Phone Guest", "1", now)
    assert first != second


async def test_another_tenant_has_a_customer_of_its_own(uow_factory: UowFactory) -> None:
    ids = []
    for _tenant in range(2):
        async with uow_factory(new_id()) as uow:
            customer = await find_or_add_customer(
                uow, "carl@example.com", "Carl", "", uow.clock.now()
            )
            ids.append(customer)
    assert ids[0] != ids[1]


async def test_participants_come_back_in_order(uow_factory: UowFactory) -> None:
    async with uow_factory(new_id()) as uow:
        customer = await find_or_add_customer(uow, None, "Ann", "", uow.clock.now())
        ids = await add_participants(uow, customer, ["Ann", "", " Ben "])
        assert await add_participants(uow, customer, []) == []
        await uow.settle()
        rows = (await uow.session.scalars(select(Participant))).all()
    names = {row.id: row.name for row in rows}
    assert [names[one] for one in ids] == ["Ann", "", "Ben"]


@pytest.mark.race
async def test_guests_who_arrive_together_share_one_record(committing: Committing) -> None:
    tenant = new_id()

    async def arrive() -> object:
        async with committing.uow_factory(tenant) as uow:
            return await find_or_add_customer(uow, "carl@x.example", "C", "", uow.clock.now())

    found = await asyncio.gather(*(arrive() for _ in range(20)))
    assert len(set(found)) == 1
