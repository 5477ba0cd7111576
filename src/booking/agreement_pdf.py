"""A signature as pages to print and to keep: the text as it was signed, by whom, when and how."""

import io
from datetime import UTC

import msgspec
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from src.billing.voucher_pdf import (
    BOLD,
    INK,
    LINE,
    MUTED,
    REGULAR,
    lines_that_fit,
    register_fonts,
)
from src.booking.agreement_words import how_signed
from src.booking.queries.agreement_pages import SignatureFacts
from src.platform.i18n import _
from src.platform.mail.queue import Attachment
from src.platform.web.formats import date_medium, datetime_local
from src.tenants.context import TenantSnapshot

WIDTH, HEIGHT = A4
EDGE = 22 * mm
ROOM = WIDTH - 2 * EDGE
FOOT = 24 * mm
LABEL = 42 * mm


class _Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the pages; `facts` are names and values below the text."""

    business: str
    title: str
    version: str
    text: str
    signed: str
    facts: list[tuple[str, str]]


def signature_file(found: SignatureFacts, tenant: TenantSnapshot, *, is_own: bool) -> Attachment:
    """In the current language; the same bytes for the same signature. `is_own`: for whoever signed,
    without what the business keeps of their connection.
    """
    row = found.row
    facts = signature_facts(found, tenant, is_own=is_own)
    sheet = _Sheet(
        business=tenant.name,
        title=row.title,
        version=_(
            "Version %(number)s of %(day)s",
            number=row.number,
            day=date_medium(found.published_at, tenant.zone),
        ),
        text=found.text,
        signed=row.name,
        facts=facts,
    )
    return Attachment(
        filename=f"signature-{row.id.hex[-8:]}.pdf",
        content_type="application/pdf",
        content=_draw(sheet),
    )


def signature_facts(
    found: SignatureFacts, tenant: TenantSnapshot, *, is_own: bool
) -> list[tuple[str, str]]:
    """What is known of it, each by its name, in the order in which it is read."""
    row = found.row
    at = f"{datetime_local(row.signed_at, tenant.zone)} ({tenant.zone_name})"
    facts = [
        (_("Signed as"), row.name or _("erased")),
        (_("E-mail"), row.email),
        (_("Signed on"), at),
        (_("Moment in UTC"), f"{row.signed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"),
        (_("How"), how_signed(row.how, is_proved=row.is_proved)),
        (_("Order"), row.reference),
    ]
    if not is_own:
        facts += [(_("Network address"), found.address), (_("Browser"), found.browser)]
    facts.append((_("Hash of the text (SHA-256)"), found.sha256))
    return [(name, value) for name, value in facts if value]


def _draw(sheet: _Sheet) -> bytes:
    register_fonts()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True, lang="")
    canvas.setTitle(sheet.title)
    canvas.setAuthor(sheet.business)
    pen = _Pen(canvas, sheet.business)
    pen.write(sheet.business, REGULAR, 10, MUTED)
    pen.skip(3 * mm)
    pen.write(sheet.title, BOLD, 18)
    pen.write(sheet.version, REGULAR, 10, MUTED)
    pen.skip(6 * mm)
    pen.write(sheet.text, REGULAR, 10.5)
    pen.skip(8 * mm)
    pen.rule()
    for name, value in sheet.facts:
        pen.fact(name, value)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


class _Pen:
    """Writes down the page, and goes on at the top of the next one."""

    def __init__(self, canvas: Canvas, business: str) -> None:
        self.canvas, self.business, self.y = canvas, business, HEIGHT - EDGE

    def write(self, words: str, font: str, size: float, color: object = INK) -> None:
        for line in lines_that_fit(words, font, size, ROOM):
            self._line(EDGE, line, font, size, color)
            self.y -= size * 1.45

    def fact(self, name: str, value: str) -> None:
        lines = lines_that_fit(value, REGULAR, 9.5, ROOM - LABEL)
        names = lines_that_fit(name, REGULAR, 9.5, LABEL - 4 * mm)
        for at in range(max(len(lines), len(names))):
            self._room(9.5)
            if at < len(names):
                self._line(EDGE, names[at], REGULAR, 9.5, MUTED)
            if at < len(lines):
                self._line(EDGE + LABEL, lines[at], REGULAR, 9.5, INK)
            self.y -= 9.5 * 1.45
        self.y -= 1.5 * mm

    def skip(self, by: float) -> None:
        self.y -= by

    def rule(self) -> None:
        self._room(12)
        self.canvas.setStrokeColor(LINE)
        self.canvas.line(EDGE, self.y, WIDTH - EDGE, self.y)
        self.y -= 7 * mm

    def _line(self, x: float, line: str, font: str, size: float, color: object) -> None:
        self._room(size)
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(color)
        self.canvas.drawString(x, self.y - size, line)

    def _room(self, size: float) -> None:
        if self.y - size < FOOT:
            self.canvas.showPage()
            self.y = HEIGHT - EDGE
