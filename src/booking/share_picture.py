"""The picture that a link shows where it is sent: title, price and next date on the business's
colour.
"""

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from src.booking.app_icon import drawn_part, font
from src.booking.views.sharing import Poster
from src.platform.web.theme import printed_accent

WIDTH, HEIGHT = 1200, 630
"""As Open Graph's readers want it."""
EDGE = 72
ROOM = WIDTH - 2 * EDGE
"""What is between the edges."""
TITLE_SIZES = (100, 80, 62)
MOST_TITLE_LINES, MOST_FACT_LINES = 3, 2
FACT_SIZE, BUSINESS_SIZE = 42, 38
RULE, LINE = HEIGHT - EDGE - 78, 3
"""Where the line above the business's name is, and how thick."""
_LEADING = 1.2
_NO_ENDS = " .,;:·–…"


@lru_cache(maxsize=256)
def share_picture(poster: Poster) -> bytes:
    """A PNG. Letters that the font has not are left out."""
    ground, ink = printed_accent(poster.accent)
    picture = Image.new("RGB", (WIDTH, HEIGHT), ground)
    draw = ImageDraw.Draw(picture)
    size, lines, facts = _laid_out(poster)
    top = _top(size)
    for line in lines:
        draw.text((EDGE, top), line, font=font(size), fill=ink)
        top += round(size * _LEADING)
    top += round(FACT_SIZE * 0.4)
    for fact in facts:
        draw.text((EDGE, top), fact, font=font(FACT_SIZE, bold=False), fill=ink)
        top += round(FACT_SIZE * _LEADING)
    name = _cut(drawn_part(poster.business), font(BUSINESS_SIZE))
    draw.rectangle((EDGE, RULE, WIDTH - EDGE, RULE + LINE), fill=ink)
    draw.text((EDGE, HEIGHT - EDGE), name, font=font(BUSINESS_SIZE), fill=ink, anchor="ls")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _laid_out(poster: Poster) -> tuple[int, list[str], list[str]]:
    """Size and lines of the title, and the lines below it: what needs two of them is cut to one
    only where the title leaves no room.
    """
    title = drawn_part(poster.title)
    for most in range(MOST_FACT_LINES, 0, -1):
        facts = [line for fact in poster.facts for line in _fact(drawn_part(fact), most)]
        bottom = RULE - round(FACT_SIZE * (0.4 + _LEADING * len(facts)))
        size, lines = _fitted(title, bottom)
        if _goes(lines, size, bottom):
            break
    return size, lines, facts


def _top(size: int) -> int:
    """Of a title at that size: letters begin a little below the top of their line."""
    return EDGE - round(size * 0.1)


def _goes(lines: Sequence[str], size: int, bottom: int) -> bool:
    return _top(size) + len(lines) * round(size * _LEADING) <= bottom


def _fitted(title: str, bottom: int) -> tuple[int, list[str]]:
    """As large as it goes on few lines above `bottom` with all its words whole; what does not go on
    them at the smallest size is cut.
    """
    for size in TITLE_SIZES:
        face = font(size)
        lines = list(_wrapped(title, face))
        is_whole = all(face.getlength(word) <= ROOM for word in title.split())
        if _goes(lines, size, bottom) and is_whole and len(lines) <= MOST_TITLE_LINES:
            return size, lines
    return size, _first(lines, MOST_TITLE_LINES, face)


def _fact(text: str, most: int) -> list[str]:
    face = font(FACT_SIZE, bold=False)
    return _first(list(_wrapped(text, face)), most, face)


def _first(lines: list[str], most: int, face: ImageFont.FreeTypeFont) -> list[str]:
    """As many of them; where there are more, the last ends with the sign of it, after a word."""
    kept = lines[:most]
    if len(lines) > len(kept):
        last = kept[-1]
        while " " in last and face.getlength(f"{last}…") > ROOM:
            last = last.rpartition(" ")[0]
        kept[-1] = _cut(f"{last.rstrip(_NO_ENDS)}…", face)
    return kept


def _wrapped(text: str, face: ImageFont.FreeTypeFont) -> Iterator[str]:
    """Lines between words; a word that is longer than a line is cut."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if face.getlength(longer) <= ROOM:
            line = longer
            continue
        if line:
            yield line
        line = _cut(word, face)
    if line:
        yield line


def _cut(text: str, face: ImageFont.FreeTypeFont) -> str:
    """The text, or as much of it as fits with the sign that it goes on."""
    if face.getlength(text) <= ROOM:
        return text
    kept = text.rstrip("…")
    while kept and face.getlength(f"{kept}…") > ROOM:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"
