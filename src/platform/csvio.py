"""The only writer of CSV files, and the reader that copes with what spreadsheets save.

A cell that a spreadsheet would run as a formula is written with an apostrophe before it, so that a
guest who calls himself `=HYPERLINK(...)` harms nobody who opens the export.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

CONTENT_TYPE = "text/csv; charset=utf-8"

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# A sign and digits are a number and nothing more, as every stored phone number is.
_PHONE = re.compile(r"\+[0-9]{4,15}")
_DELIMITERS = (",", ";", "\t", "|")
_UNICODE_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LIKELY_ENCODINGS = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257"]

Cell = str | int | None


class UnreadableTextError(ValueError):
    """The bytes are not text in any encoding a spreadsheet saves."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """`number` is the line of the file the row begins at, the header's line being 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvTable:
    header: tuple[str, ...]
    rows: tuple[CsvRow, ...]
    delimiter: str
    encoding: str


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A UTF-8 file with a byte order mark and CRLF, which every spreadsheet opens unasked."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([_safe(cell) for cell in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _safe(cell: Cell) -> str:
    """Numbers stay numbers, negative ones too: only text can hide a formula."""
    if cell is None:
        return ""
    if isinstance(cell, int):
        return str(cell)
    starts_formula = cell.lstrip(" ").startswith(_FORMULA_STARTS) or cell.startswith("\n")
    if _PHONE.fullmatch(cell):
        return cell
    return f"'{cell}" if starts_formula else cell


def read_csv(content: bytes) -> CsvTable:
    """The table in the bytes: encoding and delimiter guessed, blank lines left out.

    Cells are text without surrounding white space; an apostrophe put there by `write_csv` is taken
    off again. Raises UnreadableTextError.
    """
    text, encoding = decode(content)
    delimiter, text = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[CsvRow] = []
    line = 0
    try:
        for cells in reader:
            cleaned = tuple(_clean(cell) for cell in cells)
            if any(cleaned):
                rows.append(CsvRow(line + 1, cleaned))
            line = reader.line_num
    except csv.Error as error:
        raise UnreadableTextError(str(error)) from error
    header = rows[0].cells if rows else ()
    return CsvTable(header, tuple(rows[1:]), delimiter, encoding)


def decode(content: bytes) -> tuple[str, str]:
    """The text and the encoding it was read with. Raises UnreadableTextError."""
    for mark, encoding in _UNICODE_MARKS:
        if content.startswith(mark):
            return _decoded(content, encoding), encoding
    if b"\x00" in content[:4000]:
        encoding = "utf-16-le" if content[1:2] == b"\x00" else "utf-16-be"
        return _decoded(content, encoding), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        encoding = _guessed_encoding(content)
        return _decoded(content, encoding), encoding


def _decoded(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableTextError(str(error)) from error
    if "\x00" in text:
        raise UnreadableTextError("the file holds zero bytes, which no text does")
    return text


def _guessed_encoding(content: bytes) -> str:
    """One of the Windows encodings that spreadsheets save in; the Western one when unsure."""
    best = from_bytes(content[:200_000], cp_isolation=_LIKELY_ENCODINGS).best()
    return best.encoding if best is not None else "cp1252"


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter and the text, without the `sep=;` line that Excel may put first."""
    first_line, _, rest = text.partition("\n")
    if first_line.lower().startswith("sep=") and len(first_line.strip()) == 5:
        return first_line.strip()[4], rest
    header = next((line for line in text[:20_000].splitlines() if line.strip()), "")
    outside_quotes = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside_quotes.count), text


def _clean(cell: str) -> str:
    bare = cell.strip().replace("\u00a0", " ")
    protected = bare.startswith("'") and bare[1:].startswith(_FORMULA_STARTS)
    return bare[1:] if protected else bare
