"""Titles of repeated sessions: "Lesson {n}" becomes "Lesson 1", "Lesson 2"."""

import re

from src.booking.domain.session_rules import LONGEST_TITLE
from src.platform.i18n import _

_PLACE = "{n}"
_BRACES = re.compile(r"[{}]")
LONGEST_PATTERN = LONGEST_TITLE - 5


def titled(pattern: str, number: int) -> str:
    """The pattern with the number in its places."""
    return pattern.strip().replace(_PLACE, str(number))


def pattern_error(pattern: str) -> str | None:
    """What is wrong with the pattern, None when nothing is."""
    if _BRACES.search(pattern.replace(_PLACE, "")):
        return _("Only {n} can stand in braces; it becomes the number of the date.")
    if len(pattern) > LONGEST_PATTERN:
        return _("Shorten the title to %(limit)s characters.", limit=LONGEST_PATTERN)
    return None
