"""A rehearsal opens on the first list that has rows, and says why nothing would be created."""

import re

import pytest

from src.platform.services import Services
from tests.booking.commands.places import a_room
from tests.booking.web.test_imports import CALENDAR, lotus, owner, path, upload
from tests.support.builders import Business
from tests.support.visitor import Visitor

__all__ = ["lotus", "owner", "path"]

pytestmark = pytest.mark.anyio

CROWDS = """date,start,end,title,capacity,location,instructor
2027-04-05,18:00,19:00,Crowd,12,Studio 1,
2027-04-06,18:00,19:00,Crowd,12,Studio 1,
2027-04-07,25:00,26:00,Broken,12,Studio 1,
"""


def list_shown(visitor: Visitor) -> str:
    """The list that is open, by its tab."""
    found = re.search(
        r'aria-current="[a-z]+"[^>]*>\s*([^<]+?)\s*<', visitor.text.partition("Rows of the file")[2]
    )
    assert found is not None
    return found[1]


async def test_it_opens_on_the_first_list_that_has_rows(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await a_room(services.uow_factory, lotus, "Studio 1", room_capacity=10)
    await upload(owner, path, CROWDS)
    assert list_shown(owner) == "Clash"
    assert owner.text.count("Studio 1 has room for 10 people.") == 2
    assert "Nothing in this file would be created: 2 rows clash, 1 row is refused." in owner.text
    rehearsal = owner.path
    await owner.open(f"{rehearsal}?show=create")
    assert list_shown(owner) == "Would be created", "whoever asks for it sees that it is empty"
    await owner.open(rehearsal)
    await owner.submit({"default_capacity": "8"}, to=rehearsal)
    assert list_shown(owner) == "Clash"
    await upload(owner, path, CROWDS.replace(",12,", ",9,"))
    assert list_shown(owner) == "Would be created"
    assert "Nothing in this file" not in owner.text


async def test_where_all_is_there_already_that_is_what_is_shown(owner: Visitor, path: str) -> None:
    await upload(owner, path, CALENDAR, "plan.ics", default_capacity=7)
    await owner.submit(to="/commit")
    await upload(owner, path, CALENDAR, "plan.ics")
    assert list_shown(owner) == "There already"
    assert owner.text.count("Yin") == 4
    assert "Nothing in this file would be created: 4 rows are there already." in owner.text


async def test_what_was_unticked_stays_where_it_can_be_ticked_again(
    owner: Visitor, path: str
) -> None:
    await upload(owner, path, CALENDAR, "plan.ics")
    await owner.submit({"ticked": []}, to=owner.path)
    assert list_shown(owner) == "Would be created"
    assert owner.text.count("Left out") == 4
    assert "Nothing in this file would be created: 4 rows are not ticked." in owner.text
