"""What the owner chooses for an import is what was rehearsed before it is published."""

import pytest

from src.platform.services import Services
from src.tenants.models import Location, Performer
from tests.booking.commands.places import a_performer
from tests.booking.web.test_imports import TABLE, how_many, lotus, owner, path, stored, upload
from tests.support.builders import Business
from tests.support.visitor import Visitor, forms_of

pytestmark = pytest.mark.anyio

__all__ = ["lotus", "owner", "path"]


async def test_ticks_that_were_not_rehearsed_are_worked_out_before_anything_is_created(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    ticks = {"add_performers": "on", "add_locations": "on"}
    await owner.submit({**ticks, "default_capacity": "9"}, to="/commit")
    assert "Your choices have changed" in owner.text
    assert await stored(services, lotus) == []
    await owner.submit(to="/commit")
    assert "2 sessions are published." in owner.text
    assert await how_many(services, lotus, Performer) == 1
    assert await how_many(services, lotus, Location) == 1


async def test_a_choice_that_cannot_be_used_stops_the_publishing_too(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    await owner.submit({"default_capacity": "0"}, to="/commit", status=422)
    assert "at least one seat" in owner.text
    assert await stored(services, lotus) == []


async def test_a_name_that_is_known_by_now_does_not_ask_for_its_tick_again(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    await owner.submit({"add_performers": "on"}, to=owner.path)
    rehearsal = owner.path
    await a_performer(services.uow_factory, lotus, "Ivan")
    await owner.open(rehearsal)
    assert "Add 1 person" not in owner.text
    await owner.submit(to="/commit")
    assert "2 sessions are published." in owner.text


async def test_another_file_from_the_form_that_was_gone_back_to_is_another_import(
    owner: Visitor, path: str
) -> None:
    [form] = [one for one in forms_of(await owner.open(path)) if "token" in one.fields]
    seen = []
    for content in (TABLE, TABLE.replace("Flow", "Stretch"), TABLE):
        page = await owner.client.post(
            path,
            data=form.fields,
            files={"file": ("plan.csv", content.encode(), "text/csv")},
            follow_redirects=True,
        )
        seen.append((page.url.path, "Stretch" in page.text))
    assert [found for _path, found in seen] == [False, True, False]
    assert seen[0] == seen[2]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"default_capacity": "0"}, "at least one seat"),
        ({"default_capacity": "many"}, "Please give a whole number."),
        (
            {"default_performer_id": "018f0000-0000-7000-8000-000000000000"},
            "Please choose one of the given ones.",
        ),
    ],
)
async def test_choices_that_cannot_be_used_are_said(
    owner: Visitor, path: str, typed: dict[str, str], sentence: str
) -> None:
    await upload(owner, path, TABLE, status=422, **typed)
    assert sentence in owner.text
    await upload(owner, path, TABLE)
    await owner.submit(typed, to=owner.path, status=422)
    assert sentence in owner.text


ENDLESS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:endless@example.com
SUMMARY:Yin
DTSTART;TZID=Europe/Amsterdam:20270405T180000
DTEND;TZID=Europe/Amsterdam:20270405T190000
RRULE:FREQ=DAILY
END:VEVENT
BEGIN:VEVENT
UID:weekly@example.com
SUMMARY:Flow
DTSTART;TZID=Europe/Amsterdam:20270405T080000
DTEND;TZID=Europe/Amsterdam:20270405T090000
RRULE:FREQ=WEEKLY;COUNT=3
END:VEVENT
END:VCALENDAR
"""


def boxes(visitor: Visitor, name: str = "ticked") -> list[str]:
    assert visitor.page is not None
    [form] = [form for form in forms_of(visitor.page) if form.action.endswith("/commit")]
    return form.fields.get(name, [])


async def test_one_row_is_unticked_and_the_others_are_published(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    event, first, second = boxes(owner)
    await owner.submit({"ticked": [event, second]}, to="/commit")
    assert "Your choices have changed" in owner.text
    assert "Publish 1 session" in owner.text
    assert "Left out." in owner.text
    assert boxes(owner) == [event, second]
    assert boxes(owner, "shown") == [event, first, second]
    await owner.submit(to="/commit")
    assert [session.import_key for session in await stored(services, lotus)] == [second]


async def test_an_endless_event_is_unticked_as_a_whole_and_comes_back_as_a_whole(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, ENDLESS, "plan.ics")
    every = boxes(owner)
    assert {"endless@example.com", "weekly@example.com"} <= set(every)
    rehearsal = owner.path
    kept = [uid for uid in every if uid != "endless@example.com"]
    await owner.submit({"ticked": kept}, to=rehearsal)
    assert "Left out with its event." in owner.text
    await owner.submit({"ticked": every}, to=rehearsal)
    assert boxes(owner) == every
    await owner.submit({"ticked": kept}, to="/commit")
    assert "Publish 3 sessions" in owner.text
    await owner.submit(to="/commit")
    assert {session.title for session in await stored(services, lotus)} == {"Flow"}


async def test_what_was_unticked_on_one_page_stays_so_on_the_others(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    rows = [f"2027-04-{1 + n // 10:02},{8 + n % 10:02}:00,60,Gym {n}" for n in range(150)]
    await upload(owner, path, "date,start,duration,title\n" + "\n".join(rows))
    rehearsal, shown = owner.path, boxes(owner)
    assert len(shown) == 100
    await owner.submit({"ticked": shown[1:], "go_to": "2"}, to=rehearsal)
    second = boxes(owner)
    assert len(second) == 50
    await owner.submit({"ticked": second[1:], "go_to": "1"}, to=rehearsal)
    assert boxes(owner) == shown[1:]
    assert "Publish 148 sessions" in owner.text
    await owner.submit(to="/commit")
    made = {session.title for session in await stored(services, lotus)}
    assert made == {f"Gym {n}" for n in range(150)} - {"Gym 0", "Gym 100"}


async def test_a_row_that_is_left_out_makes_room_for_the_next_that_says_the_same(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    rows = "2027-04-05,18:00,19:00,Flow,4,Ada\n2027-04-05,18:00,19:00,Flow,9,Ivan\n"
    await upload(owner, path, "date,start,end,title,capacity,instructor\n" + rows)
    assert "Publish 1 session" in owner.text
    rehearsal = owner.path
    await owner.submit({"ticked": []}, to=rehearsal)
    assert "Publish 1 session" in owner.text
    await owner.submit(to="/commit")
    assert [session.capacity for session in await stored(services, lotus)] == [9]
