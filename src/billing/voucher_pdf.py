"""A voucher as a page to print: A4, in the business's colour, with a code for phones.

This module and the one that draws signatures know the library, and nothing else does. Its fonts
come with the program, since those that every reader of PDF has know western letters alone.
"""

import io
from functools import lru_cache
from pathlib import Path

import msgspec
import segno
from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from src.platform.i18n import _

FONTS = Path(__file__).resolve().parent / "fonts"
REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
INK, MUTED, LINE = HexColor("#1f1e1b"), HexColor("#5c5b57"), HexColor("#d8d7d2")
WIDTH, HEIGHT = A4
EDGE = 20 * mm
CARD_TOP, CARD_HEIGHT = HEIGHT - EDGE, 138 * mm
BAND = 26 * mm
QR_SIZE = 40 * mm
MOST_MESSAGE_LINES = 9


class VoucherSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on it, in words of the reader's language; empty words are left out."""

    business: str
    color: str
    ink: str
    amount: str
    code: str
    expires: str
    recipient: str
    message: str
    words: str
    address: str
    contact: str


def voucher_pdf(sheet: VoucherSheet) -> bytes:
    """One page, the same bytes for the same sheet."""
    register_fonts()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True, lang="")
    canvas.setTitle(_("Voucher of %(business)s", business=sheet.business))
    canvas.setAuthor(sheet.business)
    _card(canvas, sheet)
    _band(canvas, sheet)
    _left(canvas, sheet)
    _right(canvas, sheet)
    _below(canvas, sheet)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@lru_cache(maxsize=1)
def register_fonts() -> None:
    """Once; everything that is drawn with them comes after it."""
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))


def _card(canvas: Canvas, sheet: VoucherSheet) -> None:
    canvas.setStrokeColor(LINE)
    canvas.setFillColor(white)
    canvas.roundRect(EDGE, CARD_TOP - CARD_HEIGHT, WIDTH - 2 * EDGE, CARD_HEIGHT, 4 * mm, 1, 1)


def _band(canvas: Canvas, sheet: VoucherSheet) -> None:
    """The business's name on its colour; the card's round corners stay round."""
    canvas.saveState()
    corner = canvas.beginPath()
    corner.roundRect(EDGE, CARD_TOP - CARD_HEIGHT, WIDTH - 2 * EDGE, CARD_HEIGHT, 4 * mm)
    canvas.clipPath(corner, stroke=0, fill=0)
    canvas.setFillColor(HexColor(sheet.color))
    canvas.rect(EDGE, CARD_TOP - BAND, WIDTH - 2 * EDGE, BAND, stroke=0, fill=1)
    canvas.restoreState()
    canvas.setFillColor(HexColor(sheet.ink))
    room = WIDTH - 2 * EDGE - 20 * mm
    size = _size_that_fits(sheet.business, BOLD, 22, room)
    canvas.setFont(BOLD, size)
    canvas.drawString(EDGE + 10 * mm, CARD_TOP - BAND / 2 - size * 0.35, sheet.business)


def _left(canvas: Canvas, sheet: VoucherSheet) -> None:
    """What it is worth, for whom, and what was wished with it."""
    x, y, room = EDGE + 10 * mm, CARD_TOP - BAND - 14 * mm, 100 * mm
    canvas.setFillColor(MUTED)
    canvas.setFont(REGULAR, 12)
    canvas.drawString(x, y, _("Gift voucher for"))
    y -= 15 * mm
    canvas.setFillColor(INK)
    size = _size_that_fits(sheet.amount, BOLD, 40, room)
    canvas.setFont(BOLD, size)
    canvas.drawString(x, y, sheet.amount)
    if sheet.recipient:
        y -= 12 * mm
        named = _("For %(name)s", name=sheet.recipient)
        canvas.setFont(BOLD, _size_that_fits(named, BOLD, 14, room))
        canvas.drawString(x, y, named)
    y -= 8 * mm
    canvas.setFont(REGULAR, 11)
    for line in lines_that_fit(sheet.message, REGULAR, 11, room)[:MOST_MESSAGE_LINES]:
        canvas.drawString(x, y, line)
        y -= 5.4 * mm


def _right(canvas: Canvas, sheet: VoucherSheet) -> None:
    """The picture that leads to what is left on it."""
    x, y = WIDTH - EDGE - 10 * mm - QR_SIZE, CARD_TOP - BAND - 10 * mm - QR_SIZE
    _qr(canvas, sheet.address, x, y)
    canvas.setFillColor(MUTED)
    canvas.setFont(REGULAR, 8)
    y -= 4 * mm
    for line in lines_that_fit(_("Scan to see what is left on it"), REGULAR, 8, QR_SIZE):
        canvas.drawCentredString(x + QR_SIZE / 2, y, line)
        y -= 3.6 * mm


def _qr(canvas: Canvas, address: str, x: float, y: float) -> None:
    """Drawn as squares: sharp at any size, and no picture has to be read."""
    code = segno.make(address, error="m", micro=False)
    rows = [list(row) for row in code.matrix]
    side = QR_SIZE / len(rows)
    canvas.setFillColor(HexColor("#000000"))
    for down, row in enumerate(rows):
        for across, is_dark in enumerate(row):
            if is_dark:
                canvas.rect(
                    x + across * side,
                    y + QR_SIZE - (down + 1) * side,
                    side * 1.02,
                    side * 1.02,
                    stroke=0,
                    fill=1,
                )


def _below(canvas: Canvas, sheet: VoucherSheet) -> None:
    """The code and until when it is good, on the card; how it is used, below it."""
    x, foot = EDGE + 10 * mm, CARD_TOP - CARD_HEIGHT
    canvas.setStrokeColor(LINE)
    canvas.line(x, foot + 25 * mm, WIDTH - EDGE - 10 * mm, foot + 25 * mm)
    canvas.setFillColor(MUTED)
    canvas.setFont(REGULAR, 9)
    canvas.drawString(x, foot + 18 * mm, _("Code"))
    canvas.drawRightString(WIDTH - EDGE - 10 * mm, foot + 18 * mm, sheet.expires)
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, 17)
    canvas.drawString(x, foot + 9 * mm, sheet.code)
    y = foot - 12 * mm
    canvas.setFillColor(INK)
    used = _("Type the code when you book, where it says “Coupon or voucher code”.")
    canvas.setFont(REGULAR, 10)
    for words in filter(None, (used, sheet.words, sheet.contact)):
        for line in lines_that_fit(words, REGULAR, 10, WIDTH - 2 * EDGE):
            canvas.drawString(EDGE, y, line)
            y -= 5 * mm
        y -= 2.5 * mm


def lines_that_fit(words: str, font: str, size: float, room: float) -> list[str]:
    """What was written, in lines that fit; a word that is too long for one is cut."""
    found: list[str] = []
    for paragraph in words.splitlines():
        for line in simpleSplit(paragraph, font, size, room) or [""]:
            found += _cut(line, font, size, room)
    return found


def _cut(line: str, font: str, size: float, room: float) -> list[str]:
    parts = [""]
    for letter in line:
        if pdfmetrics.stringWidth(parts[-1] + letter, font, size) > room and parts[-1]:
            parts.append("")
        parts[-1] += letter
    return parts


def _size_that_fits(words: str, font: str, size: float, room: float) -> float:
    wide = pdfmetrics.stringWidth(words, font, size)
    return size if wide <= room else max(size * room / wide, 6)
