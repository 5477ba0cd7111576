"""Dates are chosen by ticks, cancelled with their consequences first, or edited together."""

import re
from datetime import timedelta
from html import unescape

import pytest
from httpx import AsyncClient

from src.booking.commands.session_deleting import delete_session
from src.booking.models import Session
from src.platform.i18n import use_locale
from src.platform.services import Services
from src.platform.web.formats import date_range, date_short
from tests.booking.commands.test_book import a_wish, booked, taken
from tests.booking.commands.test_leave import paid_by_card
from tests.booking.jobs.test_cancel_series import UNDO, states
from tests.booking.web.pages import as_owner, fields_of, send_again
from tests.booking.web.test_edit_several import times
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio
CANCEL, EDIT = "/app/lotus/sessions/chosen/cancel", "/app/lotus/sessions/chosen/edit"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(client: AsyncClient, services: Services, lotus: Business) -> Term:
    """Three weekly dates at 20 each, paid for by Carl; the browser is the owner's."""
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    term = await a_series(services.uow_factory, service, price_type="on_site")
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await paid_by_card(services, lotus, made)
    await work(services, lotus.id)
    await as_owner(client, services, lotus)
    return term


async def test_ticks_on_the_lists_lead_to_both_acts(client: AsyncClient, term: Term) -> None:
    for path, back in (
        (f"/app/lotus/series/{term.series.id}", f"?series={term.series.id}"),
        ("/app/lotus/sessions", ""),
        (
            f"/app/lotus/services/{term.series.service_id}/sessions",
            f"?service={term.series.service_id}",
        ),
    ):
        listed = await client.get(path)
        assert listed.text.count('name="session_ids"') == 3, path
        assert f'formaction="{CANCEL}{back}"' in listed.text, path
        assert f'action="{EDIT}{back}"' in listed.text, path
        form = next(one for one in forms_of(listed) if one.action.startswith(EDIT))
        assert "session_ids" not in form.fields, "nothing is chosen at first"
        everything = await client.get(f"{path}?tick=all")
        form = next(one for one in forms_of(everything) if one.action.startswith(EDIT))
        assert len(form.fields["session_ids"]) == 3, path


