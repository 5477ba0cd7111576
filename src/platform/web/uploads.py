"""Files that people send: read whole, limited in size, and checked to be what they claim."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import msgspec
from babel.units import format_unit
from litestar.datastructures import UploadFile

from src.platform.i18n import _, current_babel_locale

DEFAULT_MAX_BYTES = 5 * 1024 * 1024
MAX_FILENAME_CHARACTERS = 120

PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")
CALENDARS = ("text/calendar",)
TABLES = ("text/csv",)
DOCUMENTS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

_PICTURE_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_TEXT_TYPES_BY_SUFFIX = {".ics": "text/calendar", ".ical": "text/calendar", ".csv": "text/csv"}


class UploadedFile(msgspec.Struct, frozen=True):
    """A file as it came in; `content_type` is found from its content, not what the browser said."""

    filename: str
    content_type: str
    content: bytes


def upload(max_bytes: int = DEFAULT_MAX_BYTES, content_types: tuple[str, ...] = ()) -> msgspec.Meta:
    """Limits for the annotation of a file field; without `content_types` any content is taken."""
    return msgspec.Meta(extra={"max_bytes": max_bytes, "content_types": content_types})


def read_upload(source: UploadFile) -> UploadedFile:
    """The file in full, and its buffer closed.

    The bytes are already here: the server limits the size of a request's body.
    """
    with source.file as buffer:
        buffer.seek(0)
        content = buffer.read()
    filename = safe_filename(source.filename)
    return UploadedFile(filename, content_type_of(filename, content), content)


def refusal(file: UploadedFile, limits: Mapping[str, Any]) -> str | None:
    """Why the file cannot be taken under these limits, in a sentence, or None when it can."""
    max_bytes: int = limits.get("max_bytes", DEFAULT_MAX_BYTES)
    if len(file.content) > max_bytes:
        return _("This file is too large: at most %(size)s.", size=readable_size(max_bytes))
    if not file.content:
        return _("This file is empty.")
    allowed: tuple[str, ...] = limits.get("content_types", ())
    if allowed and file.content_type not in allowed:
        return _("This kind of file cannot be used here.")
    return None


def content_type_of(filename: str, content: bytes) -> str:
    """What the content is: pictures and documents by their bytes, calendars and tables by being
    text.
    """
    for signature, content_type in _PICTURE_SIGNATURES:
        if content.startswith(signature):
            return content_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return "image/heic"
    if content.startswith(b"%PDF-"):
        return DOCUMENTS["pdf"]
    if content.startswith(b"PK\x03\x04"):
        return DOCUMENTS["docx"] if _is_docx(content) else "application/zip"
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "application/octet-stream"
    return _TEXT_TYPES_BY_SUFFIX.get(PurePath(filename).suffix.lower(), "text/plain")


def _is_docx(content: bytes) -> bool:
    """Whether this archive is a text of a word processor; only its list of parts is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return {"[Content_Types].xml", "word/document.xml"} <= parts


def safe_filename(name: str) -> str:
    """The last part of the name, printable and short, fit to be shown and sent as a header."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(c for c in last if c.isprintable() and c not in '"<>|:*?').strip(". ")
    if len(printable) <= MAX_FILENAME_CHARACTERS:
        return printable or "file"
    suffix = PurePath(printable).suffix[:10]
    return printable[: MAX_FILENAME_CHARACTERS - len(suffix)] + suffix


def readable_size(size: int) -> str:
    """In megabytes or kilobytes, as the reader's language writes them."""
    locale = current_babel_locale()
    if size >= 1024 * 1024:
        return format_unit(
            round(size / (1024 * 1024), 1), "digital-megabyte", "short", locale=locale
        )
    return format_unit(max(size // 1024, 1), "digital-kilobyte", "short", locale=locale)
