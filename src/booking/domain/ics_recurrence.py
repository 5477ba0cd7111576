"""The dates of a repeating calendar event, however much work its rule asks for.

Rules come from strangers' files. The library walks a rule from its first date and stops only at
the year 9999 when nothing fits, so a rule is brought near the window first, its forms are limited
to those that calendars write, and all rules of a file share one budget.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dateutil.rrule import rrule, rrulestr

from src.booking.domain.ics_zones import Clock, is_day, read_day_end, read_time
from src.booking.domain.timetable import RowRefusedError
from src.platform.i18n import _

LARGEST_NUMBER_OF_DATES_PER_EVENT = 750
_STEPS_PER_FILE = 300_000
_FRUITLESS_RULES_PER_FILE = 100
_UNITS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_KEYS = frozenset(
    [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYDAY",
        "BYMONTH",
        "BYMONTHDAY",
        "BYSETPOS",
        "BYHOUR",
        "BYMINUTE",
        "BYSECOND",
    ]
)
_GREGORIAN_CYCLE = 400
"""After so many years the calendar repeats, weekdays included."""


@dataclass(slots=True)
class Budget:
    """What all rules of one file may cost together."""

    steps: int = _STEPS_PER_FILE
    fruitless: int = _FRUITLESS_RULES_PER_FILE


@dataclass(frozen=True, slots=True)
class Window:
    """Wall-clock bounds, both included."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Dates:
    """`capped`: the rule goes on, within the window or past it; `earlier`: dates before it."""

    starts: tuple[datetime, ...]
    capped: bool
    earlier: bool


def rule_dates(rule: str, start: datetime, clock: Clock, window: Window, budget: Budget) -> Dates:
    """The wall-clock starts of the rule in the window, in order.

    `start` is the event's own wall-clock start, which counts as the first date. Raises
    RowRefusedError for a rule that is broken, too fine, or more work than the budget has left.
    """
    parts = _parts(rule)
    until = _until(parts, clock)
    if until is not None and until < window.first:
        return Dates((), capped=False, earlier=True)
    if budget.steps <= 0 or budget.fruitless <= 0:
        raise RowRefusedError(_("The file repeats too much; import it in parts."))
    first = start if "COUNT" in parts else _brought_near(parts, start, window)
    last = min(window.last, until) if until else window.last
    starts, exhausted = _walk(parts, first, Window(window.first, last), budget)
    if not starts:
        budget.fruitless -= 1
    goes_on = until is None or until > window.last
    return Dates(
        tuple(starts),
        capped=(goes_on and "COUNT" not in parts) or not exhausted,
        earlier=start < window.first,
    )


def _parts(rule: str) -> dict[str, str]:
    """The rule's parts by name, in forms that are cheap to work out."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().strip(" ;").split(";"))
    interval = parts.get("INTERVAL", "1")
    fine = (
        len(rule) <= 400
        and parts.keys() <= _KEYS
        and parts.get("FREQ") in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
        and "," not in parts.get("BYMINUTE", "") + parts.get("BYSECOND", "")
        and interval.isascii()
        and interval.isdigit()
        and 1 <= int(interval[:9]) < 1000
        and not ("BYSETPOS" in parts and parts["FREQ"] in _UNITS)
    )
    if not fine:
        raise RowRefusedError(_("Its repetition is written in a way that cannot be read."))
    if not _day_exists(parts):
        raise RowRefusedError(_("Its repetition never happens."))
    return parts


def _day_exists(parts: dict[str, str]) -> bool:
    """Whether some month of the rule has some day of the month of the rule."""
    try:
        days = [abs(int(day)) for day in parts.get("BYMONTHDAY", "1").split(",")]
        months = [int(month) for month in parts.get("BYMONTH", "1").split(",")]
        return any(day <= monthrange(2028, month)[1] for day in days for month in months)
    except ValueError:
        return False


def _until(parts: dict[str, str], clock: Clock) -> datetime | None:
    """The rule's end on the event's wall clock; taken out of the parts."""
    text = parts.pop("UNTIL", None)
    if text is None:
        return None
    if is_day(text):
        return read_day_end(text)
    local, in_utc = read_time(text)
    return clock.to_local(local.replace(tzinfo=UTC)) if in_utc else local


def _brought_near(parts: dict[str, str], start: datetime, window: Window) -> datetime:
    """A later start of the same rule, so that no years before the window are walked through."""
    unit = _UNITS.get(parts["FREQ"])
    if unit is None or start >= window.first:
        return start
    stride = unit * int(parts.get("INTERVAL", "1"))
    strides = (window.first - start) // stride - 1
    return start + stride * max(strides, 0)


def _walk(
    parts: dict[str, str], first: datetime, window: Window, budget: Budget
) -> tuple[list[datetime], bool]:
    """The dates in the window and whether the walk came to its end."""
    starts: list[datetime] = []
    for local in _dates(parts, first, window.last):
        budget.steps -= 1
        if budget.steps <= 0:
            raise RowRefusedError(_("The file repeats too much; import it in parts."))
        if local < window.first:
            continue
        if len(starts) == LARGEST_NUMBER_OF_DATES_PER_EVENT:
            return starts, False
        starts.append(local)
    return starts, True


def _dates(parts: dict[str, str], first: datetime, last: datetime) -> Iterator[datetime]:
    """The library's dates, worked out at the end of its calendar.

    There a rule that fits no day comes to its end after a few centuries instead of eighty.
    """
    years = (9990 - last.year) // _GREGORIAN_CYCLE * _GREGORIAN_CYCLE
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        rule = rrulestr(text, dtstart=_shifted(first, years))
        if not isinstance(rule, rrule):
            raise RowRefusedError(_("Its repetition is written in a way that cannot be read."))
        for date in rule.replace(until=_shifted(last, years)) if "COUNT" not in parts else rule:
            if date > _shifted(last, years):
                return
            yield _shifted(date, -years)
    except (ValueError, TypeError, OverflowError) as error:
        raise RowRefusedError(
            _("Its repetition is written in a way that cannot be read.")
        ) from error


def _shifted(local: datetime, years: int) -> datetime:
    return local.replace(year=local.year + years)
