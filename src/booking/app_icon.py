"""A business's mark on the home screen of a phone: its first letter on its colour."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from src.billing.voucher_pdf import FONTS
from src.platform.web.theme import printed_accent

SIZES = (180, 192, 512)
"""In pixels: as iOS, a home screen and a start screen want it."""
LETTER_SHARE = 0.5
_NO_LETTER = "\uffff"


@lru_cache(maxsize=256)
def app_icon(name: str, accent_hex: str, size: int) -> bytes:
    """A square PNG, its colour up to the edges: systems cut it round or in rounded corners, and
    the letter is well inside of what every one of them leaves.
    """
    ground, ink = printed_accent(accent_hex)
    picture = Image.new("RGB", (size, size), ground)
    draw = ImageDraw.Draw(picture)
    letter = name.strip()[:1].upper()
    if drawn_part(letter):
        large = font(round(size * LETTER_SHARE))
        draw.text((size / 2, size / 2), letter, font=large, fill=ink, anchor="mm")
    else:
        _draw_seats(draw, size, ink)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def drawn_part(text: str) -> str:
    """On one line, without the letters that the font has not: they are drawn as empty boxes."""
    return " ".join("".join(one for one in text if one.isspace() or _is_drawn(one)).split())


@lru_cache(maxsize=4096)
def _is_drawn(letter: str) -> bool:
    small = font(32)
    return bytes(small.getmask(letter)) not in (b"", bytes(small.getmask(_NO_LETTER)))


@lru_cache(maxsize=16)
def font(size: int, *, bold: bool = True) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold" if bold else "DejaVuSans"
    return ImageFont.truetype(FONTS / f"{name}.ttf", size)


def _draw_seats(draw: ImageDraw.ImageDraw, size: int, ink: str) -> None:
    """Three places in a row, as in the program's own mark."""
    middle, radius = size * 0.47, size * 0.075
    for place in (0.3, 0.5, 0.7):
        across = size * place
        draw.ellipse((across - radius, middle - radius, across + radius, middle + radius), fill=ink)
    draw.rectangle((size * 0.22, size * 0.61, size * 0.78, size * 0.66), fill=ink)
