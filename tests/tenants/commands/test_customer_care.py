"""Customers by hand, their notes and tags."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput, NotFound
from src.platform.ids import new_id
from src.tenants.commands.customer_care import (
    CustomerDetails,
    KnownAddress,
    add_customer,
    add_note,
    change_customer,
    remove_note,
    set_tags,
)
from src.tenants.models import AuditEntry, Customer, CustomerNote, CustomerTag
from tests.support.builders import Business, a_business

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def a_customer(uow_factory: UowFactory, business: Business, **more: Any) -> UUID:
    details = {"name": "Anna", "email": "anna@example.com", **more}
    async with uow_factory(business.id) as uow:
        return await add_customer(uow, business.ctx, CustomerDetails(**details))


async def actions(uow_factory: UowFactory, business: Business, subject_id: UUID) -> list[str]:
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.subject_id == subject_id)
            .order_by(AuditEntry.id)
        )
        return list(found)


async def test_a_phone_customer_has_a_number_the_world_can_dial_and_no_address(
    uow_factory: UowFactory, lotus: Business
) -> None:
    anna = await a_customer(uow_factory, lotus, email="", phone="020 555 0134", name=" Anna  B ")
    async with uow_factory(lotus.id) as uow:
        stored = await uow.session.get_one(Customer, (lotus.id, anna))
    assert (stored.email, stored.name, stored.phone) == (None, "Anna B", "+31205550134")
    assert await actions(uow_factory, lotus, anna) == ["customer.added"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"phone": "call me"}, "phone"),
        ({"email": "", "phone": ""}, "email"),
    ],
)
async def test_what_will_not_do_is_said_at_its_field(
    uow_factory: UowFactory, lotus: Business, typed: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await a_customer(uow_factory, lotus, **typed)
    assert list(refused.value.fields) == [field]


async def test_a_known_address_offers_whose_it_is(uow_factory: UowFactory, lotus: Business) -> None:
    anna = await a_customer(uow_factory, lotus)
    with pytest.raises(KnownAddress) as refused:
        await a_customer(uow_factory, lotus, email=" ANNA@example.com", name="Another")
    assert refused.value.customer_id == anna


async def test_a_change_is_logged_with_what_was_before(
    uow_factory: UowFactory, lotus: Business
) -> None:
    anna = await a_customer(uow_factory, lotus)
    other = await a_customer(uow_factory, lotus, email="bea@example.com")
    details = CustomerDetails(name="Anne", email="anne@example.com", is_established=True)
    async with uow_factory(lotus.id) as uow:
        await change_customer(uow, lotus.ctx, anna, details)
    async with uow_factory(lotus.id) as uow:
        await change_customer(uow, lotus.ctx, anna, details)
        stored = await uow.session.get_one(Customer, (lotus.id, anna))
        entry = await uow.session.scalar(
            select(AuditEntry).where(AuditEntry.action == "customer.changed")
        )
    assert (stored.name, stored.email, stored.is_established) == ("Anne", "anne@example.com", True)
    assert entry is not None
    assert entry.detail["was"]["email"] == "anna@example.com"
    with pytest.raises(KnownAddress):
        async with uow_factory(lotus.id) as uow:
            await change_customer(uow, lotus.ctx, other, details)


async def test_notes_say_who_wrote_them_and_can_be_taken_back(
    uow_factory: UowFactory, lotus: Business
) -> None:
    anna = await a_customer(uow_factory, lotus)
    bea = await a_customer(uow_factory, lotus, email="bea@example.com")
    async with uow_factory(lotus.id) as uow:
        await add_note(uow, lotus.ctx, anna, "  Prefers the back row. ")
    async with uow_factory(lotus.id) as uow:
        note = (await uow.session.scalars(select(CustomerNote))).one()
    assert (note.text, note.author_name) == ("Prefers the back row.", "Olive")
    with pytest.raises(NotFound):
        async with uow_factory(lotus.id) as uow:
            await remove_note(uow, lotus.ctx, bea, note.id)
    async with uow_factory(lotus.id) as uow:
        await remove_note(uow, lotus.ctx, anna, note.id)
    async with uow_factory(lotus.id) as uow:
        assert (await uow.session.scalars(select(CustomerNote))).all() == []
    assert (await actions(uow_factory, lotus, anna))[-1] == "customer.note_removed"


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
async def test_a_note_says_something_and_not_a_book(
    uow_factory: UowFactory, lotus: Business, text: str
) -> None:
    anna = await a_customer(uow_factory, lotus)
    with pytest.raises(InvalidInput):
        async with uow_factory(lotus.id) as uow:
            await add_note(uow, lotus.ctx, anna, text)


async def test_tags_are_words_each_once(uow_factory: UowFactory, lotus: Business) -> None:
    anna = await a_customer(uow_factory, lotus)
    for typed in ("VIP, allergic  to nuts, vip,", "vip, board"):
        async with uow_factory(lotus.id) as uow:
            await set_tags(uow, lotus.ctx, anna, typed)
    async with uow_factory(lotus.id) as uow:
        words = (await uow.session.scalars(select(CustomerTag.word))).all()
    assert sorted(words) == ["board", "vip"]
    assert (await actions(uow_factory, lotus, anna)).count("customer.tagged") == 2


@pytest.mark.parametrize("typed", ["x" * 31, ",".join(f"t{n}" for n in range(21))])
async def test_tags_have_their_bounds(uow_factory: UowFactory, lotus: Business, typed: str) -> None:
    anna = await a_customer(uow_factory, lotus)
    with pytest.raises(InvalidInput):
        async with uow_factory(lotus.id) as uow:
            await set_tags(uow, lotus.ctx, anna, typed)


async def test_another_business_has_no_such_customer(
    uow_factory: UowFactory, lotus: Business
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    anna = await a_customer(uow_factory, lotus)
    with pytest.raises(NotFound):
        async with uow_factory(rival.id) as uow:
            await add_note(uow, rival.ctx, anna, "Mine now.")
    with pytest.raises(NotFound):
        async with uow_factory(rival.id) as uow:
            await change_customer(uow, rival.ctx, anna, CustomerDetails(name="X", phone="+31201"))
    with pytest.raises(NotFound):
        async with uow_factory(rival.id) as uow:
            await set_tags(uow, rival.ctx, new_id(), "vip")
