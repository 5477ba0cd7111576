"""A term is copied once, as a draft, with everything that was set; a taken leader stops it."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.commands.busy import Slot, take_performer
from src.booking.commands.cancel import cancel_session
from src.booking.commands.minimum import set_minimum
from src.booking.commands.term_copy import CopyTerm, plan_copy
from src.booking.models import Series, Service, Session
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.services import Services
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.queries.test_hub import counted
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    until_on = services.clock.now().date() + timedelta(days=10)
    term = await a_series(
        services.uow_factory,
        service,
        price_type="free",
        price_minor=0,
        join_policy="until",
        join_until_on=until_on,
        leaving={"whole_course": True},
    )
    async with services.uow_factory(lotus.id) as uow:
        await set_minimum(uow, lotus.ctx, term.sessions[0].id, min_seats=2, decide_hours=24)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    return term


async def runs_of(services: Services, lotus: Business, series_id: UUID) -> list[Session]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(
            select(Session).where(Session.series_id == series_id).order_by(Session.starts_at)
        )
        return list(found)


async def test_a_leader_is_asked_for_once_however_many_the_dates(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    performer = await a_performer(services.uow_factory, lotus)
    counts = []
    for dates in (2, 12):
        term = await a_series(services.uow_factory, service, sessions=dates)
        async with services.uow_factory(lotus.id) as uow:
            await uow.session.execute(
                update(Session)
                .where(Session.series_id == term.series.id)
                .values(performer_id=performer.id)
            )
            on = services.clock.now().date() + timedelta(days=300)
            cmd = CopyTerm(series_id=term.series.id, new_id=new_id(), title="Next", first_on=on)
            with counted() as sent:
                planned = await plan_copy(uow, lotus.ctx, cmd)
        assert len(planned) == dates
        counts.append(len(sent))
    assert counts[0] == counts[1]


async def test_a_term_is_looked_at_then_made_once_as_a_draft(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    changes = {"title": "Autumn term", "skip_holidays": None}
    looked = await send(client, path, changes)
    assert looked.status_code == 200
    assert looked.text.count("10:00") == 3
    assert "left out" not in looked.text
    [token] = fields_of(looked)["token"]
    new_id = UUID(token)
    assert await runs_of(services, lotus, new_id) == []
    for _twice in range(2):
        made = await send_again(client, path, looked, {"looked": "on"})
        assert made.headers["location"] == f"/app/lotus/series/{new_id}"
    copied = await runs_of(services, lotus, new_id)
    zone = lotus.tenant.zone
    assert [to_local(one.starts_at, zone) for one in copied] == [
        to_local(one.starts_at, zone) + timedelta(days=21) for one in term.sessions
    ]
    assert [(one.seats_taken, one.capacity) for one in copied] == [(0, 10)] * 3
    assert [one.min_seats for one in copied] == [2, None, None]
    async with services.uow_factory(lotus.id) as uow:
        new = await uow.session.get_one(Series, (lotus.id, new_id))
    assert (new.title, new.active, new.published_at, new.base_sessions) == (
        "Autumn term",
        False,
        None,
        None,
    )
    assert new.leaving == {"whole_course": True}
    assert term.series.join_until_on is not None
    assert new.join_until_on == term.series.join_until_on + timedelta(days=21)
    page = await client.get(f"/app/lotus/series/{new_id}")
    assert "Draft" in page.text


async def test_a_term_that_was_copied_is_proposed_for_after_its_copies(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    """Those too that were made from a copy; a parallel series is none."""
    await as_owner(client, services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        service = await uow.session.get_one(Service, (lotus.id, term.series.service_id))
    await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    series_id, days = str(term.series.id), []
    for title in ("Autumn", "Winter"):
        path = f"/app/lotus/series/{series_id}/copy"
        looked = await send(client, path, {"title": title, "skip_holidays": None})
        days += fields_of(looked)["first_on"]
        assert "Copied already" not in looked.text
        made = await send_again(client, path, looked, {"looked": "on"})
        series_id = made.headers["location"].rsplit("/", 1)[1]
    again = await client.get(f"/app/lotus/series/{term.series.id}/copy")
    days += fields_of(again)["first_on"]
    first, second, third = map(date.fromisoformat, days)
    assert (second - first, third - second) == (timedelta(days=21), timedelta(days=21))
    notice = again.text.split("Copied already")[1].split("</ul>")[0]
    assert notice.index(">Autumn</a>") < notice.index(">Winter</a>")
    assert notice.count("</li>") == 2


async def test_a_cancelled_date_is_left_out_and_said_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """Titles keep their numbers and the price stays, which only the owner can know to be right."""
    service = await a_service(services.uow_factory, lotus.id, price_type="online")
    term = await a_series(services.uow_factory, service)
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, term.sessions[0].id, reason="", undo_seconds=0)
    await as_owner(client, services, lotus)
    looked = await send(client, f"/app/lotus/series/{term.series.id}/copy", {"skip_holidays": None})
    shown = " ".join(looked.text.split())
    assert looked.text.count("10:00") == 2
    assert "1 cancelled date is left out" in shown
    assert "The titles stay as they are, their numbers too." in shown
    assert "The price still is €60.00, now for 2 dates." in shown


async def test_a_hole_and_a_date_with_a_rule_of_its_own_are_said(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    plain = await send(client, path, {"skip_holidays": None})
    assert "days after the date before" not in plain.text
    assert "its own rule" not in plain.text
    last = term.sessions[-1]
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.get_one(Session, (uow.tenant, last.id))
        found.starts_at += timedelta(days=14)
        found.ends_at += timedelta(days=14)
        found.drop_in_allowed = True
    looked = await send(client, path, {"skip_holidays": None})
    assert looked.text.count("21 days after the date before") == 1
    assert looked.text.count("keeps its own rule for single places") == 1


async def test_a_taken_leader_is_named_and_nothing_is_made(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    ivan = await a_performer(services.uow_factory, lotus)
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    other = await a_session(services.uow_factory, service, in_days=28, title="Away")
    async with services.uow_factory(lotus.id) as uow:
        for one in await uow.session.scalars(select(Session)):
            one.performer_id = ivan.id
        # The clocks go forward before it, and the copy keeps what they show.
        slot = Slot(other.id, other.starts_at - timedelta(hours=1), other.ends_at)
        await take_performer(uow, ivan.id, [slot])
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None, "looked": "on"})
    assert "Away" in looked.text
    assert "Make the new term" not in looked.text
    [token] = fields_of(looked)["token"]
    assert await runs_of(services, lotus, UUID(token)) == []


@pytest.mark.parametrize("first_on", [date(2020, 1, 6), date(2200, 1, 6)])
async def test_a_day_that_cannot_be_is_refused_at_its_field(
    client: AsyncClient, services: Services, lotus: Business, term: Term, first_on: date
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    refused = await send(client, path, {"first_on": first_on.isoformat()})
    assert refused.status_code == 422
    assert 'id="f-first_on-error"' in refused.text
