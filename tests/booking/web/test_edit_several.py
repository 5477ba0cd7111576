"""One change for several sessions: all or none, one mail each, and hand-edited ones left alone."""

from datetime import time, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from icalendar import Calendar
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine

from src.booking.commands.busy import Slot, take_performer
from src.booking.commands.decision_due import MINIMUM_DUE
from src.booking.commands.edit_plan import EditSeveral, plan_edit
from src.booking.commands.edit_several import edit_several, list_refusals
from src.booking.domain.kinds import DateScope
from src.booking.models import Session
from src.platform.errors import InvalidInput
from src.platform.localtime import to_local
from src.platform.services import Services
from src.tenants.models import Due, Location
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.queries.test_hub import counted
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    """Three free weekly dates at 10:00, booked by Carl."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    return term


async def times(services: Services, lotus: Business) -> list[str]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session).order_by(Session.starts_at))
        return [f"{to_local(one.starts_at, lotus.tenant.zone):%H:%M}" for one in found]


async def edit(services: Services, lotus: Business, session: Session, **more: Any) -> int:
    cmd = EditSeveral(session_id=session.id, **{"scope": DateScope.ALL, **more})
    async with services.uow_factory(lotus.id) as uow:
        return await edit_several(uow, lotus.ctx, cmd)


async def test_the_change_is_looked_at_then_made_and_told_in_one_mail(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    mailer: RememberingMailer,
) -> None:
    """Row 2-57: another time meant to cancel a class and make it anew."""
    mailer.sent.clear()
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[1].id}/several"
    changes = {"change": ["time", "duration"], "start_time": "18:00", "duration_minutes": "90"}
    looked = await send(client, path, changes)
    assert "2 sessions will change" in looked.text
    before = await times(services, lotus)
    assert "18:00" not in before
    made = await send_again(client, path, looked, {"looked": "on"})
    assert made.status_code == 303
    assert await times(services, lotus) == [before[0], "18:00", "18:00"]
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.to == ["Carl <carl@example.com>"]
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session).order_by(Session.starts_at))
        lengths = [one.ends_at - one.starts_at for one in found]
    assert lengths == [timedelta(hours=1), timedelta(minutes=90), timedelta(minutes=90)]


async def test_a_second_press_moves_nothing_again(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    mailer: RememberingMailer,
) -> None:
    """Days are counted from where a date is, so doing it twice would be a fortnight and two mails;
    however it is sent again, it is done once.
    """
    mailer.sent.clear()
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/several"
    week = {"scope": "all", "change": ["day", "time"], "shift_days": "7", "start_time": "18:00"}
    looked = await send(client, path, week)
    for said in ("3 sessions are changed.", "This is done already."):
        made = await send_again(client, path, looked, {"looked": "on"})
        assert made.status_code == 303
        assert said in (await client.get(made.headers["location"])).text
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session).order_by(Session.starts_at))
        days = [
            (one.starts_at - was.starts_at).days
            for one, was in zip(found, term.sessions, strict=True)
        ]
    assert days == [7, 7, 7]
    await work(services, lotus.id)
    assert len(mailer.sent) == 1


async def test_another_number_from_a_page_left_open_is_not_called_done(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/several"
    looked = await send(client, path, {"scope": "all", "change": ["capacity"], "capacity": "12"})
    for capacity in ("12", "20"):
        typed = {"looked": "on", "capacity": capacity}
        made = await send_again(client, path, looked, typed)
    assert made.status_code == 422
    assert "This is not what you looked at" in made.text
    assert fields_of(made, path)["capacity"] == ["20"]
    made = await send_again(client, path, made, {"looked": "on"})
    assert made.status_code == 303
    async with services.uow_factory(lotus.id) as uow:
        assert set(await uow.session.scalars(select(Session.capacity))) == {20}


@pytest.mark.slow
@pytest.mark.parametrize(
    "since", [{"scope": "all"}, {"shift_days": "28"}, {"change": ["day", "time"]}, "title", "date"]
)
async def test_only_what_was_looked_at_is_done(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    since: dict[str, str] | str,
) -> None:
    """With other fields in the open form, or dates that are not as they were, it is shown anew."""
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[1].id}/several"
    day = {"change": ["day"], "shift_days": "1", "start_time": "18:00"}
    looked = await send(client, path, day)
    assert "2 sessions will change" in looked.text
    if since == "title":
        await edit(services, lotus, term.sessions[2], scope=DateScope.FOLLOWING, title="Theirs")
    elif since == "date":
        async with services.uow_factory(lotus.id) as uow:
            one = await uow.session.get_one(Session, (lotus.id, term.sessions[2].id))
            one.edited_at = uow.clock.now()
    typed = since if isinstance(since, dict) else {}
    again = await send_again(client, path, looked, {"looked": "on", **typed})
    assert "This is not what you looked at" in again.text
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session.starts_at).order_by(Session.starts_at))
        assert list(found) == [one.starts_at for one in term.sessions]
    made = await send_again(client, path, again, {"looked": "on"})
    assert made.status_code == 303, "it was looked at now"


async def test_dates_go_to_another_weekday_with_one_mail_and_a_way_out(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    """Each is shown old and new; who bought the old day may leave, whatever the terms say."""
    mailer.sent.clear()
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[1].id}/several"
    before = [one.starts_at for one in term.sessions]
    weekday = (to_local(before[1], lotus.tenant.zone).weekday() + 1) % 7
    asked = {"change": ["day"], "weekday": str(weekday)}
    looked = await send(client, path, asked)
    assert "2 sessions will change" in looked.text
    assert looked.text.count('<s class="text-muted">') == 2
    assert "2 seats of 1 guest, kept at the same price" in looked.text
    assert "may leave without any charge" in looked.text
    assert "Carl" in looked.text.split("Who it touches")[1]
    await send_again(client, path, looked, {"looked": "on"})
    async with services.uow_factory(lotus.id) as uow:
        found = (await uow.session.scalars(select(Session).order_by(Session.starts_at))).all()
    days = timedelta(days=1 if weekday else -6)
    assert [one.starts_at for one in found] == [before[0], before[1] + days, before[2] + days]
    assert [one.moved_sequence for one in found] == [0, 1, 1]
    await work(services, lotus.id)
    [mail] = mailer.sent
    calendar = Calendar.from_ical(mail.attachments[0][1])
    told = {one["DTSTART"].dt: int(one["SEQUENCE"]) for one in calendar.walk("VEVENT")}
    assert {found[1].starts_at, found[2].starts_at} <= set(told)
    assert told[found[1].starts_at] > 0
    assert "without any charge" in str(mail.body)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"weekday": "", "shift_days": ""}, "Choose a weekday, or give a number of days."),
        ({"weekday": "1", "shift_days": "7"}, "not both."),
        ({"shift_days": "400"}, "At most 366 days from where"),
        ({"weekday": "7"}, "weekday"),
    ],
)
async def test_which_day_is_meant_is_asked_at_the_field(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    typed: dict[str, str],
    sentence: str,
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[1].id}/several"
    refused = await send(client, path, {"change": ["day"], **typed})
    assert refused.status_code == 422
    assert sentence in refused.text


async def test_single_places_of_several_dates_get_other_rules(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """What cannot hold with the service's is named; a date in no series has none."""
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    term = await a_series(services.uow_factory, service)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[1].id}/several"
    asked = {"change": ["drop_in"], "allowed": "yes", "drop_in_pays": ["on_site"]}
    unread = await send(client, path, {**asked, "drop_in_price": "much"})
    assert unread.status_code == 422
    refused = await send_again(client, path, unread, {"drop_in_price": "9999999"})
    assert refused.text.count("This price is too high") == 2
    looked = await send_again(client, path, refused, {"drop_in_price": "12.50"})
    assert looked.text.count("other rules for single places") == 2
    await send_again(client, path, looked, {"looked": "on"})
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session).order_by(Session.starts_at))
        kept = [(one.drop_in_allowed, one.drop_in_price_minor, one.drop_in_pays) for one in found]
    assert kept == [(None, None, []), *[(True, 1250, ["on_site"])] * 2]
    loose = await a_session(services.uow_factory, service, in_days=40)
    path = f"/app/lotus/sessions/{loose.id}/several"
    refused = await send(client, path, asked)
    assert "This session is in no series" in refused.text


