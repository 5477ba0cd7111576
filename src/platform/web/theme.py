"""A business's one colour, made fit to be read on: variables for the light and the dark theme.

The owner picks any colour; what is shown keeps its hue and moves only as far in lightness as
WCAG 2.2 AA asks for. All of it is OKLCH arithmetic (Ottosson, "A perceptual color space for image
processing", 2020), in which a change of lightness leaves the hue as it looks.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from math import atan2, cos, hypot, sin

TEXT_CONTRAST = 4.5
# From here on white is preferred, and the accent darkened the little that is missing.
NEARLY_ENOUGH_FOR_WHITE = 3.5
# More than AA asks for: a mark's soft ground is brighter than the shades of a dark page.
TEXT_CONTRAST_DARK = 4.75
FILL_CONTRAST_LIGHT = 1.35
FILL_CONTRAST_DARK = 3.0
# Raised when the arithmetic changes, so that browsers fetch the stylesheet anew.
REVISION = 3

LIGHT_INK = "#ffffff"
DARK_INK = "#050505"

Rgb = tuple[float, float, float]

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Surface:
    """What lies behind the accent in one theme: the page, and its shade nearest to the text."""

    page: str
    farthest: str
    fill_contrast: float
    text_contrast: float
    lightens: bool


# The base colours of assets/css/app.css as sRGB; a test holds the two together.
LIGHT = Surface("#ffffff", "#eaeff1", FILL_CONTRAST_LIGHT, TEXT_CONTRAST, lightens=False)
DARK = Surface("#11181d", "#1e262c", FILL_CONTRAST_DARK, TEXT_CONTRAST_DARK, lightens=True)


def accent_css(accent_hex: str) -> str:
    """The stylesheet that gives a page this accent in both themes: by what its reader likes, or by
    `data-theme` where the page has one.

    Buttons' text has at least 4.5:1 on the accent, and the accent as text 4.5:1 on every shade of
    the page. Raises: ValueError for anything but #rgb or #rrggbb.
    """
    light = _variables(accent_hex, LIGHT)
    dark = _variables(accent_hex, DARK)
    by_reader = f"@media (prefers-color-scheme:dark){{:root:not([data-theme]){{{dark}}}}}"
    return f":root{{{light}}}{by_reader}:root[data-theme=dark]{{{dark}}}\n"


def printed_accent(accent_hex: str) -> tuple[str, str]:
    """The accent as paper wears it, and the ink that is read on it."""
    return _fill(accent_hex, LIGHT)


def shown_accents(accent_hex: str) -> tuple[str, str]:
    """The accent as surfaces wear it on light and on dark pages, after the correction.

    Raises: ValueError for anything but #rgb or #rrggbb.
    """
    return _fill(accent_hex, LIGHT)[0], _fill(accent_hex, DARK)[0]


def theme_version(accent_hex: str) -> str:
    """Changes whenever `accent_css` of this colour would; for the `v=` of its address."""
    return sha256(f"{REVISION}{accent_hex.lower()}".encode()).hexdigest()[:10]


def is_accent(text: str) -> bool:
    """Whether `accent_css` takes this text."""
    return _HEX.fullmatch(text) is not None


def contrast(one_hex: str, other_hex: str) -> float:
    """The contrast ratio of WCAG 2.2 between two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one_hex), _luminance(other_hex)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _variables(accent_hex: str, surface: Surface) -> str:
    fill, ink = _fill(accent_hex, surface)
    text = _moved(accent_hex, surface.lightens, surface.farthest, surface.text_contrast)
    values = {"--color-primary": fill, "--color-primary-content": ink, "--brand-text": text}
    return ";".join(f"{name}:{value}" for name, value in values.items())


def _fill(accent_hex: str, surface: Surface) -> tuple[str, str]:
    """The accent as a surface that stands out from the page, and the ink for it."""
    fill = _moved(accent_hex, surface.lightens, surface.page, surface.fill_contrast)
    if contrast(fill, LIGHT_INK) >= NEARLY_ENOUGH_FOR_WHITE:
        return _moved(fill, False, LIGHT_INK, TEXT_CONTRAST), LIGHT_INK
    return fill, DARK_INK


def _moved(colour_hex: str, lightens: bool, against_hex: str, wanted: float) -> str:
    """The nearest lightness on the way to white (or black) with the wanted contrast."""
    if contrast(colour_hex, against_hex) >= wanted:
        return _normal(colour_hex)
    lightness, chroma, hue = _to_oklch(colour_hex)
    end = 1.0 if lightens else 0.0
    near, far = lightness, end
    for _ in range(18):
        middle = (near + far) / 2
        if contrast(_from_oklch(middle, chroma, hue), against_hex) >= wanted:
            far = middle
        else:
            near = middle
    return _from_oklch(far, chroma, hue)


def _normal(colour_hex: str) -> str:
    return _to_hex(_to_srgb(colour_hex))


def _to_srgb(colour_hex: str) -> Rgb:
    if not is_accent(colour_hex):
        raise ValueError(f"Not a colour: {colour_hex!r}")
    digits = colour_hex[1:]
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def _to_hex(srgb: Rgb) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in srgb)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _gamma(channel: float) -> float:
    if channel <= 0.0031308:
        return channel * 12.92
    return float(1.055 * channel ** (1 / 2.4) - 0.055)


def _luminance(colour_hex: str) -> float:
    red, green, blue = map(_linear, _to_srgb(colour_hex))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_oklch(colour_hex: str) -> tuple[float, float, float]:
    r, g, b = map(_linear, _to_srgb(colour_hex))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b_axis = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, hypot(a, b_axis), atan2(b_axis, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> str:
    """The colour in sRGB, with as much of its chroma as sRGB has at that lightness."""
    for step in range(21):
        linear = _oklch_to_linear(lightness, chroma * (1 - step / 20), hue)
        if all(-0.0005 <= channel <= 1.0005 for channel in linear):
            break
    red, green, blue = (_gamma(min(max(channel, 0.0), 1.0)) for channel in linear)
    return _to_hex((red, green, blue))


def _oklch_to_linear(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * cos(hue), chroma * sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
