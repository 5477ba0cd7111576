"""The picture of a link, whatever its title is."""

import io

import pytest
from PIL import Image, ImageColor

from src.booking.share_picture import EDGE, HEIGHT, WIDTH, share_picture
from src.booking.views.sharing import Poster
from src.platform.web.theme import printed_accent

ACCENT = "#0f766e"


def drawn(title: str, *facts: str) -> Image.Image:
    poster = Poster(title=title, business="Lotus", facts=facts, accent=ACCENT)
    return Image.open(io.BytesIO(share_picture(poster))).convert("RGB")


@pytest.mark.parametrize(
    "title",
    [
        "Yoga",
        "A word " * 40,
        "Donaudampfschifffahrt" * 6,
        "",
        "\U0001f9d8 瑜伽",
        "\n\t",
    ],
    ids=["short", "long", "one word", "empty", "not in the font", "blank"],
)
def test_nothing_is_drawn_over_the_edge(title: str) -> None:
    with drawn(title, "€15.00 " * 30, "Next: Tue 1 Dec, 18:00") as picture:
        assert picture.size == (WIDTH, HEIGHT)
        ground = ImageColor.getrgb(printed_accent(ACCENT)[0])
        rims = (
            (0, 0, WIDTH, EDGE // 2),
            (0, HEIGHT - EDGE // 2, WIDTH, HEIGHT),
            (0, 0, EDGE - 8, HEIGHT),
            (WIDTH - EDGE + 8, 0, WIDTH, HEIGHT),
        )
        for rim in rims:
            assert picture.crop(rim).getcolors() == [
                ((rim[2] - rim[0]) * (rim[3] - rim[1]), ground)
            ], rim


def test_letters_that_the_font_has_not_are_left_out() -> None:
    with drawn("Yoga") as plain, drawn("Yoga \U0001f9d8") as with_more:
        assert plain.tobytes() == with_more.tobytes()


def test_another_title_is_another_picture() -> None:
    with drawn("Yoga") as one, drawn("Yogi") as other:
        assert one.tobytes() != other.tobytes()