@pytest.mark.slow
async def test_consequences_of_the_ticked_dates_come_first_then_one_cancelling(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    mailer.sent.clear()
    listed = f"/app/lotus/series/{term.series.id}"
    ids = [str(one.id) for one in term.sessions]
    token = fields_of(await client.get(listed))["_csrf_token"]
    ticked = {"_csrf_token": token, "session_ids": ids[:2]}
    asked = await client.post(f"{CANCEL}?series={term.series.id}", data=ticked)
    assert "Cancel 2 dates?" in asked.text
    assert "2 seats of 1 guest" in asked.text
    assert "€40.00" in asked.text, "what could go back"
    assert await states(services, lotus) == ["scheduled"] * 3
    sure = {"sure": "on", "reason": "Repairs"}
    refused = await send_again(client, CANCEL, asked, sure)
    assert refused.status_code == 422
    assert "Please choose what goes back." in refused.text
    assert fields_of(refused)["session_ids"] == ids[:2], "the ticks are kept"
    other = {**sure, "money": "full", "session_ids": ids[1:2]}
    again = await send_again(client, CANCEL, refused, other)
    assert again.status_code == 200, "it is a look, and no mistake"
    assert "You have chosen other dates since." in again.text
    assert await states(services, lotus) == ["scheduled"] * 3
    done = await send_again(client, CANCEL, asked, {**sure, "money": "full"})
    assert done.status_code == 303
    twice = await send_again(client, CANCEL, asked, {**sure, "money": "full"})
    assert twice.headers["location"] == done.headers["location"]
    await work_through(services, clock, lotus.id, UNDO)
    assert await states(services, lotus) == ["cancelled", "cancelled", "scheduled"]
    assert len(mailer.sent) == 1
    shown = await client.get(done.headers["location"])
    assert "2 seats freed" in shown.text
    with use_locale(lotus.tenant.locale):
        for one in term.sessions[:2]:
            assert date_range(one.starts_at, one.ends_at, lotus.tenant.zone) in shown.text
    assert "Back to the series" in shown.text
    left = await client.post(CANCEL, data={**ticked, "session_ids": ids})
    assert "2 dates are left out" in left.text
    assert "Cancel 1 date?" in left.text


async def test_who_is_touched_twice_reads_on_which_date_each_time_and_what_is_not_paid(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    dates = [await a_session(services.uow_factory, service, in_days=days) for days in (7, 14)]
    for one in dates:
        made = await booked(services.uow_factory, lotus, a_wish("session", one.id))
    await paid_by_card(services, lotus, made)
    await work(services, lotus.id)
    await as_owner(client, services, lotus)
    token = fields_of(await client.get("/app/lotus/sessions"))["_csrf_token"]
    ids = [str(one.id) for one in dates]
    both = await client.post(CANCEL, data={"_csrf_token": token, "session_ids": ids})
    with use_locale(lotus.tenant.locale):
        first, second = (date_short(one.starts_at, lotus.tenant.zone) for one in dates)
    assert f"{first} · 1 seat · €15.00 · still to be paid on site" in both.text
    assert f"{second} · 1 seat · €15.00 · paid on site" in both.text
    alone = await client.post(CANCEL, data={"_csrf_token": token, "session_ids": ids[1:]})
    assert ">1 seat · €15.00 · paid on site" in alone.text


async def test_with_other_ticks_it_is_looked_at_again_and_then_done(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    ids = [str(one.id) for one in term.sessions]
    token = fields_of(await client.get("/app/lotus/sessions"))["_csrf_token"]
    asked = await client.post(CANCEL, data={"_csrf_token": token, "session_ids": ids[:2]})
    sure = {"sure": "on", "money": "full"}
    again = await send_again(client, CANCEL, asked, {**sure, "session_ids": ids[1:2]})
    assert "Cancel 1 date?" in again.text
    assert "Every seat in it is freed" in again.text
    assert "€20.00" in again.text
    done = await send_again(client, CANCEL, again, sure)
    assert done.status_code == 303
    assert await states(services, lotus) == ["scheduled", "cancelling", "scheduled"]


async def test_who_loads_the_question_again_finds_the_same_ticks_from_the_same_list(
    client: AsyncClient, term: Term
) -> None:
    ids = [str(one.id) for one in term.sessions[:2]]
    token = fields_of(await client.get("/app/lotus/sessions"))["_csrf_token"]
    ticked = {"_csrf_token": token, "session_ids": ids}
    asked = await client.post(f"{CANCEL}?series={term.series.id}", data=ticked)
    found = re.search(r'<html[^>]* data-again="([^"]+)"', asked.text)
    assert found is not None
    again = await client.get(f"{CANCEL}{unescape(found[1])}")
    assert fields_of(again)["session_ids"] == ids
    assert f'href="/app/lotus/series/{term.series.id}"' in again.text


async def test_a_dates_page_leads_to_those_after_it(client: AsyncClient, term: Term) -> None:
    asked = await client.get(f"/app/lotus/sessions/{term.sessions[1].id}/cancel")
    link = f"{CANCEL}?following={term.sessions[1].id}"
    assert link in asked.text
    ids = [str(one.id) for one in term.sessions[1:]]
    assert fields_of(await client.get(link))["session_ids"] == ids
    last = await client.get(f"/app/lotus/sessions/{term.sessions[2].id}/cancel")
    assert "following=" not in last.text


async def test_one_that_has_begun_is_among_those_until_it_is_over(
    client: AsyncClient, services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    first, ids = term.sessions[0], [str(one.id) for one in term.sessions]
    link = f"{CANCEL}?following={first.id}"
    clock.advance(first.starts_at - clock.now() + timedelta(minutes=10))
    await as_owner(client, services, lotus)
    asked = await client.get(f"/app/lotus/sessions/{first.id}/cancel")
    assert "Cancel this date and the 2 after it instead" in asked.text
    assert fields_of(await client.get(link))["session_ids"] == ids
    clock.advance(first.ends_at - clock.now())
    assert fields_of(await client.get(link))["session_ids"] == ids[1:]


async def test_where_nothing_is_ticked_it_leads_back_to_the_list(
    client: AsyncClient, term: Term
) -> None:
    token = fields_of(await client.get("/app/lotus/sessions"))["_csrf_token"]
    for path in (CANCEL, EDIT):
        back = await client.post(
            f"{path}?series={term.series.id}", data={"_csrf_token": token, "session_ids": "x"}
        )
        assert back.headers["location"] == f"/app/lotus/series/{term.series.id}"
        assert "Choose at least one date." in (await client.get("/app/lotus/sessions")).text


async def test_one_deleted_meanwhile_is_left_out_and_what_was_typed_is_kept(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    stays, goes, last = [await a_session(services.uow_factory, service) for _n in range(3)]
    await as_owner(client, services, lotus)
    token = fields_of(await client.get("/app/lotus/sessions"))["_csrf_token"]
    ticked = {"_csrf_token": token, "session_ids": [str(one.id) for one in (stays, goes)]}
    form = await client.post(EDIT, data=ticked)
    asked = await client.post(CANCEL, data=ticked)
    async with services.uow_factory(lotus.id) as uow:
        await delete_session(uow, lotus.ctx, goes.id)
    looked = await send_again(client, EDIT, form, {"change": ["title"], "title": "Special"})
    assert "1 session will change" in looked.text
    assert "1 of them has begun, is cancelled or was deleted, and is left out." in looked.text
    assert fields_of(looked, EDIT)["title"] == ["Special"]
    sure = {"sure": "on", "reason": "Repairs"}
    again = await send_again(client, CANCEL, asked, sure)
    assert "1 date is left out: it was deleted meanwhile." in again.text
    assert fields_of(again, CANCEL)["reason"] == ["Repairs"]
    async with services.uow_factory(lotus.id) as uow:
        await delete_session(uow, lotus.ctx, last.id)
    done = await send_again(client, CANCEL, again, sure)
    assert done.status_code == 303, "what is looked at now is not what is gone"
    nothing = {"_csrf_token": token, "session_ids": [str(goes.id), str(last.id)]}
    for path in (EDIT, CANCEL):
        assert (await client.post(path, data=nothing)).status_code == 404


async def test_just_the_chosen_dates_are_edited(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    before = await times(services, lotus)
    token = fields_of(await client.get("/app/lotus/sessions"))["_csrf_token"]
    ids = [str(term.sessions[index].id) for index in (0, 2)]
    path = f"{EDIT}?series={term.series.id}"
    shown = await client.post(path, data={"_csrf_token": token, "session_ids": ids})
    assert shown.status_code == 200
    assert "2 dates are chosen." in shown.text
    async with services.uow_factory(lotus.id) as uow:
        edited = await uow.session.get_one(Session, (lotus.id, term.sessions[2].id))
        edited.edited_at = uow.clock.now()
    looked = await send_again(client, path, shown, {"change": ["time"], "start_time": "18:00"})
    assert "2 sessions will change" in looked.text
    made = await send_again(client, path, looked, {"looked": "on"})
    assert made.headers["location"] == f"/app/lotus/series/{term.series.id}"
    assert await times(services, lotus) == ["18:00", before[1], "18:00"]
    assert await taken(services.uow_factory, lotus.id) == [1, 1, 1]
