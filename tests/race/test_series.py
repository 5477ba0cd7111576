"""An owner takes a date out of a series while a guest buys it."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands.book import book
from src.booking.commands.cancel import cancel_session
from src.booking.commands.claims import SeatsGone
from src.booking.commands.series import create_series, publish_series, update_series
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from tests.booking.commands.test_book import a_wish
from tests.booking.commands.test_series import a_plan
from tests.conftest import Committing
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


@pytest.fixture
async def term(committing: Committing, lotus: Business) -> Term:
    service = await a_service(committing.uow_factory, lotus.id, price_type="free")
    return await a_series(committing.uow_factory, service, price_type="on_site")


async def buy(uow: UnitOfWork, lotus: Business, term: Term) -> None:
    await book(uow, as_guest(lotus), a_wish("series", term.series.id))


async def take_out_the_last(uow: UnitOfWork, lotus: Business, term: Term) -> None:
    kept = [session.id for session in term.sessions[:-1]]
    await update_series(uow, lotus.ctx, term.series.id, a_plan(*kept))


async def sold_outside(committing: Committing, lotus: Business, series_id: UUID) -> int:
    """Seats in sessions that are not in the series."""
    async with committing.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(
            select(Seat.id)
            .join(Session, Session.id == Seat.session_id)
            .where(Session.series_id.is_distinct_from(series_id))
        )
        return len(found.all())


async def test_the_owner_waits_for_a_guest_and_finds_the_date_sold(
    committing: Committing, lotus: Business, term: Term
) -> None:
    async def owner() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await take_out_the_last(uow, lotus, term)

    async with committing.uow_factory(lotus.id) as uow:
        await buy(uow, lotus, term)
        second = asyncio.create_task(owner())
        await until_somebody_waits(committing.uow_factory)
    with pytest.raises(InvalidInput, match="sold with the series"):
        await second
    assert await sold_outside(committing, lotus, term.series.id) == 0


async def test_a_guest_waits_for_the_owner_and_finds_the_date_gone(
    committing: Committing, lotus: Business, term: Term
) -> None:
    async def guest() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await buy(uow, lotus, term)

    async with committing.uow_factory(lotus.id) as uow:
        await take_out_the_last(uow, lotus, term)
        second = asyncio.create_task(guest())
        await until_somebody_waits(committing.uow_factory)
    with pytest.raises(SeatsGone) as refused:
        await second
    assert refused.value.session_ids == (term.sessions[-1].id,)
    assert await sold_outside(committing, lotus, term.series.id) == 0


async def test_a_date_that_is_cancelled_while_its_series_goes_on_sale_stops_that(
    committing: Committing, lotus: Business
) -> None:
    service = await a_service(committing.uow_factory, lotus.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    other = await a_session(committing.uow_factory, service, in_days=14)
    async with committing.uow_factory(lotus.id) as uow:
        plan = a_plan(session.id, other.id)
        series_id = await create_series(uow, lotus.ctx, service.id, plan)

    async def publish() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await publish_series(uow, lotus.ctx, series_id)

    async with committing.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=30)
        publishing = asyncio.create_task(publish())
        await until_somebody_waits(committing.uow_factory)
    with pytest.raises(Conflict, match="has just changed"):
        await publishing
