"""Why a date is proposed, in a few words."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from src.booking.domain.make_up import Suits
from src.platform.i18n import _, current_babel_locale

SAID = 2


def why_proposed(suits: Sequence[Suits], starts_at: datetime, zone: ZoneInfo) -> str:
    """The weightiest that can be said, such as "same teacher, also on a Tuesday"."""
    day = format_datetime(starts_at.astimezone(zone), "EEEE", locale=current_babel_locale())
    words = {
        Suits.PERFORMER: _("same teacher"),
        Suits.WEEKDAY: _("also on a %(day)s", day=day),
        Suits.TIME: _("about the same time"),
        Suits.LEVEL: _("same level"),
        Suits.ROOM: _("plenty of room"),
    }
    said = [words[one] for one in words if one in suits]
    text = ", ".join(said[:SAID])
    return text[:1].upper() + text[1:]
