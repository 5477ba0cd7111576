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
        assert len(planned.dates) == dates
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


async def titled(services: Services, lotus: Business, titles: dict[UUID, str]) -> None:
    async with services.uow_factory(lotus.id) as uow:
        for session_id, title in titles.items():
            (await uow.session.get_one(Session, (lotus.id, session_id))).title = title


async def test_a_cancelled_date_stands_unticked_in_its_gap_and_can_be_copied(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="online")
    term = await a_series(services.uow_factory, service, sessions=4)
    ids = [str(one.id) for one in term.sessions]
    await titled(
        services, lotus, {one.id: f"Class {n}" for n, one in enumerate(term.sessions, start=1)}
    )
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, term.sessions[1].id, reason="", undo_seconds=0)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None})
    shown = " ".join(looked.text.split())
    assert fields_of(looked)["ticked"] == [ids[0], ids[2], ids[3]]
    assert shown.count("cancelled in the old term") == 1
    assert "The price of the whole stays €60.00, however many are ticked." in shown
    assert [shown.count(f"· Class {n}<") for n in (1, 2, 3, 4)] == [1, 1, 1, 0]
    again = await send_again(client, path, looked, {"number_anew": None})
    assert [again.text.count(f"· Class {n}<") for n in (1, 2, 3, 4)] == [1, 1, 1, 1]
    made = await send_again(client, path, looked, {"ticked": ids[1:], "looked": "on"})
    copied = await runs_of(services, lotus, UUID(made.headers["location"].rsplit("/", 1)[1]))
    assert [one.title for one in copied] == ["Class 1", "Class 2", "Class 3"]
    days = [to_local(one.starts_at, lotus.tenant.zone).date() for one in copied]
    assert [(on - days[0]).days for on in days] == [0, 7, 14]
    assert {one.state for one in copied} == {"scheduled"}


async def test_dates_cancelled_before_the_first_are_left_out_and_said(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, term.sessions[0].id, reason="", undo_seconds=0)
    await as_owner(client, services, lotus)
    looked = await send(client, f"/app/lotus/series/{term.series.id}/copy", {"skip_holidays": None})
    shown = " ".join(looked.text.split())
    assert looked.text.count("10:00") == 2
    assert "1 cancelled date before the first is left out." in shown


async def test_what_is_unticked_is_left_out_and_nothing_at_all_is_refused(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await titled(services, lotus, {one.id: "Yoga" for one in term.sessions})
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None})
    assert "Number the titles anew" not in looked.text
    none = await send_again(client, path, looked, {"ticked": None, "looked": "on"})
    assert none.status_code == 422
    assert "Tick at least one date." in none.text
    kept = [str(term.sessions[0].id), str(term.sessions[2].id)]
    wrong = await send_again(client, path, looked, {"ticked": kept, "first_on": "soon"})
    assert wrong.status_code == 422
    assert fields_of(wrong)["ticked"] == kept, "what was ticked is kept beside a mistake"
    made = await send_again(client, path, looked, {"ticked": kept, "looked": "on"})
    copied = await runs_of(services, lotus, UUID(made.headers["location"].rsplit("/", 1)[1]))
    assert [one.title for one in copied] == ["Yoga", "Yoga"]
    assert copied[1].starts_at - copied[0].starts_at == timedelta(days=14)


async def test_dates_that_nobody_has_seen_are_shown_before_they_are_made(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None})
    [first_on], [token] = fields_of(looked)["first_on"], fields_of(looked)["token"]
    later = (date.fromisoformat(first_on) + timedelta(days=7)).isoformat()
    kept = [str(one.id) for one in term.sessions[1:]]
    changed = {"first_on": later, "ticked": kept, "looked": "on"}
    again = await send_again(client, path, looked, changed)
    assert again.status_code == 422
    assert "The dates are others than you saw, so nothing is made yet." in again.text
    assert fields_of(again)["ticked"] == kept
    assert await runs_of(services, lotus, UUID(token)) == []
    await send_again(client, path, again, {"looked": "on"})
    assert len(await runs_of(services, lotus, UUID(token))) == 2


