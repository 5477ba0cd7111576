"""Rows of the booking package."""

from src.booking.models.feeds import CalendarFeed
from src.booking.models.offer import Series, Service, Session, SessionChange, TimetableImport
from src.booking.models.sold import Booking, Cancellation, Seat

__all__ = [
    "Booking",
    "CalendarFeed",
    "Cancellation",
    "Seat",
    "Series",
    "Service",
    "Session",
    "SessionChange",
    "TimetableImport",
]
