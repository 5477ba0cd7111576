"""Hours as they are typed: two times for each stretch, and back."""

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from src.booking.domain.free_times import DAY_MINUTES, Hours
from src.booking.queries.hours import clock
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.web.forms import Bound

WEEKDAYS = range(7)
WORKDAYS = range(1, 5)
MOST_ROWS = 6
ROWS_OF_A_DAY = 3


class StretchRow(msgspec.Struct, kw_only=True):
    """A stretch as it is typed; midnight as its end is the end of the day."""

    starts: time | None = None
    ends: time | None = None


class WeekForm(msgspec.Struct, kw_only=True):
    """A week, and whether what is booked outside of it has been read."""

    sure: Annotated[str, Meta(max_length=2000)] = ""
    day_0: list[StretchRow] = msgspec.field(default_factory=list)
    day_1: list[StretchRow] = msgspec.field(default_factory=list)
    day_2: list[StretchRow] = msgspec.field(default_factory=list)
    day_3: list[StretchRow] = msgspec.field(default_factory=list)
    day_4: list[StretchRow] = msgspec.field(default_factory=list)
    day_5: list[StretchRow] = msgspec.field(default_factory=list)
    day_6: list[StretchRow] = msgspec.field(default_factory=list)


class DaysForm(msgspec.Struct, kw_only=True):
    """Other hours for a day or several."""

    on_date: date
    sure: Annotated[str, Meta(max_length=2000)] = ""
    until_on: date | None = None
    off: bool = False
    hours: list[StretchRow] = msgspec.field(default_factory=list)
    note: Annotated[str, Meta(max_length=200)] = ""


class ClosingForm(msgspec.Struct, kw_only=True):
    """A day or several on which the business is closed."""

    on_date: date
    name: Annotated[str, Meta(max_length=100)]
    sure: Annotated[str, Meta(max_length=2000)] = ""
    until_on: date | None = None


class HolidaysForm(msgspec.Struct, kw_only=True):
    """Chosen public holidays."""

    holidays_of: Annotated[str, Meta(max_length=40)]
    year: int
    sure: Annotated[str, Meta(max_length=2000)] = ""
    days: list[date] = msgspec.field(default_factory=list)


def week_initial(week: Mapping[int, Sequence[Hours]]) -> dict[str, Any]:
    return {f"day_{weekday}": _rows(week.get(weekday, ())) for weekday in WEEKDAYS}


def _rows(hours: Sequence[Hours]) -> list[dict[str, str]]:
    return [
        {"starts": clock(one.starts_minute), "ends": clock(one.ends_minute % DAY_MINUTES)}
        for one in hours
    ]


def read_week(form: WeekForm) -> dict[int, tuple[Hours, ...]]:
    """Raises: InvalidInput for a stretch of one time only, at its row."""
    fields: dict[str, str] = {}
    week = {
        weekday: read_hours(getattr(form, f"day_{weekday}"), f"day_{weekday}", fields)
        for weekday in WEEKDAYS
    }
    if fields:
        raise InvalidInput(next(iter(fields.values())), fields=fields)
    return week


def read_hours(rows: Sequence[StretchRow], name: str, fields: dict[str, str]) -> tuple[Hours, ...]:
    """The stretches in order; what is wrong goes into `fields`."""
    found: list[Hours] = []
    for place, row in enumerate(rows):
        if row.starts is None and row.ends is None:
            continue
        if row.starts is None:
            fields[f"{name}.{place}.starts"] = _("Say from when.")
        elif row.ends is None:
            fields[f"{name}.{place}.ends"] = _("Say until when.")
        else:
            found.append(Hours(_minute(row.starts), _minute(row.ends) or DAY_MINUTES))
    return tuple(sorted(found))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def monday_for_others(form: Bound[WeekForm]) -> Bound[WeekForm]:
    """What stands at Monday, typed or not, at Tuesday to Friday too."""
    rows = [
        {
            "starts": form.value(f"day_0.{place}.starts"),
            "ends": form.value(f"day_0.{place}.ends"),
        }
        for place in range(form.rows("day_0"))
    ]
    return form.filled_with({f"day_{weekday}": rows for weekday in WORKDAYS})


def rows_shown(form: Bound[WeekForm]) -> list[int]:
    """Of each weekday: those that are filled in, and one more while there may be."""
    used = [form.rows_in_use(f"day_{weekday}", "starts", "ends") for weekday in WEEKDAYS]
    return [min(one + 1, max(one, MOST_ROWS)) for one in used]
