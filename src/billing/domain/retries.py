"""When an attempt may be made again, and when the processor is asked about it."""

from datetime import datetime, timedelta

KEY_LIFETIME = timedelta(hours=23)
"""The processor forgets keys after 24 hours; a replay later than this could do a thing twice."""

MAX_PAGE_ATTEMPTS = 3
"""Each new attempt prolongs the hold; after so many definitive failures it is left to end."""

MAX_CARD_ATTEMPTS = 8
"""With cards that are kept, for one order; they do not prolong its hold."""

PAGE_DUE = "page"
REFUND_DUE = "refund"
ACCOUNT_DUE = "account"
"""Kinds of `due` rows that the reconcile job reads; their `ref` is the page, the refund, or the
tenant whose account it is.
"""

_PAGE_CHECKS = (timedelta(minutes=4), timedelta(minutes=8), timedelta(minutes=16))
_REFUND_CHECK = timedelta(minutes=20)
_LONGEST_CHECK = timedelta(hours=6)


_UNREADY_CHECK = timedelta(minutes=15)
_LONGEST_UNREADY_CHECK = timedelta(hours=1)
_READY_CHECK = timedelta(days=1)

EVENTS_LAST = timedelta(days=29)
"""The processor lists events of the last 30 days; older ones cannot be asked for."""

EVENTS_OVERLAP = timedelta(hours=1)
"""An event may be listed a little later than its time says, so each question reaches back."""


def must_ask_first(called_at: datetime, now: datetime) -> bool:
    """Whether the attempt is too old for its key to protect a replay."""
    return now - called_at > KEY_LIFETIME


def next_page_check(created_at: datetime, now: datetime) -> datetime:
    """When to ask about a page whose events stay away: often at first, then ever more seldom."""
    age = now - created_at
    for check in _PAGE_CHECKS:
        if age < check:
            return created_at + check
    return now + min(age, _LONGEST_CHECK)


def next_refund_check(created_at: datetime, now: datetime) -> datetime:
    """When to ask about a refund that has not ended; it may take days."""
    return now + min(max(now - created_at, _REFUND_CHECK), _LONGEST_CHECK)


def next_account_check(since: datetime, now: datetime, *, is_ready: bool) -> datetime:
    """When to ask about a business's account: daily, and often while it may not charge yet."""
    if is_ready:
        return now + _READY_CHECK
    return now + min(max(now - since, _UNREADY_CHECK), _LONGEST_UNREADY_CHECK)


def events_since(asked_until: datetime, now: datetime) -> datetime:
    """From when on events are asked for, those known already among them."""
    return max(asked_until - EVENTS_OVERLAP, now - EVENTS_LAST)
