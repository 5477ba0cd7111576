import re
from math import cos, radians, sin
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.platform.web.theme import (
    DARK,
    LIGHT,
    accent_css,
    contrast,
    is_accent,
    shown_accents,
    theme_version,
)

APP_CSS = Path("assets/css/app.css").read_text(encoding="utf-8")
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def variables(css: str) -> tuple[dict[str, str], dict[str, str]]:
    """The variables of the light and of the dark theme."""
    pairs = re.findall(r"(--[a-z-]+):(#[0-9a-f]{6})", css)
    return dict(pairs[:3]), dict(pairs[3:])


@given(colours)
def test_any_colour_becomes_readable_in_both_themes(colour: str) -> None:
    for theme, surface in zip(variables(accent_css(colour)), (LIGHT, DARK), strict=True):
        assert contrast(theme["--color-primary"], theme["--color-primary-content"]) >= 4.5
        assert contrast(theme["--brand-text"], surface.page) >= 4.5
        assert contrast(theme["--brand-text"], surface.farthest) >= surface.text_contrast
        assert contrast(theme["--color-primary"], surface.page) >= surface.fill_contrast


@given(colours)
def test_nothing_but_colours_gets_into_the_stylesheet(colour: str) -> None:
    assert re.fullmatch(r"[-:;{}()\[\]=@#a-z0-9 ]+\n", accent_css(colour))


def test_a_page_that_says_whether_it_is_dark_has_the_accent_of_that() -> None:
    rules = re.findall(r"(:root[^{]*){([^}]*)}", accent_css("#ffe600"))
    assert [selector for selector, _values in rules] == [
        ":root",
        ":root:not([data-theme])",
        ":root[data-theme=dark]",
    ]
    light, by_reader, dark = (values for _selector, values in rules)
    assert light != by_reader == dark


def test_a_colour_that_is_readable_stays_as_it_is() -> None:
    light, dark = variables(accent_css("#2560E0"))
    assert light["--color-primary"] == light["--brand-text"] == "#2560e0"
    assert dark["--color-primary"] == "#2560e0"


def test_a_pale_colour_darkens_only_as_text() -> None:
    light, _dark = variables(accent_css("#f97316"))
    assert light["--color-primary"] == "#f97316"
    assert light["--color-primary-content"] == "#050505"
    assert contrast(light["--brand-text"], LIGHT.farthest) == pytest.approx(4.5, abs=0.1)


def test_white_is_the_ink_where_little_is_missing() -> None:
    light, _dark = variables(accent_css("#f00"))
    assert light["--color-primary-content"] == "#ffffff"
    assert light["--color-primary"] == "#ee0100"


def test_what_is_shown_is_said_in_words_too() -> None:
    light, dark = variables(accent_css("#ffe600"))
    assert shown_accents("#ffe600") == (light["--color-primary"], dark["--color-primary"])


def test_short_form_is_the_same_colour() -> None:
    assert accent_css("#1a8") == accent_css("#11AA88")


@pytest.mark.parametrize("text", ["", "red", "#12", "#12345", "#1234567", "#12345g", "#fff;}a{"])
def test_anything_else_is_refused(text: str) -> None:
    assert not is_accent(text)
    with pytest.raises(ValueError, match="Not a colour"):
        accent_css(text)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#abcdef", "#abcdef", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(one, other) == contrast(other, one)


def test_the_version_follows_the_colour() -> None:
    assert theme_version("#12a150") == theme_version("#12A150") != theme_version("#12a151")


def oklch_in_css(name: str) -> list[tuple[float, float, float]]:
    found = re.findall(rf"{name}: oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", APP_CSS)
    return [(float(lightness), float(chroma), float(hue)) for lightness, chroma, hue in found]


def luminance_of_oklch(colour: tuple[float, float, float]) -> float:
    """Y straight from the published matrices, so that theme.py is not checked with itself."""
    lightness, chroma, hue = colour
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return -0.0405801784 * long + 1.1122568696 * medium - 0.0716766787 * short


def contrast_with_black(colour_hex: str) -> float:
    return contrast(colour_hex, "#000000")


@pytest.mark.parametrize(("at", "surface"), [(0, LIGHT), (1, DARK)])
def test_surfaces_are_those_of_the_stylesheet(at: int, surface: object) -> None:
    page, farthest = (oklch_in_css(f"--color-base-{number}")[at] for number in (100, 300))
    assert isinstance(surface, type(LIGHT))
    for hex_value, oklch in ((surface.page, page), (surface.farthest, farthest)):
        expected = (luminance_of_oklch(oklch) + 0.05) / 0.05
        assert contrast_with_black(hex_value) == pytest.approx(expected, rel=0.02)
