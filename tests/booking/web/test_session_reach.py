"""Whoever edits or moves one date is asked whether others are meant too."""

from datetime import datetime, timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.models import Session
from src.platform.localtime import to_local
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(client: AsyncClient, services: Services, lotus: Business) -> Term:
    """Three free weekly dates, booked by Carl; the browser is the owner's."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    await as_owner(client, services, lotus)
    return term


async def dates(services: Services, lotus: Business) -> list[Session]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session).order_by(Session.starts_at))
        return list(found)


def typed(lotus: Business, at: datetime) -> str:
    return f"{to_local(at, lotus.tenant.zone):%Y-%m-%dT%H:%M}"


async def test_a_dragged_date_takes_those_after_it_along_with_one_mail(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    mailer: RememberingMailer,
) -> None:
    mailer.sent.clear()
    before = [one.starts_at for one in term.sessions]
    path = f"/app/lotus/sessions/{term.sessions[1].id}/edit"
    then = typed(lotus, before[1] + DAY + timedelta(hours=2))
    dragged = await client.get(f"{path}?starts_at={then}")
    assert fields_of(dragged)["scope"] == ["this"]
    for value in ("following", "all"):
        assert f'value="{value}"' in dragged.text
    shown = await send_again(client, path, dragged, {"scope": "following", "title": "Evening"})
    assert "2 sessions will change" in shown.text
    step, field = map(shown.text.index, ("Change them", 'name="shift_days"'))
    assert step < field, "what will happen stands above the form"
    kept = fields_of(shown)
    assert sorted(kept["change"]) == ["day", "time", "title"]
    assert kept["shift_days"] == ["1"]
    assert [one.starts_at for one in await dates(services, lotus)] == before, "nothing is done yet"
    to = f"/app/lotus/sessions/{term.sessions[1].id}/several"
    for said in ("2 sessions are changed.", "This is done already."):
        made = await send_again(client, to, shown, {"looked": "on"})
        assert made.status_code == 303
        assert said in (await client.get(made.headers["location"])).text
    after = await dates(services, lotus)
    moved = DAY + timedelta(hours=2)
    assert [one.starts_at for one in after] == [before[0], before[1] + moved, before[2] + moved]
    assert [one.title for one in after] == ["", "Evening", "Evening"]
    await work(services, lotus.id)
    assert len(mailer.sent) == 1


async def test_a_date_that_is_moved_onto_a_holiday_says_so(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    first = term.sessions[0].starts_at
    path = f"/app/lotus/sessions/{term.sessions[0].id}/edit"
    then = typed(lotus, first.replace(year=first.year + 1, month=1, day=1))
    dragged = await client.get(f"{path}?starts_at={then}")
    shown = await send_again(client, path, dragged, {"scope": "all"})
    assert shown.text.count("public holiday:") == 1


async def test_the_page_of_a_move_asks_too_and_keeps_the_reason(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    path = f"/app/lotus/sessions/{term.sessions[0].id}/edit"
    start, end = (
        typed(lotus, at + DAY) for at in (term.sessions[0].starts_at, term.sessions[0].ends_at)
    )
    asked = await send(client, path, {"starts_at": start, "ends_at": end})
    assert "Move this session and its guests?" in asked.text
    assert fields_of(asked)["scope"] == ["this"]
    more = {"scope": "all", "reason": "The hall is taken."}
    shown = await send_again(client, path, asked, more)
    assert "3 sessions will change" in shown.text
    assert fields_of(shown)["reason"] == ["The hall is taken."]
    alone = await send_again(client, path, asked, {"reason": "The hall is taken."})
    assert alone.status_code == 303
    after = [one.starts_at for one in await dates(services, lotus)]
    assert after == [
        term.sessions[0].starts_at + DAY,
        *(one.starts_at for one in term.sessions[1:]),
    ]


async def test_what_somebody_else_saved_is_not_spread_over_the_others(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    path = f"/app/lotus/sessions/{term.sessions[0].id}/edit"
    opened = await client.get(path)
    await send(client, path, {"title": "Theirs"})
    late = await send_again(client, path, opened, {"capacity": "12", "scope": "all"})
    assert late.status_code == 409
    assert fields_of(late)["scope"] == ["all"], "what was chosen stays"
    assert {one.capacity for one in await dates(services, lotus)} == {10}


async def test_a_stale_form_is_not_done_because_its_own_date_is_as_wanted(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    """A colleague did the same to that date; what was wanted of the others is still to be done."""
    path = f"/app/lotus/sessions/{term.sessions[0].id}/edit"
    opened = await client.get(path)
    await send(client, path, {"title": "Theirs"})
    late = await send_again(client, path, opened, {"title": "Theirs", "scope": "following"})
    assert late.status_code == 409
    assert fields_of(late)["scope"] == ["following"], "what was chosen stays"
    assert [one.title for one in await dates(services, lotus)] == ["Theirs", "", ""]
    shown = await send_again(client, path, late, {})
    assert "The session is saved" not in shown.text
    alone = await send_again(client, path, opened, {"title": "Theirs"})
    assert alone.status_code == 303, "of the one date it is all"


async def test_a_wrong_year_is_told_at_the_start_that_was_typed(
    client: AsyncClient, lotus: Business, term: Term
) -> None:
    one, year = term.sessions[0], timedelta(days=400)
    far = {
        "scope": "all",
        "starts_at": typed(lotus, one.starts_at + year),
        "ends_at": typed(lotus, one.ends_at + year),
    }
    refused = await send(client, f"/app/lotus/sessions/{one.id}/edit", far)
    assert refused.status_code == 422
    error = refused.text.split(' id="f-starts_at-error"')[1].split("</p>")[0]
    assert "At most 366 days from where" in error


async def test_with_no_other_date_there_is_nothing_to_ask(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    other = await a_service(services.uow_factory, lotus.id, slug="other", price_type="free")
    lonely = await a_session(services.uow_factory, other)
    shown = await client.get(f"/app/lotus/sessions/{lonely.id}/edit")
    assert 'name="scope"' not in shown.text
