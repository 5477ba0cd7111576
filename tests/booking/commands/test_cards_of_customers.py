"""Cards that are kept go with their customer: to who is left, or for good."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.models import ProcessorCustomer, SavedCard
from src.booking.commands.erase_customer import erase_customer
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.platform.outbox.models import OutboxRow
from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.commands.merge_customers import merge_customers
from tests.support.builders import Business, a_business

pytestmark = pytest.mark.anyio

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def who_keeps(services: Services, business: Business, name: str, *prints: str) -> UUID:
    """A customer with a card for each of the fingerprints; the first one is preferred."""
    async with services.uow_factory(business.id) as uow:
        customer_id = await find_or_add_customer(uow, f"{name}@example.com", name, "", AT)
    await keeps(services.uow_factory, business, customer_id, name, *prints)
    return customer_id


async def keeps(
    uow_factory: UowFactory, business: Business, customer_id: UUID, name: str, *prints: str
) -> None:
    async with uow_factory(business.id) as uow:
        known_as = ProcessorCustomer(
            tenant_id=business.id,
            id=new_id(),
            customer_id=customer_id,
            account_id="acct_1",
            processor_id=f"cus_{name}",
            body={"name": name},
            created_at=AT,
        )
        uow.session.add(known_as)
        await uow.session.flush()
        for number, fingerprint in enumerate(prints):
            uow.session.add(
                SavedCard(
                    tenant_id=business.id,
                    id=new_id(),
                    customer_id=customer_id,
                    processor_customer_id=known_as.id,
                    account_id="acct_1",
                    payment_method_id=f"pm_{name}_{fingerprint}",
                    brand="visa",
                    last4="4242",
                    exp_month=12,
                    exp_year=2034,
                    fingerprint=fingerprint,
                    is_default=number == 0,
                    consent={"text": "agreed"},
                    created_at=AT,
                )
            )


async def kept(services: Services, business: Business) -> list[SavedCard]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(SavedCard).order_by(SavedCard.id)))


async def topics(services: Services, business: Business) -> list[str]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(OutboxRow.topic).order_by(OutboxRow.topic)))


async def test_who_is_left_keeps_their_own_first_and_the_other_s_beside(
    services: Services, lotus: Business
) -> None:
    gone = await who_keeps(services, lotus, "karl", "same", "other")
    left = await who_keeps(services, lotus, "carl", "same")
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone, left)
    double, moved, own = await kept(services, lotus)
    assert {one.customer_id for one in (double, moved, own)} == {left}
    assert (double.state, moved.state, own.state) == ("removed", "usable", "usable")
    assert (moved.is_default, own.is_default) == (False, True)
    assert "billing.card_ended" in await topics(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        mains = await uow.session.scalars(
            select(ProcessorCustomer.processor_id).where(ProcessorCustomer.is_main)
        )
        assert list(mains) == ["cus_carl"]


async def test_who_is_erased_keeps_no_card_here_nor_at_the_processor(
    services: Services, lotus: Business
) -> None:
    carl = await who_keeps(services, lotus, "carl", "one")
    async with services.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, carl, "carl@example.com")
    (card,) = await kept(services, lotus)
    assert (card.state, card.brand, card.last4, card.fingerprint) == ("removed", "", "", "")
    assert (card.exp_year, card.consent, card.is_default) == (0, {}, False)
    assert "billing.processor_customer_ended" in await topics(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        known_as = (await uow.session.scalars(select(ProcessorCustomer))).one()
        assert (known_as.body, known_as.is_main) == ({}, False)
        assert known_as.ended_at is not None