async def test_a_hole_and_a_date_with_a_rule_of_its_own_are_said(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    plain = await send(client, path, {"skip_holidays": None})
    assert "there was nothing between" not in plain.text
    assert "its own rule" not in plain.text
    last = term.sessions[-1]
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.get_one(Session, (uow.tenant, last.id))
        found.starts_at += timedelta(days=14)
        found.ends_at += timedelta(days=14)
        found.drop_in_allowed = True
    looked = await send(client, path, {"skip_holidays": None})
    assert looked.text.count("In the old term there was nothing between") == 1
    assert looked.text.count("keeps its own rule for single places") == 1


async def test_a_taken_leader_is_named_and_that_date_is_left_out(
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
    looked = await send(client, path, {"skip_holidays": None})
    assert looked.text.count("Away”") == 1
    free = fields_of(looked)["ticked"]
    assert len(free) == 2
    [token], [first_on] = fields_of(looked)["token"], fields_of(looked)["first_on"]
    everything = [str(one.id) for one in term.sessions]
    refused = await send_again(client, path, looked, {"ticked": everything, "looked": "on"})
    assert refused.status_code == 422
    assert "Somebody is taken at a ticked time" in refused.text
    assert await runs_of(services, lotus, UUID(token)) == []
    far = (date.fromisoformat(first_on) + timedelta(days=70)).isoformat()
    elsewhere = await send_again(client, path, looked, {"first_on": far})
    assert fields_of(elsewhere)["ticked"] == everything, "free there, it is ticked again"
    await send_again(client, path, looked, {"looked": "on"})
    assert len(await runs_of(services, lotus, UUID(token))) == 2


@pytest.mark.parametrize("first_on", [date(2020, 1, 6), date(2200, 1, 6)])
async def test_a_day_that_cannot_be_is_refused_at_its_field(
    client: AsyncClient, services: Services, lotus: Business, term: Term, first_on: date
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    refused = await send(client, path, {"first_on": first_on.isoformat()})
    assert refused.status_code == 422
    assert 'id="f-first_on-error"' in refused.text


async def led_term(services: Services, lotus: Business) -> Term:
    """Three dates with a leader, who is free for them in the new term."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    ivan = await a_performer(services.uow_factory, lotus)
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    async with services.uow_factory(lotus.id) as uow:
        for one in await uow.session.scalars(select(Session)):
            one.performer_id = ivan.id
    return term


async def test_a_form_sent_again_leads_to_its_term_though_its_dates_take_the_leader(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    term = await led_term(services, lotus)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None})
    [token] = fields_of(looked)["token"]
    for _twice in range(2):
        made = await send_again(client, path, looked, {"looked": "on"})
        assert made.headers.get("location") == f"/app/lotus/series/{token}"
    assert len(await runs_of(services, lotus, UUID(token))) == 3


async def test_a_series_that_is_no_copy_of_it_is_not_taken_for_one(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    sent = await send(client, path, {"looked": "on", "token": str(term.series.id)})
    assert sent.status_code == 409
    assert "This form belongs to another series." in sent.text
    async with services.uow_factory(lotus.id) as uow:
        assert len((await uow.session.scalars(select(Series.id))).all()) == 1


async def test_a_cancelled_date_and_what_replaced_it_are_not_both_copied(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    term = await led_term(services, lotus)
    first, second, third = term.sessions
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, second.id, reason="", undo_seconds=0)
        replaced = await uow.session.get_one(Session, (lotus.id, third.id))
        replaced.starts_at = second.starts_at + timedelta(minutes=15)
        replaced.ends_at = second.ends_at + timedelta(minutes=15)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/series/{term.series.id}/copy"
    looked = await send(client, path, {"skip_holidays": None})
    everything = [str(one.id) for one in (first, second, third)]
    refused = await send_again(client, path, looked, {"ticked": everything, "looked": "on"})
    assert refused.status_code == 422
    assert "Two ticked dates with the same leader overlap on" in refused.text
    assert fields_of(refused)["ticked"] == everything
    made = await send_again(client, path, refused, {"ticked": everything[:2], "looked": "on"})
    assert made.status_code == 303
