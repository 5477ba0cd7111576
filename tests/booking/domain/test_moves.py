"""What guests have to hear of, and who may leave because of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.moves import (
    Facet,
    Said,
    clocks_change_between,
    may_leave_free_because_moved,
    place_line,
    what_differs,
)
from src.booking.said import was_words

AT = datetime(2027, 3, 8, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def said(**more: Any) -> Said:
    values: dict[str, Any] = {
        "starts_at": AT,
        "ends_at": AT + HOUR,
        "timezone": "Europe/Amsterdam",
        "title": "Basics",
        "mode": "in_person",
        "place": "Studio 1",
        "meeting_url": "",
    }
    return Said(**values | more)


@pytest.mark.parametrize(
    ("more", "facets", "words"),
    [
        ({}, (), ""),
        ({"timezone": "Europe/London"}, (), ""),
        ({"title": "More"}, (Facet.TITLE,), "Basics"),
        ({"place": ""}, (Facet.PLACE,), "Studio 1"),
        ({"mode": "online", "place": ""}, (Facet.PLACE,), "Studio 1"),
        ({"meeting_url": "https://meet.example"}, (Facet.LINK,), "no link to join"),
        (
            {"ends_at": AT + 2 * HOUR, "title": "More"},
            (Facet.TIME, Facet.TITLE),
            "Mon, Mar 8, 2027, 6:00\u202fPM\N{EN DASH}7:00\u202fPM · Basics",
        ),
        (
            {"starts_at": AT - HOUR, "timezone": "Europe/London"},
            (Facet.TIME,),
            "Mon, Mar 8, 2027, 6:00\u202fPM\N{EN DASH}7:00\u202fPM (Europe/Amsterdam)",
        ),
    ],
)
def test_just_what_differs_is_news(more: Any, facets: tuple[Facet, ...], words: str) -> None:
    assert what_differs(said(), said(**more)) == facets
    assert was_words(said(), said(**more)) == words


def test_what_was_empty_has_a_word_too() -> None:
    assert was_words(said(title=""), said()) == "no title"
    assert was_words(said(place="", mode="online"), said()) == "online"
    assert was_words(said(place=""), said()) == "no place given"


@pytest.mark.parametrize(
    ("sold", "moved", "free"), [(0, 0, False), (0, 1, True), (1, 1, False), (2, 1, False)]
)
def test_only_a_move_after_the_sale_is_a_way_out(sold: int, moved: int, free: bool) -> None:
    assert may_leave_free_because_moved(sold, moved, is_marked=False) is free
    assert may_leave_free_because_moved(sold, moved, is_marked=True)


def test_the_clocks_change_over_the_last_sunday_of_march() -> None:
    assert clocks_change_between(AT, AT + timedelta(days=21), AMSTERDAM)
    assert not clocks_change_between(AT, AT + timedelta(days=19), AMSTERDAM)


def test_a_place_is_one_line() -> None:
    assert place_line("Studio 1", "Canal 4") == "Studio 1, Canal 4"
    assert place_line("Studio 1", "") == "Studio 1"
    assert place_line(None, None) == ""
