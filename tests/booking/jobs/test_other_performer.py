"""Who performs instead is told to guests where that is asked for, once, and never when outdated."""

from typing import Any

import msgspec
import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.models import Session
from src.platform.services import Services
from src.tenants.models import Performer
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(services: Services, lotus: Business, mailer: RememberingMailer) -> Term:
    """Three free weekly dates, booked by Carl, who has his confirmation."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    mailer.sent.clear()
    return term


@pytest.fixture
async def ivy(services: Services, lotus: Business) -> Performer:
    return await a_performer(services.uow_factory, lotus, "Ivy")


async def change(services: Services, lotus: Business, session: Session, **more: Any) -> None:
    async with services.uow_factory(lotus.id) as uow:
        now = await uow.session.get_one(Session, (lotus.id, session.id))
        fields = msgspec.structs.asdict(details_of_session(now)) | more
        await update_session(uow, lotus.ctx, UpdateSession(session_id=session.id, **fields))


async def test_told_with_a_tick_and_silent_without(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    ivy: Performer,
    mailer: RememberingMailer,
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/edit"
    await send(client, path, {"performer_id": str(ivy.id)})
    await work(services, lotus.id)
    assert mailer.sent == []
    await send(client, path, {"performer_id": "", "tells_performer": "on"})
    await work(services, lotus.id)
    assert mailer.sent == [], "there is nobody to name"
    await send(client, path, {"performer_id": str(ivy.id), "tells_performer": "on"})
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert "Now with Ivy" in str(mail.body)
    assert "Before" not in str(mail.body)
    assert "without any charge" not in str(mail.body)
    await send(client, path, {"title": "Basics", "tells_performer": "on"})
    await work(services, lotus.id)
    assert "Now with" not in str(mailer.sent[1].body), "told once"


async def test_all_dates_are_told_in_one_mail(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    ivy: Performer,
    mailer: RememberingMailer,
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/edit"
    asked = {"performer_id": str(ivy.id), "tells_performer": "on", "scope": "following"}
    shown = await send(client, path, asked)
    assert fields_of(shown)["tells_performer"] == ["on"]
    await send_again(client, path.removesuffix("edit") + "several", shown, {"looked": "on"})
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert str(mail.body).count("Now with Ivy") == 3


async def test_what_is_no_longer_so_is_not_told(
    services: Services, lotus: Business, term: Term, ivy: Performer, mailer: RememberingMailer
) -> None:
    ron = await a_performer(services.uow_factory, lotus, "Ron")
    first, second = term.sessions[:2]
    for session in (first, second):
        await change(services, lotus, session, performer_id=ivy.id, tells_performer=True)
    await change(services, lotus, first, performer_id=None)
    await change(services, lotus, second, performer_id=ron.id, tells_performer=True)
    await work(services, lotus.id)
    bodies = "".join(str(mail.body) for mail in mailer.sent)
    assert "Ivy" not in bodies
    assert bodies.count("Now with Ron") == 1
    async with services.uow_factory(lotus.id) as uow:
        numbers = await uow.session.scalars(select(Session.sequence).order_by(Session.starts_at))
        assert list(numbers) == [1, 2, 0]
