"""Rows of the booking package."""

from src.booking.models.offer import Series, Service, Session, SessionChange, TimetableImport
from src.booking.models.sold import Booking, Cancellation, LeaveRequest, Seat

__all__ = [
    "Booking",
    "Cancellation",
    "LeaveRequest",
    "Seat",
    "Series",
    "Service",
    "Session",
    "SessionChange",
    "TimetableImport",
]
