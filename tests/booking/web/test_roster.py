"""A session's own page: who comes, how they paid, and what happened to it."""

from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.booking.commands.book import book
from src.booking.commands.cancel import cancel_session
from src.platform.services import Services
from src.tenants.domain.roles import Role
from tests.booking.commands.places import a_performer, a_room
from tests.booking.commands.test_book import a_wish
from tests.booking.web.pages import as_owner, send
from tests.support.builders import (
    Business,
    a_business,
    a_member,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def a_booking(
    services: Services, business: Business, kind: str, subject_id: UUID, **more: Any
) -> None:
    async with services.uow_factory(business.id) as uow:
        await book(uow, as_guest(business), a_wish(kind, subject_id, **more))


async def test_the_page_tells_when_where_and_who_leads(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    room = await a_room(services.uow_factory, business, address="Canal 1, Amsterdam")
    performer = await a_performer(services.uow_factory, business)
    where = {"location_id": room.id, "performer_id": performer.id, "title": "Basics"}
    session = await a_session(services.uow_factory, service, **where)
    await as_owner(client, services, business)
    shown = (await client.get(f"/app/lotus/sessions/{session.id}")).text
    for words in ("Yoga · Basics", "Canal 1, Amsterdam", "Ivan", "0 of 10", "CET"):
        assert words in shown
    assert "Nobody has booked yet" in shown


async def test_the_roster_tells_how_each_came_and_paid(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    questions = [
        {"key": "q1", "label": "Any injuries?", "kind": "text"},
        {"key": "q2", "label": "First time?", "kind": "checkbox"},
    ]
    service = await a_service(
        services.uow_factory, business.id, price_type="on_site", questions=questions
    )
    term = await a_series(
        services.uow_factory, service, price_type="free", price_minor=0, drop_in_allowed=True
    )
    session = term.sessions[0]
    await a_booking(services, business, "series", term.series.id)
    dora = {
        "party": ("Dora", "Kim"),
        "guest_name": "Dora",
        "guest_email": "dora@example.com",
        "guest_phone": "+31 20 1234567",
        "note": "I come <late>",
        "answers": {"q1": "Left knee", "q2": "on"},
    }
    await a_booking(services, business, "session", session.id, **dora)
    await as_owner(client, services, business)
    shown = (await client.get(f"/app/lotus/sessions/{session.id}")).text
    for words in (
        "3 of 10",
        "Series “Spring term”",
        "To pay on site",
        "Kim",
        "dora@example.com",
        "Left knee",
        "yes",
        "I come &lt;late&gt;",
        "€15.00",
    ):
        assert words in shown, words
    door = (await client.get(f"/app/lotus/sessions/{session.id}/print")).text
    assert "Kim" in door
    assert "Left knee" in door


async def test_holds_are_shown_with_their_end(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session = await a_session(services.uow_factory, service)
    await a_booking(services, business, "session", session.id)
    await as_owner(client, services, business)
    shown = (await client.get(f"/app/lotus/sessions/{session.id}")).text
    assert "In checkout" in shown
    assert "until 10:31" in shown.replace("\u202f", " ").replace("AM", "").replace("  ", " ")


async def test_history_and_cancelling_are_shown(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session = await a_session(services.uow_factory, service)
    await as_owner(client, services, business)
    path = f"/app/lotus/sessions/{session.id}"
    await send(client, f"{path}/edit", {"capacity": "12", "title": "More room"})
    async with services.uow_factory(business.id) as uow:
        await cancel_session(
            uow, business.ctx, session.id, reason="The hall is flooded", undo_seconds=10
        )
    shown = (await client.get(path)).text
    assert "Changed: seats, title" in " ".join(shown.split())
    assert "The hall is flooded" in shown
    assert "This session is being cancelled." in shown
    assert f'href="{path}/edit"' not in shown


async def test_an_instructor_reads_their_own_roster_only(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="free")
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, business, user_id=ivan.user_id)
    own = await a_session(services.uow_factory, service, performer_id=performer.id)
    other = await a_session(services.uow_factory, service)
    await a_booking(services, business, "session", own.id)
    await sign_in(client, services, ivan.user_id)
    shown = (await client.get(f"/app/lotus/sessions/{own.id}")).text
    assert "Carl" in shown
    assert "/edit" not in shown
    assert "/bookings/" not in shown
    assert "With those chosen:" not in shown, "there is nothing to do with them before the day"
    assert 'form="ticked"' not in shown
    for path in (f"sessions/{other.id}", f"sessions/{other.id}/print"):
        assert (await client.get(f"/app/lotus/{path}")).status_code == 404


async def test_another_business_has_no_such_session(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    theirs = await a_business(services.uow_factory, "other", owner="Eve")
    session = await a_session(
        services.uow_factory, await a_service(services.uow_factory, theirs.id)
    )
    await as_owner(client, services, business)
    for path in (f"sessions/{session.id}", f"sessions/{session.id}/print"):
        assert (await client.get(f"/app/lotus/{path}")).status_code == 404
