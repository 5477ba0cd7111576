"""A minimum group size in words, as guests read it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from src.booking.domain.minimum import undecided_until
from src.booking.models import Session
from src.platform.i18n import ngettext
from src.platform.web.formats import datetime_local


def takes_place_if(session: Session, zone: ZoneInfo, now: datetime) -> str:
    """On what it hangs that the date takes place, and until when; empty where it does anyhow."""
    until_at = undecided_until(
        session.min_seats, session.decide_hours, session.decided_at, session.starts_at, now
    )
    if session.min_seats is None or until_at is None:
        return ""
    return ngettext(
        "Takes place if at least %(num)s person has booked by %(when)s.",
        "Takes place if at least %(num)s people have booked by %(when)s.",
        session.min_seats,
        when=datetime_local(until_at, zone),
    )
