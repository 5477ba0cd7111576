"""Which files may answer a worksheet's question, by what is in them and by their name."""

from collections.abc import Mapping
from pathlib import PurePath

from src.platform.i18n import _
from src.platform.web.uploads import DEFAULT_MAX_BYTES, DOCUMENTS, UploadedFile, refusal

LARGEST_FILE = DEFAULT_MAX_BYTES
ACCEPT = ".pdf,.jpg,.jpeg,.png,.heic,.docx,.txt"
_SUFFIXES: Mapping[str, frozenset[str]] = {
    "application/pdf": frozenset({".pdf"}),
    "image/jpeg": frozenset({".jpg", ".jpeg"}),
    "image/png": frozenset({".png"}),
    "image/heic": frozenset({".heic", ".heif"}),
    DOCUMENTS["docx"]: frozenset({".docx"}),
    "text/plain": frozenset({".txt"}),
}


def kinds_of_files() -> str:
    """What may be sent, for the hint at the field."""
    return _("PDF, JPG, PNG, HEIC, DOCX or TXT, at most 5 MB.")


def file_error(file: UploadedFile) -> str | None:
    """Why this file cannot be taken, in a sentence; None where it can. The content decides, and a
    name that promises another kind is refused too: who opens the file goes by it.
    """
    too_large = refusal(file, {"max_bytes": LARGEST_FILE})
    if too_large is not None:
        return too_large
    suffixes = _SUFFIXES.get(file.content_type)
    if suffixes is None or PurePath(file.filename).suffix.lower() not in suffixes:
        return _("This kind of file cannot be used here. Choose PDF, JPG, PNG, HEIC, DOCX or TXT.")
    return None
