"""A cancellation whose job was given up says so, and the way out, to whoever waits for it."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.commands.cancel_seats import cancel_seats
from src.booking.events import CancellationRequested
from src.booking.models import Cancellation, Seat
from src.platform.outbox.models import OutboxRow
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner
from tests.booking.web.test_held_places import words_of
from tests.support.builders import a_business, a_service, a_session

pytestmark = pytest.mark.anyio

ASK = "Ask those who run this service to set it going again"


async def test_what_a_fault_has_stopped_leads_to_somebody_who_can_help(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    async with services.uow_factory(lotus.id) as uow:
        seat_ids = (await uow.session.scalars(select(Seat.id))).all()
        halted = await cancel_seats(
            uow, lotus.ctx, session.id, seat_ids, reason="", undo_seconds=30
        )
    await as_owner(client, services, lotus)
    of_session = f"/app/lotus/sessions/{session.id}/cancel"
    progress = f"/app/lotus/cancellations/{halted}"

    async def shown(path: str) -> str:
        return words_of(await client.get(path))

    assert "Wait until that is done, or undo it." in await shown(of_session)
    assert "come to a halt" not in await shown(progress)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(OutboxRow)
            .where(OutboxRow.topic == CancellationRequested.topic)
            .values(parked_at=uow.clock.now())
        )
    assert "Undo it, or ask those who run this service" in await shown(of_session)
    assert "You can undo it, or ask those who run this service" in await shown(progress)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Cancellation).values(state="running"))
    asked, told = await shown(of_session), await shown(progress)
    assert ASK in asked
    assert ASK in told
    assert "undo it" not in asked.casefold()
    assert "it goes on by itself" not in told
