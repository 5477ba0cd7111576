"""A business's mark on a home screen."""

import pytest

from src.booking.app_icon import SIZES, app_icon

GREEN = "#12a150"


def test_it_shows_the_first_letter() -> None:
    assert app_icon("Lotus", GREEN, 192) == app_icon(" lagoon", GREEN, 192)
    assert app_icon("Lotus", GREEN, 192) != app_icon("Kite", GREEN, 192)


@pytest.mark.parametrize("name", ["瑜伽", "🧘", "", "   "])
def test_what_the_font_has_not_becomes_the_programs_own_mark(name: str) -> None:
    assert app_icon(name, GREEN, 192) == app_icon("\uffff", GREEN, 192)


@pytest.mark.parametrize("size", SIZES)
def test_it_is_light_enough_for_a_phone(size: int) -> None:
    assert len(app_icon("Lotus", GREEN, size)) < 12_000
