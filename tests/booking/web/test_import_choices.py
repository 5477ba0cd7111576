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
