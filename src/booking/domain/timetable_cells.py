"""Days and times as people write them into cells."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial

from src.booking.domain.timetable import RowRefusedError
from src.platform.i18n import _

_DATE_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y")
_TIME = re.compile(r"(\d{1,2})[:.h]?(\d{2})?(?::(\d{2}))?\s*(am|pm)?", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,6}")


def read_moment(text: str, *, month_first: bool) -> datetime:
    """A day with its time on the business's clock. Raises: RowRefusedError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        day, _blank, clock = text.partition(" ")
        return datetime.combine(read_date(day, month_first=month_first), read_time(clock))
    if found.tzinfo is not None:
        raise RowRefusedError(_("Its time names a zone; use the clock of your business."))
    return found


def read_date(text: str, *, month_first: bool) -> date:
    """Raises: RowRefusedError."""
    slashed = "%m/%d/%Y" if month_first else "%d/%m/%Y"
    for form in (*_DATE_FORMS, slashed):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise RowRefusedError(_("“%(text)s” is not a date. Write it as 2027-05-14.", text=text[:30]))


def read_time(text: str) -> time:
    """Raises: RowRefusedError."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise RowRefusedError(_("“%(text)s” is not a time. Write it as 18:30.", text=text[:30]))
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if found[4]:
        hour = hour % 12 + (12 if found[4].lower() == "pm" else 0)
    return _checked(hour, minute, second, text)


def clock_time(hour: str, minute: str) -> time:
    """A time whose hour and minute stand apart. Raises: RowRefusedError."""
    if not (_NUMBER.fullmatch(hour) and _NUMBER.fullmatch(minute or "0")):
        raise RowRefusedError(_("Its hours and minutes cannot be read."))
    return _checked(int(hour), int(minute or 0), 0, f"{hour}:{minute}")


def _checked(hour: int, minute: int, second: int, text: str) -> time:
    try:
        return time(hour, minute, second)
    except ValueError:
        raise RowRefusedError(
            _("“%(text)s” is not a time. Write it as 18:30.", text=text[:30])
        ) from None


def is_date(text: str) -> bool:
    """Whether it is a day, whichever of day and month comes first."""
    return any(_reads(partial(read_date, text, month_first=first)) for first in (False, True))


def is_moment(text: str) -> bool:
    """Whether it is a day with a time; neither a day alone nor a number is one."""
    if text.isdecimal() or is_date(text):
        return False
    return any(_reads(partial(read_moment, text, month_first=first)) for first in (False, True))


def is_time(text: str) -> bool:
    """Whether it is a time of day; a number alone may be anything."""
    return not text.isdecimal() and _reads(partial(read_time, text))


def _reads(read: Callable[[], object]) -> bool:
    try:
        read()
    except RowRefusedError:
        return False
    return True
