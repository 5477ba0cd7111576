"""The picture that a link shows where it is sent: title, price and next date on the business's
colour.
"""

import io
from collections.abc import Iterator
from functools import lru_cache

from PIL import Image, ImageDraw

from src.booking.app_icon import drawn_part, font
from src.booking.views.sharing import Poster
from src.platform.web.theme import printed_accent

WIDTH, HEIGHT = 1200, 630
"""As Open Graph's readers want it."""
EDGE = 72
TITLE_SIZES = (100, 80, 62)
MOST_TITLE_LINES = 3
FACT_SIZE, BUSINESS_SIZE = 42, 38
RULE, LINE = HEIGHT - EDGE - 78, 3
"""Where the line above the business's name is, and how thick."""
_LEADING = 1.2


@lru_cache(maxsize=256)
def share_picture(poster: Poster) -> bytes:
    """A PNG. Letters that the font has not are left out."""
    ground, ink = printed_accent(poster.accent)
    picture = Image.new("RGB", (WIDTH, HEIGHT), ground)
    draw = ImageDraw.Draw(picture)
    width = WIDTH - 2 * EDGE
    facts_height = round(FACT_SIZE * (0.4 + _LEADING * len(poster.facts)))
    size, lines = _fitted(drawn_part(poster.title), width, RULE - facts_height)
    top = _top(size)
    for line in lines:
        draw.text((EDGE, top), line, font=font(size), fill=ink)
        top += round(size * _LEADING)
    top += round(FACT_SIZE * 0.4)
    for fact in poster.facts:
        line = _cut(drawn_part(fact), FACT_SIZE, width)
        draw.text((EDGE, top), line, font=font(FACT_SIZE, bold=False), fill=ink)
        top += round(FACT_SIZE * _LEADING)
    foot = HEIGHT - EDGE
    name = _cut(drawn_part(poster.business), BUSINESS_SIZE, width)
    draw.rectangle((EDGE, RULE, WIDTH - EDGE, RULE + LINE), fill=ink)
    draw.text((EDGE, foot), name, font=font(BUSINESS_SIZE), fill=ink, anchor="ls")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _top(size: int) -> int:
    """Of a title at that size: letters begin a little below the top of their line."""
    return EDGE - round(size * 0.1)


def _fitted(title: str, width: int, bottom: int) -> tuple[int, list[str]]:
    """As large as it goes on few lines above `bottom` with all its words whole; what does not go on
    them at the smallest size is cut.
    """
    for size in TITLE_SIZES:
        lines = list(_wrapped(title, size, width))
        goes = _top(size) + len(lines) * round(size * _LEADING) <= bottom
        is_whole = all(font(size).getlength(word) <= width for word in title.split())
        if goes and is_whole and len(lines) <= MOST_TITLE_LINES:
            return size, lines
    kept = lines[:MOST_TITLE_LINES]
    if len(lines) > len(kept):
        kept[-1] = _cut(f"{kept[-1]}…", size, width)
    return size, kept


def _wrapped(text: str, size: int, width: int) -> Iterator[str]:
    """Lines between words; a word that is longer than a line is cut."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font(size).getlength(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        line = _cut(word, size, width)
    if line:
        yield line


def _cut(text: str, size: int, width: int) -> str:
    """The text, or as much of it as fits with the sign that it goes on."""
    if font(size).getlength(text) <= width:
        return text
    kept = text.rstrip("…")
    while kept and font(size).getlength(f"{kept}…") > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"
