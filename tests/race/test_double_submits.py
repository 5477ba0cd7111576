"""The same form sent twice at once: one of them is done, the other gets a sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from src.booking.commands.broadcasts import send_broadcast
from src.booking.commands.digests import choose_digests
from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.domain.broadcasting import Audience, AudienceKind, BroadcastDraft
from src.booking.domain.digests import DigestKind
from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.tenants.commands.api_keys import create_api_key
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.locks import until_somebody_waits
from tests.support.shared_app import app_for

pytestmark = [pytest.mark.anyio, pytest.mark.race]

Act = Callable[[UnitOfWork], Awaitable[Any]]


async def second_of(committing: Committing, business: Business, first: Act, second: Act) -> None:
    """The first is not committed when the second asks; then it is.

    Raises: what the second raises.
    """

    async def runs(act: Act) -> None:
        async with committing.uow_factory(business.id) as uow:
            await act(uow)

    async with committing.uow_factory(business.id) as uow:
        await first(uow)
        await uow.session.flush()
        waiting = asyncio.create_task(runs(second))
        await until_somebody_waits(committing.uow_factory)
    await waiting


async def test_a_digest_is_chosen_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)

    async def act(uow: UnitOfWork) -> None:
        await choose_digests(uow, business.ctx, [DigestKind.MORNING])

    with pytest.raises(Conflict, match="just been saved"):
        await second_of(committing, business, act, act)


async def test_a_message_to_many_is_sent_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    await booked(committing.uow_factory, business, a_wish("session", session.id))
    audience = Audience(kind=AudienceKind.SESSION, subject_id=session.id)
    draft = BroadcastDraft(
        audiences=(audience,),
        is_marketing=False,
        to_later=False,
        subject="Bring a mat",
        body="Please.",
    )
    sent = new_id()

    async def act(uow: UnitOfWork) -> None:
        await send_broadcast(uow, business.ctx, sent, draft)

    with pytest.raises(Conflict, match="sent already"):
        await second_of(committing, business, act, act)


async def test_two_presses_at_once_lead_to_the_one_message(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    await booked(committing.uow_factory, business, a_wish("session", session.id))
    transport = httpx.ASGITransport(app=app_for(committing.services))
    new = f"/app/{business.slug}/broadcasts/new"
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.local") as client:
        await as_owner(client, committing.services, business)
        typed = {"subject": "Bring a mat", "body": "Please."}
        looked = await send(client, f"{new}?to=session:{session.id}", typed, to=new)
        sent = UUID(fields_of(looked, new)["token"][0])
        audience = Audience(kind=AudienceKind.SESSION, subject_id=session.id)
        draft = BroadcastDraft(audiences=(audience,), is_marketing=False, to_later=False, **typed)
        async with committing.uow_factory(business.id) as uow:
            await send_broadcast(uow, business.ctx, sent, draft)
            await uow.session.flush()
            pressed = asyncio.create_task(send_again(client, new, looked, {"sure": "on"}))
            await until_somebody_waits(committing.uow_factory)
        answer = await pressed
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/app/{business.slug}/broadcasts/{sent}"


async def test_a_leader_is_chosen_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    session = await a_session(committing.uow_factory, service)
    ivy = await a_performer(committing.uow_factory, business, "Ivy")
    ian = await a_performer(committing.uow_factory, business, "Ian")

    def led_by(performer_id: Any) -> Act:
        async def act(uow: UnitOfWork) -> None:
            row = await uow.session.get_one(Session, (uow.tenant, session.id))
            fields = {
                name: getattr(details_of_session(row), name)
                for name in ("starts_at", "ends_at", "capacity", "mode", "title", "location_id")
            }
            cmd = UpdateSession(session_id=session.id, performer_id=performer_id, **fields)
            await update_session(uow, business.ctx, cmd)

        return act

    with pytest.raises(Conflict, match="just changed"):
        await second_of(committing, business, led_by(ivy.id), led_by(ian.id))


async def test_a_program_undoes_nothing_that_was_saved_while_it_asked(
    committing: Committing,
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_minor=1500)
    async with committing.uow_factory(business.id) as uow:
        key = await create_api_key(uow, business.ctx, "site")
    transport = httpx.ASGITransport(app_for(committing.services))  # type: ignore[arg-type]  # the libraries' hints differ
    async with httpx.AsyncClient(transport=transport, base_url="http://x.local") as client:

        async def put() -> httpx.Response:
            return await client.put(
                f"/api/v1/services/{service.id}",
                json={"description": "Bring a mat."},
                headers={"Authorization": f"Bearer {key.plain}"},
            )

        async with committing.uow_factory(business.id) as uow:
            await uow.session.execute(text("UPDATE services SET price_minor = 2500"))
            waiting = asyncio.create_task(put())
            await until_somebody_waits(committing.uow_factory)
        assert (await waiting).status_code == 409
        async with committing.uow_factory(business.id) as uow:
            assert await uow.session.scalar(text("SELECT price_minor FROM services")) == 2500
        assert (await put()).status_code == 200
