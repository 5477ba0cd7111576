"""The pages about sessions: lists, the editor, and taking one back."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.models import Session
from src.platform.services import Services
from src.tenants.domain.roles import Role
from tests.booking.commands.places import a_performer
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import Business, a_business, a_member, a_series, a_service, a_session
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def stored(services: Services, business: Business) -> list[Session]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Session).order_by(Session.starts_at)))


async def the_new_page(client: AsyncClient, services: Services) -> tuple[Business, str]:
    """A signed-in owner and the address of the form for a new session."""
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, duration_minutes=90)
    await as_owner(client, services, business)
    return business, f"/app/lotus/services/{service.id}/sessions/new"


async def test_a_new_session_begins_with_what_the_service_says(
    client: AsyncClient, services: Services
) -> None:
    business, path = await the_new_page(client, services)
    fields = fields_of(await client.get(path))
    assert (fields["starts_at"], fields["ends_at"]) == (["2027-03-02T18:00"], ["2027-03-02T19:30"])
    answer = await send(client, path, {"title": "Basics"})
    assert answer.headers["location"] == path.removesuffix("/new")
    [session] = await stored(services, business)
    assert (session.title, session.starts_at) == ("Basics", datetime(2027, 3, 2, 17, tzinfo=UTC))


async def test_sending_the_same_form_again_publishes_nothing_more(
    client: AsyncClient, services: Services
) -> None:
    business, path = await the_new_page(client, services)
    form = await client.get(path)
    for _ in range(2):
        assert (await send_again(client, path, form, {})).status_code == 303
    assert len(await stored(services, business)) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"starts_at": ""}, "Please fill this in."),
        ({"starts_at": "tomorrow"}, "Please give a date and a time."),
        ({"starts_at": "2027-02-28T18:00"}, "This start has passed"),
        ({"ends_at": "2027-03-02T17:00"}, "The end must come after the start."),
        ({"ends_at": "2027-03-10T18:00"}, "seven days at most"),
        ({"capacity": "0"}, "at least one seat"),
        ({"capacity": "1e9"}, "Please give a whole number."),
        ({"mode": "online", "meeting_url": "http://meet.example"}, "begins with https://"),
        ({"meeting_url": "https://meet.example/1"}, "belongs to an online session only"),
        ({"title": "x" * 121}, "At most 120 characters."),
        ({"performer_id": "nobody"}, "Please choose one of the given ones."),
        (
            {"performer_id": "018f0000-0000-7000-8000-000000000000"},
            "Please choose one of the given ones.",
        ),
    ],
)
async def test_what_cannot_be_used_is_said_and_kept(
    client: AsyncClient, services: Services, changes: dict[str, str], sentence: str
) -> None:
    business, path = await the_new_page(client, services)
    answer = await send(client, path, {"title": "Evening", **changes})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert any(f'id="f-{field}-error"' in answer.text for field in changes), "at its field"
    if "title" not in changes:
        assert 'value="Evening"' in answer.text, "what was typed is kept"
    assert await stored(services, business) == []


async def test_a_time_that_does_not_exist_is_moved_and_said(
    client: AsyncClient, services: Services
) -> None:
    business, path = await the_new_page(client, services)
    night = {"starts_at": "2027-03-28T02:30", "ends_at": "2027-03-28T04:00"}
    answer = await send(client, path, night)
    [session] = await stored(services, business)
    assert session.starts_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    shown = (await client.get(answer.headers["location"])).text
    assert "The clocks skip 02:30 that day" in shown


async def test_a_time_that_exists_twice_is_the_first(
    client: AsyncClient, services: Services
) -> None:
    business, path = await the_new_page(client, services)
    night = {"starts_at": "2027-10-31T02:30", "ends_at": "2027-10-31T04:00"}
    answer = await send(client, path, night)
    [session] = await stored(services, business)
    assert session.starts_at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    shown = (await client.get(answer.headers["location"])).text
    assert "twice that day; the first one is meant" in shown


async def test_a_session_in_the_second_pass_stays_there_when_saved(
    client: AsyncClient, services: Services
) -> None:
    business, _path = await the_new_page(client, services)
    service = await a_service(services.uow_factory, business.id, slug="late")
    second = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    session = await a_session(services.uow_factory, service, starts_at=second)
    await send(client, f"/app/lotus/sessions/{session.id}/edit", {"title": "Night"})
    [now] = await stored(services, business)
    assert (now.title, now.starts_at) == ("Night", second)


async def test_a_performer_who_is_taken_is_named_with_the_other_session(
    client: AsyncClient, services: Services
) -> None:
    business, path = await the_new_page(client, services)
    performer = await a_performer(services.uow_factory, business)
    await send(client, path, {"performer_id": str(performer.id), "title": "Basics"})
    answer = await send(client, path, {"performer_id": str(performer.id)})
    assert answer.status_code == 422
    assert "Already taken then by “Yoga · Basics”" in answer.text
    assert len(await stored(services, business)) == 1


async def test_seats_below_those_taken_are_refused_at_the_field(
    client: AsyncClient, services: Services
) -> None:
    business, _path = await the_new_page(client, services)
    service = await a_service(services.uow_factory, business.id, slug="full")
    session = await a_session(services.uow_factory, service, seats_taken=6)
    path = f"/app/lotus/sessions/{session.id}/edit"
    answer = await send(client, path, {"capacity": "5"})
    assert answer.status_code == 422
    assert "6 seats are already taken; cancel some first." in answer.text
    assert 'id="f-capacity-error"' in answer.text
    assert 'value="5"' in answer.text
    assert [one.capacity for one in await stored(services, business)] == [session.capacity]


async def test_lists_show_fill_series_and_state_by_month(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    await a_session(services.uow_factory, service, in_days=3, seats_taken=10, title="Full one")
    await a_session(services.uow_factory, service, in_days=-3, title="Gone one")
    await a_session(services.uow_factory, service, in_days=4, state="cancelled")
    await a_series(services.uow_factory, service, first_in_days=30)
    await as_owner(client, services, business)
    shown = (await client.get("/app/lotus/sessions")).text
    for words in ("March 2027", "April 2027", "10 of 10", "Full", "Cancelled", "in Spring term"):
        assert words in shown
    [upcoming] = re.findall(r"Upcoming\s*<span[^>]*>(\d+)<", shown)
    assert upcoming == "4", "the cancelled one does not take place"
    assert "Gone one" not in shown
    past = (await client.get("/app/lotus/sessions?when=past")).text
    assert "Gone one" in past
    assert "Full one" not in past


async def test_an_hour_that_the_clocks_skip_is_said_not_to_exist(
    client: AsyncClient, services: Services
) -> None:
    business, path = await the_new_page(client, services)
    night = {"starts_at": "2027-03-28T02:30", "ends_at": "2027-03-28T03:30"}
    refused = await send(client, path, night)
    assert refused.status_code == 422
    assert "so 02:30 does not exist" in refused.text
    assert 'id="f-starts_at-error"' in refused.text
    assert 'value="2027-03-28T02:30"' in refused.text
    assert await stored(services, business) == []
    assert "The end must come after the start." not in refused.text


@pytest.mark.slow
async def test_long_lists_come_in_pages(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    for number in range(61):
        await a_session(services.uow_factory, service, in_days=1 + number, title=f"No. {number}!")
    await as_owner(client, services, business)
    path = f"/app/lotus/services/{service.id}/sessions"
    first = (await client.get(path)).text
    assert "No. 59!" in first
    assert "No. 60!" not in first
    assert f'href="{path}?page=2"' in first
    assert "No. 60!" in (await client.get(f"{path}?page=2")).text
    for odd in ("0", "-1", "x", "²", "9" * 30):
        assert (await client.get(path, params={"page": odd})).status_code == 200


async def test_a_session_nobody_booked_is_deleted_after_asking(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session = await a_session(services.uow_factory, service)
    await as_owner(client, services, business)
    path = f"/app/lotus/sessions/{session.id}/delete"
    assert "Delete this session?" in (await client.get(path)).text
    assert (await send(client, path, {})).status_code == 303
    assert await stored(services, business) == []


async def test_a_session_of_a_series_is_not_deleted(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    term = await a_series(services.uow_factory, service)
    await as_owner(client, services, business)
    shown = await client.get(f"/app/lotus/sessions/{term.sessions[0].id}/delete")
    assert "take it out of the series first" in shown.text


async def test_a_plan_without_groups_publishes_nothing(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, plan="starter")
    service = await a_service(services.uow_factory, business.id)
    await as_owner(client, services, business)
    base = f"/app/lotus/services/{service.id}/sessions"
    for path in (f"{base}/new", f"{base}/repeat"):
        assert (await client.get(path)).status_code == 402
    assert "no new session can be published" in (await client.get(base)).text


async def test_instructors_see_their_own_sessions_only(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, business, user_id=ivan.user_id)
    own = {"performer_id": performer.id, "title": "Ivan's own"}
    await a_session(services.uow_factory, service, **own)
    other = await a_session(services.uow_factory, service, in_days=8, title="Somebody else's")
    await sign_in(client, services, ivan.user_id)
    shown = (await client.get("/app/lotus/sessions")).text
    assert "Ivan&#39;s own" in shown
    assert "Somebody else" not in shown
    assert (await client.get(f"/app/lotus/sessions/{other.id}/edit")).status_code == 403
    assert (await client.get(f"/app/lotus/services/{service.id}/sessions")).status_code == 403


async def test_another_business_has_no_such_session(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    theirs = await a_business(services.uow_factory, "other", owner="Eve")
    service = await a_service(services.uow_factory, theirs.id)
    session = await a_session(services.uow_factory, service)
    await as_owner(client, services, business)
    for path in (
        f"sessions/{session.id}/edit",
        f"sessions/{session.id}/delete",
        f"services/{service.id}/sessions/new",
        f"services/{service.id}/sessions/repeat",
    ):
        assert (await client.get(f"/app/lotus/{path}")).status_code == 404, path


async def test_all_of_a_repeat_is_looked_at_before_it_is_published(
    client: AsyncClient, services: Services
) -> None:
    business, new = await the_new_page(client, services)
    path = new.removesuffix("new") + "repeat"
    rule: dict[str, Any] = {
        "start_on": "2027-03-30",
        "weekdays": ["1"],
        "count": "6",
        "skip_holidays_of": "NL",
        "skip_dates": "2027-04-13",
        "title_pattern": "Lesson {n}",
        "step": "look",
    }
    looked = await send(client, path, rule)
    assert looked.status_code == 200
    assert "public holiday" in looked.text
    assert "left out" in looked.text
    assert await stored(services, business) == []
    fields = fields_of(looked)
    assert len(fields["ticked"]) == 6
    ticked = [day for day in fields["ticked"] if day != "2027-04-06"]
    for _ in range(2):
        sent = {"ticked": ticked, "step": "publish"}
        answer = await send_again(client, path, looked, sent)
        assert answer.status_code == 303
    found = await stored(services, business)
    assert [each.title for each in found] == [f"Lesson {n}" for n in range(1, 6)]
    shown = (await client.get(answer.headers["location"])).text
    assert "nothing was published twice" in shown


async def test_a_taken_performer_is_noted_and_refused_when_ticked(
    client: AsyncClient, services: Services
) -> None:
    business, new = await the_new_page(client, services)
    performer = await a_performer(services.uow_factory, business)
    path = new.removesuffix("new") + "repeat"
    single = {"starts_at": "2027-03-09T18:00", "ends_at": "2027-03-09T19:00"}
    await send(client, new, {**single, "performer_id": str(performer.id), "title": "Basics"})
    rule: dict[str, Any] = {
        "start_on": "2027-03-02",
        "count": "3",
        "performer_id": str(performer.id),
        "step": "look",
    }
    looked = await send(client, path, rule)
    assert "taken by Yoga · Basics" in looked.text
    assert fields_of(looked)["ticked"] == ["2027-03-02", "2027-03-16"]
    all_three = {"ticked": ["2027-03-02", "2027-03-09", "2027-03-16"], "step": "publish"}
    refused = await send_again(client, path, looked, all_three)
    assert refused.status_code == 422
    assert "On 1 date the performer is taken already" in refused.text
    assert len(await stored(services, business)) == 1
    assert (
        await send_again(client, path, refused, {"ticked": ["2027-03-02"], "step": "publish"})
    ).status_code == 303
    assert len(await stored(services, business)) == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"weekdays": None}, "Choose at least one weekday."),
        ({"count": ""}, "either a last day or a number of dates"),
        ({"count": "501"}, "Choose a number from 1 to 500."),
        ({"until_on": "2027-06-01"}, "either a last day or a number of dates"),
        ({"count": "", "until_on": "2027-01-01"}, "The last day is before the first one."),
        ({"skip_dates": "Easter"}, "“Easter” is no date"),
        ({"skip_holidays_of": "XX"}, "The holidays of this place are not known."),
        ({"title_pattern": "Lesson {number}"}, "Only {n} can stand in braces"),
        ({"start_time": "25:00"}, "Please give a time."),
        ({"duration_minutes": "20000"}, "seven days at most"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_said(
    client: AsyncClient, services: Services, changes: dict[str, Any], sentence: str
) -> None:
    business, new = await the_new_page(client, services)
    path = new.removesuffix("new") + "repeat"
    answer = await send(client, path, {**changes, "step": "look"})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Such as 2027-03-16, one on each line." in answer.text
    assert await stored(services, business) == []
