"""A message to many against an erasure or a merge of one of its readers in that very moment."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands import broadcasts
from src.booking.commands.erase_customer import erase_customer
from src.booking.models import BroadcastMail
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.models import Customer
from tests.booking.jobs.test_broadcast import send, session, told
from tests.booking.jobs.test_changes import guests_of
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


@pytest.fixture
async def lotus(committing: Committing, clock: FrozenClock, mailer: RememberingMailer) -> Business:
    """A message to Carl and Dora, who came to a session that is over, is about to leave."""
    lotus = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, lotus.id, price_type="free")
    date = await a_session(committing.uow_factory, service)
    await guests_of(committing.services, lotus, date.id, "carl", "dora")
    clock.advance(timedelta(days=60))
    mailer.sent.clear()
    await send(committing.services, lotus, session(date.id))
    return lotus


async def customers(committing: Committing, lotus: Business) -> dict[str | None, UUID]:
    async with committing.uow_factory(lotus.id) as uow:
        found = (await uow.session.execute(select(Customer.email, Customer.id))).all()
    return {row.email: row.id for row in found}


async def written_to(committing: Committing, lotus: Business) -> dict[str, UUID]:
    async with committing.uow_factory(lotus.id) as uow:
        found = (
            await uow.session.execute(select(BroadcastMail.address, BroadcastMail.customer_id))
        ).all()
    return {row.address: row.customer_id for row in found}


async def test_who_is_erased_meanwhile_is_not_written_back(
    committing: Committing, lotus: Business, mailer: RememberingMailer
) -> None:
    ids = await customers(committing, lotus)
    async with committing.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, ids["carl@example.com"], "carl@example.com")
        await uow.settle()
        writing = asyncio.create_task(work(committing.services, lotus.id))
        await until_somebody_waits(committing.uow_factory)
    await writing
    assert told(mailer) == ["Dora <dora@example.com>"]
    assert await written_to(committing, lotus) == {"dora@example.com": ids["dora@example.com"]}


async def test_control_without_the_hold_on_its_readers_who_was_erased_is_written_to(
    committing: Committing, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_held(_uow: UnitOfWork, ids: dict[UUID, UUID]) -> dict[UUID, UUID]:
        return ids

    monkeypatch.setattr(broadcasts, "keep_customers", not_held)
    ids = await customers(committing, lotus)
    async with committing.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, ids["carl@example.com"], "carl@example.com")
        await uow.settle()
        writing = asyncio.create_task(work(committing.services, lotus.id))
        await until_somebody_waits(committing.uow_factory)
    await writing
    assert "carl@example.com" in await written_to(committing, lotus)


async def test_who_is_merged_meanwhile_is_written_to_as_who_is_left(
    committing: Committing, lotus: Business, mailer: RememberingMailer
) -> None:
    ids = await customers(committing, lotus)
    dora = ids["dora@example.com"]
    async with committing.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, ids["carl@example.com"], dora)
        await uow.settle()
        writing = asyncio.create_task(work(committing.services, lotus.id))
        await until_somebody_waits(committing.uow_factory)
    await writing
    assert len(told(mailer)) == 2
    assert set((await written_to(committing, lotus)).values()) == {dora}
