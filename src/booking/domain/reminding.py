"""When guests are reminded of a date that they have booked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.leaving import BeforeUnit, cutoff
from src.platform.i18n import _

MOST_REMINDERS = 4
LONGEST_AHEAD = {BeforeUnit.HOURS: 24 * 14, BeforeUnit.DAYS: 60}
LOOK_AT_LEAST_EVERY = timedelta(minutes=15)
"""How late the reminder of a date may be that was published, or moved, just before it was due."""


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """One mail so long before each date; `since` is when it was switched on.

    Nobody hears of a moment that was over by then.
    """

    ahead: int
    unit: BeforeUnit
    since: datetime

    @property
    def offset(self) -> "Offset":
        return self.ahead, self.unit


Offset = tuple[int, BeforeUnit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A date ahead; `moved_at` is when its time was last changed, None if it never was."""

    session_id: UUID
    starts_at: datetime
    reminders: Sequence[Reminder]
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReminder:
    """Whoever had a seat at `at` is to be reminded now."""

    session_id: UUID
    starts_at: datetime
    ahead: int
    unit: BeforeUnit
    at: datetime


def reminders_from(kept: object) -> tuple[Reminder, ...]:
    """The reminders as they are stored."""
    return tuple(msgspec.convert(kept or [], list[Reminder]))


def reminder_errors(wanted: Sequence[Offset]) -> dict[int, str]:
    """Sentences by position; empty when they may be saved."""
    if len(wanted) > MOST_REMINDERS:
        return {MOST_REMINDERS: _("At most %(count)s reminders are kept.", count=MOST_REMINDERS)}
    errors: dict[int, str] = {}
    for position, (ahead, unit) in enumerate(wanted):
        longest = LONGEST_AHEAD[unit]
        if not 1 <= ahead <= longest:
            errors[position] = _(
                "Choose a number from %(lowest)s to %(highest)s.", lowest=1, highest=longest
            )
        elif (ahead, unit) in wanted[:position]:
            errors[position] = _("This reminder is there twice.")
    return errors


def changed_reminders(
    kept: Sequence[Reminder], wanted: Sequence[Offset], now: datetime
) -> tuple[Reminder, ...]:
    """The wanted ones, the longest first: those that were there go on, the others begin now."""
    since = {one.offset: one.since for one in kept}
    found = [
        Reminder(ahead=ahead, unit=unit, since=since.get((ahead, unit), now))
        for ahead, unit in wanted
    ]
    return tuple(sorted(found, key=lambda one: -hours_of(one.offset)))


def remind_at(ahead: int, unit: BeforeUnit, starts_at: datetime, zone: ZoneInfo) -> datetime:
    """Hours are real hours, days are days on the business's clock."""
    return cutoff(ahead, unit, starts_at, zone)


def furthest_ahead(reminders: Iterable[Reminder]) -> timedelta:
    """Dates further away than that have no reminder due yet, whatever the clocks do meanwhile."""
    return timedelta(hours=max((hours_of(one.offset) for one in reminders), default=0) + 24)


def due_reminders(dates: Iterable[Upcoming], now: datetime, zone: ZoneInfo) -> list[DueReminder]:
    """What is due of dates that have not started.

    The moment of a date that was moved since is void: its guests have just been told of the move.
    """
    return [
        DueReminder(
            session_id=one.session_id,
            starts_at=one.starts_at,
            ahead=each.ahead,
            unit=each.unit,
            at=at,
        )
        for one in dates
        for each, at in _moments(one, zone)
        if each.since <= at <= now < one.starts_at and (one.moved_at is None or one.moved_at <= at)
    ]


def next_look(dates: Iterable[Upcoming], now: datetime, zone: ZoneInfo) -> datetime:
    """When something may be due next."""
    moments = [at for one in dates for _each, at in _moments(one, zone) if at > now]
    return min([*moments, now + LOOK_AT_LEAST_EVERY])


def _moments(one: Upcoming, zone: ZoneInfo) -> list[tuple[Reminder, datetime]]:
    return [(each, remind_at(each.ahead, each.unit, one.starts_at, zone)) for each in one.reminders]


def hours_of(offset: Offset) -> int:
    """To compare offsets by; days have 24 hours here."""
    ahead, unit = offset
    return ahead * (24 if unit is BeforeUnit.DAYS else 1)