async def test_none_goes_to_the_past_or_onto_another_date_of_the_act(
    client: AsyncClient, services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=1))
    with pytest.raises(InvalidInput, match="Nothing was changed"):
        await edit(services, lotus, term.sessions[0], shift_days=-30)
    async with services.uow_factory(lotus.id) as uow:
        other = await uow.session.get_one(Session, (lotus.id, term.sessions[1].id))
        lasts = other.ends_at - other.starts_at
        other.starts_at = term.sessions[0].starts_at + timedelta(hours=2)
        other.ends_at = other.starts_at + lasts
        planned = await plan_edit(
            uow,
            lotus.ctx,
            EditSeveral(session_id=term.sessions[0].id, scope=DateScope.ALL, start_time=time(15)),
        )
        refusals = await list_refusals(uow, lotus.ctx, planned)
        await uow.session.rollback()
    assert set(refusals) == {term.sessions[0].id, term.sessions[1].id}
    assert "start at the same time" in refusals[term.sessions[1].id]


@pytest.mark.parametrize("ticked", [[], ["colour"]])
async def test_where_nothing_is_ticked_it_asks_what_is_to_change(
    client: AsyncClient, services: Services, lotus: Business, term: Term, ticked: list[str]
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[1].id}/several"
    assert "What is changed</legend>" in (await client.get(path)).text, "it is not optional"
    refused = await send(client, path, {"change": ticked, "start_time": "18:00"})
    assert refused.status_code == 422
    error = refused.text.split(' id="f-change-error"')[1].split("</p>")[0]
    assert "Tick what is to change." in error
    assert "sessions will change" not in refused.text


