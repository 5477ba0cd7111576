"""When the waiting list of what starts then ends, by its service's terms."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from src.booking.domain.pricing import last_start_to_join
from src.booking.domain.waiting import closes_at, is_too_late, waitlist_from
from src.booking.models import Series, Service, Session
from src.booking.queries.offer_facts import series_session, series_terms


def closing_of(service: Service, first_starts_at: datetime) -> datetime:
    """When offers end at the latest."""
    terms = waitlist_from(service.waitlist)
    return closes_at(first_starts_at, service.min_notice_minutes, terms)


def is_too_late_for(service: Service, first_starts_at: datetime, now: datetime) -> bool:
    """Whether nothing is offered any more; at the exact second it still is."""
    terms = waitlist_from(service.waitlist)
    return is_too_late(closing_of(service, first_starts_at), now, terms)


def last_to_join(
    service: Service, series: Series, runs: Sequence[Session], zone: ZoneInfo, now: datetime
) -> datetime | None:
    """The start of the last of the series' dates before which it can be bought."""
    sold = [series_session(run) for run in runs]
    return last_start_to_join(series_terms(series, service), sold, now, zone)
