"""What hours of work can be written down."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from src.booking.domain.free_times import DAY_MINUTES, Hours
from src.platform.i18n import _

MOST_STRETCHES = 6
LONGEST_DAYS = 366


def hours_error(hours: Sequence[Hours]) -> str:
    """What is wrong with a day's stretches, empty if nothing."""
    if len(hours) > MOST_STRETCHES:
        return _("At most %(most)s stretches a day.", most=MOST_STRETCHES)
    for one in hours:
        if not 0 <= one.starts_minute < DAY_MINUTES or not 0 < one.ends_minute <= DAY_MINUTES:
            return _("A time of day lies between 00:00 and 24:00.")
        if one.ends_minute <= one.starts_minute:
            return _("It has to end after it begins.")
    ordered = sorted(hours)
    for earlier, later in pairwise(ordered):
        if later.starts_minute < earlier.ends_minute:
            return _("Two of the stretches overlap.")
    return ""


def week_errors(week: Mapping[int, Sequence[Hours]]) -> dict[str, str]:
    """By "day_0" for Monday and so on."""
    found = {f"day_{weekday}": hours_error(hours) for weekday, hours in week.items()}
    return {field: sentence for field, sentence in found.items() if sentence}


def day_errors(on_date: date, until_on: date, hours: Sequence[Hours]) -> dict[str, str]:
    fields: dict[str, str] = {}
    if until_on < on_date:
        fields["until_on"] = _("The last day cannot be before the first.")
    elif (until_on - on_date).days >= LONGEST_DAYS:
        fields["until_on"] = _("At most a year at once.")
    sentence = hours_error(hours)
    if sentence:
        fields["hours"] = sentence
    return fields
