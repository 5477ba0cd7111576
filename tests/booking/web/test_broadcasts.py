"""Writing to guests from the dashboard: who gets it is shown before it leaves."""

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.booking.jobs.test_changes import guests_of
from tests.booking.web.pages import as_owner, send, send_again
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    return business


async def test_an_owner_writes_to_a_roster(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await guests_of(services, lotus, session.id, "carl", "dora")
    mailer.sent.clear()
    roster = await client.get(f"/app/lotus/sessions/{session.id}")
    new = f"/app/lotus/broadcasts/new?to=session:{session.id}"
    assert new in roster.text
    typed = {"subject": "<b>Mats</b>", "body": "Bring one, {customer_name}."}
    looked = await send(client, new, typed, to="/app/lotus/broadcasts/new")
    assert "2 mails" in looked.text
    assert "Carl" in looked.text
    assert "&lt;b&gt;Mats&lt;/b&gt;" in looked.text
    await work(services, lotus.id)
    assert mailer.sent == []
    sent = await send_again(client, "/app/lotus/broadcasts/new", looked, {"looked": "on"})
    here = sent.headers["location"]
    assert "0 of 2" in (await client.get(here)).text
    await work(services, lotus.id)
    assert len(mailer.sent) == 2
    shown = await client.get(here)
    assert "Sent: 2 mails." in shown.text
    assert "dora@example.com" in shown.text
    assert "&lt;b&gt;Mats" in (await client.get("/app/lotus/broadcasts")).text


async def test_news_say_who_is_left_out(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await guests_of(services, lotus, session.id, "carl")
    looked = await send(
        client,
        f"/app/lotus/broadcasts/new?to=session:{session.id}",
        {"subject": "Offer", "body": "Buy", "about": "news"},
        to="/app/lotus/broadcasts/new",
    )
    assert "0 mails" in looked.text
    assert "1 person" in looked.text
    assert "There is nobody to write to." in looked.text


@pytest.mark.parametrize("to", ["session:1", "all:x", "tag:"])
async def test_who_is_nobody_is_absent(client: AsyncClient, lotus: Business, to: str) -> None:
    assert (await client.get(f"/app/lotus/broadcasts/new?to={to}")).status_code == 404
