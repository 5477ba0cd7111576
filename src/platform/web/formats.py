"""Dates, times and money in templates: in the reader's language, on the clock of a given zone.

Every filter takes an aware moment and a zone (name or ZoneInfo). Babel works a pattern out anew on
each call, which is most of a long page's time, so results are kept by day, minute and amount.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from src.platform.i18n import babel_locale, current_locale
from src.platform.money import Money, format_money

Zone = ZoneInfo | str
UnitLength = Literal["short", "long"]

DASH = "\N{EN DASH}"


def money(amount_minor: int, currency: str) -> str:
    return _money(amount_minor, currency, current_locale())


def datetime_local(at: datetime, zone: Zone) -> str:
    """Tue, 14 May 2026, 18:00"""
    local = _local(at, zone)
    return f"{_date(local.date(), 'yMMMEd')}, {_time(local.time())}"


def date_long(at: datetime, zone: Zone) -> str:
    """Tuesday, 14 May 2026"""
    return _date(_local(at, zone).date(), "full")


def date_medium(at: datetime, zone: Zone) -> str:
    """Tue, 14 May 2026"""
    return _date(_local(at, zone).date(), "yMMMEd")


def date_short(at: datetime, zone: Zone) -> str:
    """Tue 14 May"""
    return _date(_local(at, zone).date(), "MMMEd")


def time_short(at: datetime, zone: Zone) -> str:
    """18:00"""
    return _time(_local(at, zone).time())


def time_range(start: datetime, end: datetime, zone: Zone) -> str:
    """18:00-19:30, with an en dash"""
    return f"{time_short(start, zone)}{DASH}{time_short(end, zone)}"


def date_range(start: datetime, end: datetime, zone: Zone) -> str:
    """Tue, 14 May 2026, 18:00-19:30; over midnight both ends get their day."""
    if _local(start, zone).date() == _local(end, zone).date():
        return f"{datetime_local(start, zone)}{DASH}{time_short(end, zone)}"
    return f"{datetime_local(start, zone)} {DASH} {datetime_local(end, zone)}"


def weekday(at: datetime, zone: Zone) -> str:
    """Tuesday"""
    return _date(_local(at, zone).date(), "EEEE")


def weekday_short(at: datetime, zone: Zone) -> str:
    """Tue"""
    return _date(_local(at, zone).date(), "EEE")


def day_number(at: datetime, zone: Zone) -> str:
    """14"""
    return str(_local(at, zone).day)


def month_name(at: datetime, zone: Zone) -> str:
    """May"""
    return _date(_local(at, zone).date(), "LLLL")


def month_short(at: datetime, zone: Zone) -> str:
    """May, or Sep"""
    return _date(_local(at, zone).date(), "LLL")


def month_year(at: datetime, zone: Zone) -> str:
    """May 2026"""
    return _date(_local(at, zone).date(), "yMMMM")


def zone_short(at: datetime, zone: Zone) -> str:
    """CEST, or the offset where the zone has no letters of its own."""
    return _local(at, zone).tzname() or "UTC"


def day_long(on: date) -> str:
    """Tuesday, 14 May 2026, of a date without a zone"""
    return _date(on, "full")


def day_short(on: date) -> str:
    """14 May, of a date without a zone"""
    return _date(on, "MMMd")


def day_in_two_lines(on: date) -> str:
    """T above 14, of a date without a zone, where a column is no wider than a number"""
    return f"{_date(on, 'EEEEE')}\n{on.day}"


def day_medium(on: date) -> str:
    """Tue, 14 May 2026, of a date without a zone"""
    return _date(on, "yMMMEd")


def month_of(on: date) -> str:
    """May 2026, of a date without a zone"""
    return _date(on, "yMMMM")


def clock(wall_clock: time) -> str:
    """18:00, of a time without a zone"""
    return _time(wall_clock)


def iso(at: datetime) -> str:
    """For the `datetime` attribute of <time>."""
    return at.isoformat()


def number(value: float) -> str:
    """12,345"""
    return str(format_decimal(value, locale=babel_locale(current_locale())))


def percent(fraction: float) -> str:
    """82%"""
    return str(format_percent(fraction, locale=babel_locale(current_locale())))


MINUTES_OF_A_DAY = 24 * 60


def minutes(total: int) -> str:
    """45 min, 1 hr 30 min, 2 days; a single day stays 24 hr"""
    return _minutes(total, "short")


def minutes_in_words(total: int) -> str:
    """As `minutes`, with the units written out, for use in a sentence: 1 hour 30 minutes"""
    return _minutes(total, "long")


def _minutes(total: int, length: UnitLength) -> str:
    days, left = divmod(total, MINUTES_OF_A_DAY) if total >= 2 * MINUTES_OF_A_DAY else (0, total)
    hours, rest = divmod(left, 60)
    parts = [(days, "duration-day"), (hours, "duration-hour"), (rest, "duration-minute")]
    shown = [_unit(amount, unit, length, current_locale()) for amount, unit in parts if amount]
    return " ".join(shown) or _unit(0, "duration-minute", length, current_locale())


def any_of(words: Sequence[str]) -> str:
    """One of them, “a, b or c”."""
    return str(format_list(words, "or", babel_locale(current_locale())))


def _local(at: datetime, zone: Zone) -> datetime:
    return at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)


def _date(day: date, skeleton: str) -> str:
    return _date_text(day, skeleton, current_locale())


def _time(wall_clock: time) -> str:
    return _time_text(wall_clock.hour, wall_clock.minute, current_locale())


@lru_cache(maxsize=8192)
def _date_text(day: date, skeleton: str, locale: str) -> str:
    known = babel_locale(locale)
    if skeleton in {"full", "LLLL", "LLL", "EEEE", "EEE", "EEEEE"}:
        return str(format_date(day, skeleton, locale=known))
    return str(format_skeleton(skeleton, day, locale=known, fuzzy=True))


@lru_cache(maxsize=4096)
def _time_text(hour: int, minute: int, locale: str) -> str:
    return str(format_time(time(hour, minute), "short", locale=babel_locale(locale)))


@lru_cache(maxsize=4096)
def _money(amount_minor: int, currency: str, locale: str) -> str:
    return format_money(Money(amount_minor, currency), locale)


@lru_cache(maxsize=512)
def _unit(amount: int, unit: str, length: UnitLength, locale: str) -> str:
    return str(format_unit(amount, unit, length, locale=babel_locale(locale)))


FILTERS: dict[str, Callable[..., Any]] = {
    filter_.__name__: filter_
    for filter_ in (
        money,
        datetime_local,
        date_long,
        date_medium,
        date_short,
        time_short,
        time_range,
        date_range,
        weekday,
        weekday_short,
        day_number,
        month_name,
        month_short,
        month_year,
        zone_short,
        day_long,
        day_medium,
        day_short,
        day_in_two_lines,
        month_of,
        clock,
        iso,
        number,
        percent,
        minutes,
        minutes_in_words,
    )
}
