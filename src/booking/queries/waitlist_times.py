"""When the waiting list of what starts then ends, by its service's terms."""

from datetime import datetime

from src.booking.domain.waiting import closes_at, is_too_late, waitlist_from
from src.booking.models import Service


def closing_of(service: Service, first_starts_at: datetime) -> datetime:
    """When offers end at the latest."""
    terms = waitlist_from(service.waitlist)
    return closes_at(first_starts_at, service.min_notice_minutes, terms)


def is_too_late_for(service: Service, first_starts_at: datetime, now: datetime) -> bool:
    """Whether nothing is offered any more; at the exact second it still is."""
    terms = waitlist_from(service.waitlist)
    return is_too_late(closing_of(service, first_starts_at), now, terms)
