"""Until when places are held for whoever is to pay for them, in words."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from src.booking.domain.minimum import decide_at
from src.booking.models import Session
from src.platform.i18n import _
from src.platform.web.formats import datetime_local


def held_until_words(
    until: datetime | None, sessions: Iterable[Session], zone: ZoneInfo, now: datetime
) -> str:
    """The moment, and the sooner one at which one of the sessions may be called off for too few
    people, which ends the hold; empty where nothing ends it.
    """
    if until is None:
        return ""
    decisions = [
        decide_at(one.starts_at, one.decide_hours)
        for one in sessions
        if one.decide_hours is not None and one.decided_at is None
    ]
    sooner = [at for at in decisions if now < at < until]
    if not sooner:
        return datetime_local(until, zone)
    return _(
        "%(until)s; only until %(at)s if too few people have booked by then",
        until=datetime_local(until, zone),
        at=datetime_local(min(sooner), zone),
    )
