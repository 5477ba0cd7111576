"""The picture of a link, whatever its title is."""

import io

import pytest
from PIL import Image, ImageColor

from src.booking.share_picture import EDGE, HEIGHT, LINE, RULE, WIDTH, share_picture
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
        "Pregnancy yoga with Anna · Monday mornings",
        "Pilates for everybody who sits all day long at work",
        "A word " * 40,
        "Donaudampfschifffahrt" * 6,
        "",
        "\U0001f9d8 瑜伽",
        "\n\t",
    ],
    ids=[
        "short",
        "three lines",
        "more lines",
        "long",
        "one word",
        "empty",
        "not in the font",
        "blank",
    ],
)
def test_nothing_is_drawn_over_the_edge_or_another_part(title: str) -> None:
    with drawn(title, "€15.00 " * 30, "Next: Tue 1 Dec, 18:00") as picture:
        assert picture.size == (WIDTH, HEIGHT)
        ground = ImageColor.getrgb(printed_accent(ACCENT)[0])
        free = (
            (0, 0, WIDTH, EDGE // 2),
            (0, HEIGHT - EDGE // 2, WIDTH, HEIGHT),
            (0, 0, EDGE - 8, HEIGHT),
            (WIDTH - EDGE + 8, 0, WIDTH, HEIGHT),
            (0, RULE - 4, WIDTH, RULE),
            (0, RULE + LINE + 1, WIDTH, RULE + 30),
        )
        for part in free:
            assert picture.crop(part).getcolors() == [
                ((part[2] - part[0]) * (part[3] - part[1]), ground)
            ], part


def test_what_is_said_below_the_title_goes_on_in_a_second_line() -> None:
    said = "Small classes above the canal. Come as you are, for all that you need is here"
    with drawn("Yoga", f"{said} on top") as one, drawn("Yoga", f"{said} on tap") as other:
        assert one.tobytes() != other.tobytes()


def test_a_long_title_leaves_it_one_line() -> None:
    title = "Pilates for everybody who sits all day long at work and then some more words"
    said = "Small classes above the canal. Come as you are, for all that you need is here"
    facts = ("€15.00 a date", "Next: Tue 1 Dec, 18:00")
    with drawn(title, said, *facts) as one, drawn(title, f"{said} now", *facts) as other:
        assert one.tobytes() == other.tobytes()


def test_a_long_word_is_drawn_smaller_before_it_is_cut() -> None:
    with drawn("Schwangerschaftsyoga") as one, drawn("Schwangerschaftsyogi") as other:
        assert one.tobytes() != other.tobytes()


def test_letters_that_the_font_has_not_are_left_out() -> None:
    with drawn("Yoga") as plain, drawn("Yoga \U0001f9d8") as with_more:
        assert plain.tobytes() == with_more.tobytes()


def test_another_title_is_another_picture() -> None:
    with drawn("Yoga") as one, drawn("Yogi") as other:
        assert one.tobytes() != other.tobytes()
