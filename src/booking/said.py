"""What somebody was told of a session and is no longer so, in words."""

from src.booking.domain.kinds import SessionMode
from src.booking.domain.moves import Facet, Said, what_differs
from src.platform.i18n import _
from src.platform.web.formats import date_range


def was_words(before: Said, now: Said) -> str:
    """One line with just what differs, as it was; empty when nothing does.

    The time is on the clock it was told on, which is named where it is another one now.
    """
    return " · ".join(_word(facet, before, now) for facet in what_differs(before, now))


def _word(facet: Facet, before: Said, now: Said) -> str:
    if facet is Facet.TIME:
        when = date_range(before.starts_at, before.ends_at, before.timezone)
        return when if before.timezone == now.timezone else f"{when} ({before.timezone})"
    if facet is Facet.TITLE:
        return before.title or _("no title")
    if facet is Facet.PLACE:
        is_online = before.mode == SessionMode.ONLINE
        return before.place or (_("online") if is_online else _("no place given"))
    return _("another link to join") if before.meeting_url else _("no link to join")