async def test_one_edited_on_its_own_stays_unless_it_is_ticked(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await as_owner(client, services, lotus)
    await send(client, f"/app/lotus/sessions/{term.sessions[1].id}/edit", {"title": "Special"})
    before = await times(services, lotus)
    first = term.sessions[0]
    assert await edit(services, lotus, first, start_time=time(18)) == 2
    assert await times(services, lotus) == ["18:00", before[1], "18:00"]
    assert await edit(services, lotus, first, start_time=time(18), include_edited=True) == 1
    assert await times(services, lotus) == ["18:00"] * 3


async def test_one_that_was_ticked_alone_is_edited_on_its_own(
    services: Services, lotus: Business, term: Term
) -> None:
    first, second, last = term.sessions
    ticked = {"scope": DateScope.CHOSEN, "title": "Special"}
    assert await edit(services, lotus, second, **ticked, chosen=(second.id,)) == 1
    assert await edit(services, lotus, first, **ticked, chosen=(first.id, last.id)) == 2
    assert await edit(services, lotus, first, start_time=time(18)) == 2, "all but the second"


async def test_what_moves_in_the_same_act_is_in_nobodys_way(
    services: Services, lotus: Business, term: Term
) -> None:
    """One leader's nights, half past eleven to half past twelve: a quarter past twelve overlaps the
    night before as it is now. However many they are, what takes the leader is asked for once.
    """
    performer = await a_performer(services.uow_factory, lotus)
    first = term.sessions[0]
    night = first.starts_at.replace(hour=22, minute=30)
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session).order_by(Session.starts_at))
        slots = []
        for day, each in enumerate(found.all()):
            each.performer_id = performer.id
            each.starts_at = night + timedelta(days=day)
            each.ends_at = each.starts_at + timedelta(hours=1)
            slots.append(Slot(each.id, each.starts_at, each.ends_at))
        await uow.session.flush()
        await take_performer(uow, performer.id, slots)
    with counted() as sent:
        assert await edit(services, lotus, first, start_time=time(0, 15)) == 3
    assert await times(services, lotus) == ["00:15"] * 3
    assert sum("performer_busy" in one for one in sent) == 1


async def test_dates_of_the_act_in_each_others_way_are_called_by_name(
    services: Services, lotus: Business, term: Term
) -> None:
    performer, first = await a_performer(services.uow_factory, lotus), term.sessions[0]
    async with services.uow_factory(lotus.id) as uow:
        second = await uow.session.get_one(Session, (lotus.id, term.sessions[1].id))
        second.starts_at = first.starts_at + timedelta(hours=2)
        second.ends_at = first.starts_at + timedelta(hours=3)
    led = {"changes_performer": True, "performer_id": performer.id}
    with pytest.raises(InvalidInput, match="Already taken then by “Yoga"):
        await edit(services, lotus, first, duration_minutes=180, **led)


