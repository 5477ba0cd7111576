"""Whether a session has enough people to take place, and when that is asked and decided."""

from datetime import datetime, timedelta
from enum import StrEnum

from src.platform.i18n import _

LONGEST_HOURS = 24 * 60
USUAL_HOURS = 24
ASK_AHEAD = timedelta(hours=24)
HOLDS_WAIT = timedelta(minutes=5)
"""How soon is looked again while somebody is paying for a place that would make the number, or one
is being cancelled.
"""
LONGEST_WAIT = timedelta(hours=1)
"""How long people are waited for who are paying; a payment page lives half an hour."""


class Step(StrEnum):
    """What is to be done about a session's minimum now."""

    WAIT = "wait"
    ASK = "ask"
    GO = "go"
    LOOK_AGAIN = "look_again"
    CALL_OFF = "call_off"


def hours_of(min_seats: int | None, decide_hours: int | None) -> int | None:
    """How many hours before the start it is decided, where there is a minimum."""
    return None if min_seats is None else decide_hours or USUAL_HOURS


def decide_at(starts_at: datetime, decide_hours: int) -> datetime:
    """When it is decided: so many real hours before the start."""
    return starts_at - timedelta(hours=decide_hours)


def undecided_until(
    min_seats: int | None,
    decide_hours: int | None,
    decided_at: datetime | None,
    starts_at: datetime,
    now: datetime,
) -> datetime | None:
    """Until when it is open whether the session takes place; None where that hangs on no number,
    or does so no longer.
    """
    hours = hours_of(min_seats, decide_hours)
    if hours is None or decided_at is not None:
        return None
    at = decide_at(starts_at, hours)
    return at if now < at else None


def wait_until(at: datetime, starts_at: datetime) -> datetime:
    """Until when the decision may wait for those who are paying: never so long that half of the
    time is gone in which guests can be told.
    """
    return at + min(LONGEST_WAIT, (starts_at - at) / 2)


def passes_decision(was: datetime, becomes: datetime, decide_hours: int, now: datetime) -> bool:
    """Whether another start makes the moment pass that was still to come."""
    return decide_at(becomes, decide_hours) <= now < decide_at(was, decide_hours)


def next_step(
    *,
    at: datetime,
    starts_at: datetime,
    now: datetime,
    min_seats: int,
    taken: int,
    live: int,
    was_asked: bool,
) -> Step:
    """`at` is when it is decided, `taken` the seats that stand, `live` those, the ones that are
    being paid for, and those that are being cancelled and may be left.

    Places that a waiting list has offered, or that wait for a guest with a link to pay, are
    nobody's yet and in neither.
    """
    if now < at - ASK_AHEAD:
        return Step.WAIT
    if now < at:
        return Step.WAIT if was_asked or taken >= min_seats else Step.ASK
    if taken >= min_seats:
        return Step.GO
    is_waiting = live >= min_seats and now < wait_until(at, starts_at)
    return Step.LOOK_AGAIN if is_waiting else Step.CALL_OFF


def minimum_errors(
    min_seats: int, decide_hours: int, capacity: int, starts_at: datetime, now: datetime
) -> dict[str, str]:
    """Sentences by field; empty when the minimum may be set."""
    fields: dict[str, str] = {}
    if not 1 <= min_seats <= capacity:
        fields["min_seats"] = _("Between one and the %(capacity)s seats it has.", capacity=capacity)
    if not 1 <= decide_hours <= LONGEST_HOURS:
        fields["decide_hours"] = _("Between one hour and sixty days before the start.")
    elif decide_at(starts_at, decide_hours) <= now:
        fields["decide_hours"] = _("That moment has passed; choose a later one.")
    return fields
