"""“Move it and tell everyone”, pressed twice at once: both presses lead to the one move."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from src.booking.commands.sessions import UpdateSession, update_session
from src.booking.models import Session, SessionChange
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, send, send_again
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.locks import until_somebody_waits
from tests.support.shared_app import app_for

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
LATER = timedelta(minutes=30)
"""Less than the session lasts, so that its leader's old and new time overlap."""


async def led(committing: Committing, business: Business, session: Session) -> UUID:
    """Ivy leads it from now on."""
    ivy = await a_performer(committing.uow_factory, business, "Ivy")
    async with committing.uow_factory(business.id) as uow:
        await update_session(uow, business.ctx, wanted(session, ivy.id, timedelta()))
    return ivy.id


def wanted(session: Session, performer_id: UUID | None, by: timedelta) -> UpdateSession:
    return UpdateSession(
        session_id=session.id,
        starts_at=session.starts_at + by,
        ends_at=session.ends_at + by,
        capacity=session.capacity,
        performer_id=performer_id,
        move_guests=True,
    )


@pytest.mark.parametrize("is_led", [True, False])
@pytest.mark.parametrize("has_committed", [True, False])
async def test_the_second_press_reads_what_the_first_did(
    committing: Committing, is_led: bool, has_committed: bool
) -> None:
    """`has_committed`: the first is over when the second comes; else the second meets it."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    performer_id = await led(committing, business, session) if is_led else None
    await booked(committing.uow_factory, business, a_wish("session", session.id))
    local = (session.starts_at + LATER).astimezone(business.ctx.here.zone).replace(tzinfo=None)
    typed = {
        "starts_at": local.isoformat(timespec="minutes"),
        "ends_at": (local + (session.ends_at - session.starts_at)).isoformat(timespec="minutes"),
    }
    path = f"/app/{business.slug}/sessions/{session.id}/edit"
    transport = httpx.ASGITransport(app=app_for(committing.services))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.local") as client:
        await as_owner(client, committing.services, business)
        asked = await send(client, path, typed)
        assert "Move this session and its guests?" in asked.text
        async with committing.uow_factory(business.id) as uow:
            await update_session(uow, business.ctx, wanted(session, performer_id, LATER))
            if not has_committed:
                pressed = asyncio.create_task(send_again(client, path, asked, {}))
                await until_somebody_waits(committing.uow_factory)
        answer = await (send_again(client, path, asked, {}) if has_committed else pressed)
        assert answer.status_code == 303, answer.text
        shown = await client.get(answer.headers["location"])
    assert "The session is saved. Its guests are told by mail." in shown.text
    async with committing.uow_factory(business.id) as uow:
        now = await uow.session.get_one(Session, (business.id, session.id))
        moves = await uow.session.scalar(select(func.count()).select_from(SessionChange))
    assert (now.starts_at, now.sequence, moves) == (session.starts_at + LATER, 1, 1)


async def test_another_time_meanwhile_is_still_looked_at_again(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    await booked(committing.uow_factory, business, a_wish("session", session.id))
    local = (session.starts_at + LATER).astimezone(business.ctx.here.zone).replace(tzinfo=None)
    path = f"/app/{business.slug}/sessions/{session.id}/edit"
    transport = httpx.ASGITransport(app=app_for(committing.services))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.local") as client:
        await as_owner(client, committing.services, business)
        asked = await send(client, path, {"starts_at": local.isoformat(timespec="minutes")})
        async with committing.uow_factory(business.id) as uow:
            await update_session(uow, business.ctx, wanted(session, None, 2 * LATER))
            pressed = asyncio.create_task(send_again(client, path, asked, {}))
            await until_somebody_waits(committing.uow_factory)
        answer = await pressed
    assert answer.status_code == 409
    assert "This session has just changed." in answer.text
