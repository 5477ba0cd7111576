"""The mark of what an editor was shown, so that a page left open does not undo another's change."""

from hashlib import sha256

import msgspec

from src.platform.errors import Conflict
from src.platform.i18n import _

CHANGED_MEANWHILE = "changed_meanwhile"


def mark_of(details: object) -> str:
    """The same for the same details, and another once any of them differs."""
    return sha256(msgspec.json.encode(details)).hexdigest()[:20]


def changed_since_seen() -> Conflict:
    return Conflict(
        _("This has been changed meanwhile, so nothing is saved yet."), code=CHANGED_MEANWHILE
    )