async def test_a_leader_and_a_place_are_read_once_for_all_dates(
    services: Services, lotus: Business, term: Term
) -> None:
    performer = await a_performer(services.uow_factory, lotus)
    async with services.uow_factory(lotus.id) as uow:
        place = Location(tenant_id=lotus.id, name="Hall", created_at=uow.clock.now())
        uow.session.add(place)
        await uow.session.flush()
        place_id = place.id
    cmd = EditSeveral(
        session_id=term.sessions[0].id,
        scope=DateScope.ALL,
        changes_place=True,
        location_id=place_id,
        changes_performer=True,
        performer_id=performer.id,
    )
    async with services.uow_factory(lotus.id) as uow:
        planned = await plan_edit(uow, lotus.ctx, cmd)
        with counted() as sent:
            assert await list_refusals(uow, lotus.ctx, planned) == {}
    assert len(planned) == 3
    for table in ("locations", "performers"):
        assert sum(f"FROM {table}" in one for one in sent) == 1, table


async def test_decisions_are_planned_anew_in_one_statement_for_all_dates(
    services: Services, lotus: Business, term: Term
) -> None:
    first, dropped = term.sessions[0], list[str]()

    def remember(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("DELETE FROM due"):
            dropped.append(statement)

    event.listen(Engine, "before_cursor_execute", remember)
    for number, (minimum, planned) in enumerate((((2, 24), 3), ((3, 48), 3), ((None, None), 0)), 1):
        least, hours = minimum
        more = {"changes_minimum": True, "min_seats": least, "decide_hours": hours}
        assert await edit(services, lotus, first, **more) == 3
        assert len(dropped) == number
        async with services.uow_factory(lotus.id) as uow:
            kinds = select(func.count()).where(Due.tenant_id == uow.tenant, Due.kind == MINIMUM_DUE)
            assert await uow.session.scalar(kinds) == planned
    event.remove(Engine, "before_cursor_execute", remember)


async def test_the_dates_looked_at_say_which_cannot_be_so(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    wish = a_wish("session", term.sessions[2].id, guest_email="dora@example.com")
    async with services.uow_factory(lotus.id) as uow:
        series = await uow.session.merge(term.series)
        series.drop_in_allowed = True
    await booked(services.uow_factory, lotus, wish)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/several"
    looked = await send(client, path, {"change": ["capacity"], "capacity": "1"})
    assert "sessions will change" not in looked.text
    assert "1 date cannot be changed like this" in looked.text
    assert looked.text.count("seats are already taken") == 1
    assert "Change them" not in looked.text
    looked = await send(client, path, {"change": ["capacity"], "capacity": "2"})
    assert "3 sessions will change" in looked.text
    assert "2 seats" in looked.text
    assert "Change them" in looked.text


async def test_places_on_offer_are_asked_about_once_for_all_dates(
    services: Services, lotus: Business, term: Term
) -> None:
    """And only of dates that have more places taken than they are to have."""
    async with services.uow_factory(lotus.id) as uow:
        for capacity, refused, asked in ((0, 3, 1), (1, 0, 0)):
            cmd = EditSeveral(
                session_id=term.sessions[0].id, scope=DateScope.ALL, capacity=capacity
            )
            planned = await plan_edit(uow, lotus.ctx, cmd)
            with counted() as sent:
                refusals = await list_refusals(uow, lotus.ctx, planned)
            assert len(refusals) == refused
            assert sum("waitlist_offers" in one for one in sent) == asked


async def test_all_or_none(services: Services, lotus: Business, term: Term) -> None:
    """The last date has two seats taken, so none of them gets a single one."""
    wish = a_wish("session", term.sessions[2].id, guest_email="dora@example.com")
    async with services.uow_factory(lotus.id) as uow:
        series = await uow.session.merge(term.series)
        series.drop_in_allowed = True
    await booked(services.uow_factory, lotus, wish)
    with pytest.raises(InvalidInput, match=r"seats are already taken.*Nothing was changed"):
        await edit(services, lotus, term.sessions[0], capacity=1)
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session.capacity))
        assert list(found) == [10, 10, 10]


async def test_outside_of_a_series_the_weekday_and_time_make_the_pattern(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        for one in await uow.session.scalars(select(Session)):
            one.series_id = None
    other = await a_session(
        services.uow_factory,
        await a_service(services.uow_factory, lotus.id, slug="other"),
        starts_at=term.sessions[1].starts_at,
    )
    clock.advance(timedelta(days=8))
    assert await edit(services, lotus, term.sessions[2], title="New") == 2
    async with services.uow_factory(lotus.id) as uow:
        rows = await uow.session.execute(select(Session.id, Session.title))
        titles = {row.id: row.title for row in rows}
    assert [titles[one.id] for one in term.sessions] == ["", "New", "New"]
    assert titles[other.id] == ""
