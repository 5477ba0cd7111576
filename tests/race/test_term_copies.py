"""A term is copied once however often it is sent, and a leader is taken by one of two."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from src.booking.commands.busy import Slot, take_performer
from src.booking.models import Session
from src.platform.localtime import to_local, to_utc
from src.tenants.models import Performer
from tests.booking.commands.places import a_performer
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.conftest import Committing
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_series,
    a_service,
    a_session,
)
from tests.support.locks import until_somebody_waits
from tests.support.shared_app import app_for

pytestmark = [pytest.mark.anyio, pytest.mark.race]


@pytest.fixture
async def business(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


@pytest.fixture
async def ivan(committing: Committing, business: Business) -> Performer:
    return await a_performer(committing.uow_factory, business)


@pytest.fixture
async def away(committing: Committing, business: Business) -> Session:
    service = await a_service(committing.uow_factory, business.id, slug="away", price_type="free")
    return await a_session(committing.uow_factory, service, in_days=90)


@pytest.fixture
async def term(committing: Committing, business: Business, ivan: Performer) -> Term:
    """Three dates with a leader, who is free for them in the new term."""
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    term = await a_series(committing.uow_factory, service, price_type="free", price_minor=0)
    async with committing.uow_factory(business.id) as uow:
        for one in term.sessions:
            (await uow.session.get_one(Session, (business.id, one.id))).performer_id = ivan.id
    return term


@pytest.fixture
async def client(committing: Committing, business: Business) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app_for(committing.services))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.local") as client:
        await as_owner(client, committing.services, business)
        yield client


async def test_two_presses_at_once_lead_to_the_one_term(
    committing: Committing, business: Business, term: Term, client: httpx.AsyncClient
) -> None:
    path = f"/app/{business.slug}/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None})
    [token] = fields_of(looked)["token"]
    both = await asyncio.gather(
        *(send_again(client, path, looked, {"looked": "on"}) for _twice in range(2))
    )
    made = f"/app/{business.slug}/series/{token}"
    assert [one.headers.get("location") for one in both] == [made, made]
    async with committing.uow_factory(business.id) as uow:
        many = select(func.count()).where(Session.series_id == UUID(token))
        assert await uow.session.scalar(many) == len(term.sessions)


async def test_a_leader_taken_while_the_term_is_made_is_said_and_the_ticks_stay(
    committing: Committing,
    business: Business,
    ivan: Performer,
    away: Session,
    term: Term,
    client: httpx.AsyncClient,
) -> None:
    path = f"/app/{business.slug}/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None})
    kept = [str(one.id) for one in term.sessions[:2]]
    zone = business.tenant.zone
    starts_at = to_utc(to_local(term.sessions[0].starts_at, zone) + timedelta(days=21), zone)
    async with committing.uow_factory(business.id) as uow:
        await take_performer(
            uow, ivan.id, [Slot(away.id, starts_at, starts_at + timedelta(hours=1))]
        )
        asked = {"ticked": kept, "looked": "on"}
        making = asyncio.create_task(send_again(client, path, looked, asked))
        await until_somebody_waits(committing.uow_factory)
    refused = await making
    assert refused.status_code == 422
    assert "This person has just been taken for another session at that time." in refused.text
    assert refused.text.count("Taken by “") == 1
    assert fields_of(refused)["ticked"] == kept
