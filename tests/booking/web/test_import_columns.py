"""A table whose headings say nothing is read after its owner has pointed out the columns."""

from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.booking.web.test_imports import lotus, owner, path, stored, upload
from tests.support.builders import Business
from tests.support.visitor import Form, Visitor, forms_of

pytestmark = pytest.mark.anyio

__all__ = ["lotus", "owner", "path"]

FOREIGN = """wann,von,bis,was,wer,wieviele
05.04.2027,18:00,19:30,Sanftes Yoga,Ida,8
06.04.2027,18:00,19:30,Sanftes Yoga,Ida,8
"""
HEADLESS = """2027-04-05 18:00,2027-04-05 19:00,Flow
2027-04-06 18:00,2027-04-06 19:00,Flow
"""


def the_form(visitor: Visitor) -> Form:
    assert visitor.page is not None
    [form] = [one for one in forms_of(visitor.page) if one.method == "post" and not one.action]
    return form


def chosen(visitor: Visitor) -> dict[str, str]:
    """What the selects of the page stand at."""
    return {
        name.removeprefix("columns."): values[0]
        for name, values in the_form(visitor).fields.items()
        if name.startswith("columns.") and values[0]
    }


async def test_the_columns_are_guessed_corrected_and_read(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, FOREIGN)
    assert owner.path.endswith("/columns")
    assert "wieviele" in owner.text
    assert owner.text.count("Sanftes Yoga") >= 2
    assert chosen(owner) == {"date": "0", "start": "1", "end": "2", "title": "3"}
    await owner.submit({"columns.capacity": "5", "columns.performer": "4"}, to=owner.path)
    assert "Publish 2 sessions" in owner.text
    assert "Add 1 person whom you do not have yet" in owner.text
    await owner.submit({"default_capacity": "3", "add_performers": "on"}, to=owner.path)
    await owner.submit(to="/commit")
    first, _second = await stored(services, lotus)
    assert (first.title, first.capacity) == ("Sanftes Yoga", 8)
    assert first.ends_at - first.starts_at == timedelta(minutes=90)
    assert first.performer_id is not None


async def test_a_column_that_is_not_used_is_told_above_what_would_happen(
    owner: Visitor, path: str
) -> None:
    await upload(owner, path, "date,start,end,Pensum\n2027-04-05,18:00,19:00,12\n")
    assert "A column of the file is not used: Pensum" in owner.text
    rehearsal = owner.path
    await owner.open(f"{rehearsal}/columns")
    await owner.submit({"columns.capacity": "3"}, to=owner.path)
    assert owner.path == rehearsal
    assert "not used" not in owner.text


async def test_a_table_without_headings_loses_no_row(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, HEADLESS)
    assert the_form(owner).fields["headless"] == ["on"]
    assert chosen(owner) == {"starts_at": "0", "ends_at": "1", "title": "2"}
    await owner.submit(to=owner.path)
    await owner.submit(to="/commit")
    assert [session.title for session in await stored(services, lotus)] == ["Flow", "Flow"]


async def test_a_choice_without_day_start_or_end_comes_back_as_it_was(
    owner: Visitor, path: str
) -> None:
    await upload(owner, path, FOREIGN)
    bare = {"columns.date": "", "columns.start": "", "columns.end": "", "columns.location": "4"}
    await owner.submit(bare, to=owner.path, status=422)
    for sentence in ("has the day.", "has the start.", "has the end, or how long it lasts."):
        assert sentence in owner.text
    assert chosen(owner) == {"title": "3", "location": "4"}
    assert "Sanftes Yoga" in owner.text
    await owner.submit({"columns.date": "77", "columns.start": "x"}, to=owner.path, status=422)
    assert owner.text.count("Please choose one of the given ones.") == 2


@pytest.mark.slow
async def test_columns_that_were_found_can_be_chosen_otherwise(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    rows = ["date,start,end,title,note", "2027-04-05,18:00,19:00,A1,Flow"]
    await upload(owner, path, "\n".join(rows))
    rehearsal = owner.path
    await owner.open(f"{rehearsal}/columns")
    assert chosen(owner)["title"] == "3"
    looked_at = await owner.open(rehearsal)
    await owner.open(f"{rehearsal}/columns")
    await owner.submit({"columns.title": "4"}, to=owner.path)
    owner.page = looked_at
    await owner.submit(to="/commit")
    assert "Something has changed since" in owner.text
    await owner.submit(to="/commit")
    assert [session.title for session in await stored(services, lotus)] == ["Flow"]
    await owner.open(f"{rehearsal}/columns")
    assert owner.path.endswith("/sessions")


async def test_a_calendar_has_no_columns(owner: Visitor, path: str, client: AsyncClient) -> None:
    await upload(owner, path, "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n", "plan.ics")
    rehearsal = owner.path
    assert "/columns" not in owner.text
    await owner.open(f"{rehearsal}/columns")
    assert owner.path == rehearsal
