"""A program changes and moves a session, by the same command as the pages."""

from datetime import timedelta
from typing import Any

import pytest

from src.booking.models import Session
from src.platform.services import Services
from tests.booking.api.conftest import Program
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


def body(session: Session, **more: Any) -> dict[str, Any]:
    """The session an hour later."""
    return {
        "starts_at": (session.starts_at + HOUR).isoformat(),
        "ends_at": (session.ends_at + HOUR).isoformat(),
        "capacity": 10,
        **more,
    }


async def test_moving_guests_has_to_be_said_and_then_tells_them(
    program: Program, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    path = f"/sessions/{session.id}"
    refused = await program.put(path, body(session))
    assert (refused.status_code, refused.json()["code"]) == (409, "moves_guests")
    before = (await program.get(path)).json()
    moved = await program.put(path, body(session, move_guests=True, reason="Rain"))
    assert moved.status_code == 200, moved.text
    assert moved.json()["starts_at"] != before["starts_at"]
    assert moved.json() == (await program.get(path)).json()
    await work(services, lotus.id)
    assert "Why: Rain" in mailer.sent[-1].body


async def test_a_moment_without_its_offset_is_asked_for(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    naive = body(session, starts_at="2027-05-14T18:00:00")
    refused = await program.put(f"/sessions/{session.id}", naive)
    assert refused.status_code == 422
