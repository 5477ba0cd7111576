"""How long a hold and its payment page live.

The page ends before the hold, so that a seat is never freed while it can still be paid. The
processor demands at least 30 minutes by its own clock; the 31st covers the time of the call.
"""

from datetime import datetime, timedelta

PAGE_LIFETIME = timedelta(minutes=31)
HOLD_MARGIN = timedelta(minutes=5)
HOLD_LIFETIME = PAGE_LIFETIME + HOLD_MARGIN
LINK_LIFETIME = timedelta(hours=24)
"""A hold that staff make for a guest, who gets the link to pay by mail and is not before it."""
HOLD_DUE = "hold"
"""The kind of the `due` rows that the sweeper reads; their `ref` is the order."""
TRANSFER_REMINDER_DUE = "transfer_reminder"
"""The kind of those that remind guests of a bank transfer; their `ref` is the order."""


def page_expires_at(called_at: datetime) -> datetime:
    """When a payment page asked for at `called_at` ends; whole seconds, as the processor counts."""
    return (called_at + PAGE_LIFETIME).replace(microsecond=0)


def hold_expires_at(made_at: datetime, lifetime: timedelta = HOLD_LIFETIME) -> datetime:
    """When a hold ends that is made at `made_at`; whole seconds. Usually its page is asked for at
    once.
    """
    return (made_at + lifetime).replace(microsecond=0)


def payable_until(hold_ends_at: datetime | None) -> datetime | None:
    """The moment that everybody is told: the payment page ends before the hold does. None where
    nothing is held.
    """
    return None if hold_ends_at is None else hold_ends_at - HOLD_MARGIN


def is_shortened_by_paying(until: datetime | None, now: datetime) -> bool:
    """Whether going on to pay leaves less time than until `payable_until`: never once there is a
    payment page, since the hold lasts no longer than it.
    """
    return until is not None and until > page_expires_at(now)


def link_lifetime(starts_at: datetime, made_at: datetime) -> timedelta:
    """How long a hold by link lasts: a day, but not into what was booked, and no less than a hold
    whose guest is at the payment page already.
    """
    return max(min(LINK_LIFETIME, starts_at - made_at), HOLD_LIFETIME)
