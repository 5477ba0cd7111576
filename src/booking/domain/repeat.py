"""Repeating sessions: from a rule in wall-clock words to dates that an owner can look through."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import WEEKLY, rrule

from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.localtime import is_ambiguous, is_nonexistent, to_local, to_utc

LARGEST_NUMBER_OF_DATES = 500
LONGEST_DURATION_MINUTES = 7 * 24 * 60
_SENSIBLE_YEARS = range(2000, 2200)


class OccurrenceNote(StrEnum):
    SKIPPED_HOLIDAY = "skipped_holiday"
    SKIPPED_DATE = "skipped_date"
    MOVED_FORWARD = "moved_forward"
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRule:
    """Weekly on `weekdays` (Monday is 0) from `start_on`, until a date or for a number of dates.

    `until_on` is the last day that may be used. `count` counts the dates that take place: one that
    is skipped is made up for at the end. `skip_holidays_of` is a country, "DE", or a part of one,
    "DE-BY".
    """

    weekdays: frozenset[int]
    start_on: date
    start_time: time
    duration_minutes: int
    until_on: date | None = None
    count: int | None = None
    skip_holidays_of: str | None = None
    skip_dates: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of the rule. `local_start` is what the clocks on the wall really show then."""

    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    note: OccurrenceNote | None
    holiday_name: str | None
    included: bool


def preview(rule: RepeatRule, zone: ZoneInfo) -> list[Occurrence]:
    """Every date of the rule in order, the skipped ones too, at least one of them included.

    Raises InvalidInput with the errors by the rule's fields.
    """
    fields = _errors(rule)
    if fields:
        raise InvalidInput(_("The dates cannot be worked out yet."), fields=fields)
    occurrences = _up_to_the_end(rule, zone)
    if not any(occurrence.included for occurrence in occurrences):
        end_field = "until_on" if rule.until_on else "count"
        raise InvalidInput(
            _("No date is left."),
            fields={end_field: _("No date is left between the start and the end.")},
        )
    return occurrences


def included_dates(occurrences: list[Occurrence]) -> list[Occurrence]:
    return [occurrence for occurrence in occurrences if occurrence.included]


def supported_holiday_regions() -> dict[str, list[str]]:
    """Country codes with the codes of their parts, as `skip_holidays_of` takes them."""
    # Imported here, as below, for its tables take more memory than all pages of guests together.
    from holidays import list_supported_countries

    return dict(list_supported_countries())


def holiday_region_names(country: str) -> dict[str, str]:
    """The parts of a country that have holidays of their own, by code, as people there call them;
    nothing for a country that is not known.
    """
    from holidays import country_holidays

    # The library takes any word of its own, such as "PUBLIC", for a country.
    if country not in supported_holiday_regions():
        return {}
    aliases = country_holidays(country).get_subdivision_aliases()
    return {code: _name(names) or code for code, names in aliases.items()}


def _name(aliases: list[str]) -> str:
    """The first is the one in use; before it France has abbreviations, in capitals."""
    return next((alias for alias in aliases if not alias.isupper()), "")


def _errors(rule: RepeatRule) -> dict[str, str]:
    return {**_errors_of_the_slot(rule), **_errors_of_the_end(rule)}


def _errors_of_the_slot(rule: RepeatRule) -> dict[str, str]:
    fields: dict[str, str] = {}
    if not rule.weekdays:
        fields["weekdays"] = _("Choose at least one weekday.")
    elif not rule.weekdays <= set(range(7)):
        fields["weekdays"] = _("Choose weekdays from Monday to Sunday.")
    if rule.start_on.year not in _SENSIBLE_YEARS:
        fields["start_on"] = _("Choose a date in this century.")
    if rule.duration_minutes < 1:
        fields["duration_minutes"] = _("A session lasts at least a minute.")
    elif rule.duration_minutes > LONGEST_DURATION_MINUTES:
        fields["duration_minutes"] = _("A session lasts seven days at most.")
    if (
        rule.skip_holidays_of
        and _holiday_calendar(rule.skip_holidays_of, 2026, current_locale()) is None
    ):
        fields["skip_holidays_of"] = _("The holidays of this place are not known.")
    return fields


def _errors_of_the_end(rule: RepeatRule) -> dict[str, str]:
    if (rule.until_on is None) == (rule.count is None):
        return {"until_on": _("Choose either a last day or a number of dates.")}
    if rule.until_on is not None and rule.until_on < rule.start_on:
        return {"until_on": _("The last day is before the first one.")}
    if rule.count is not None and not 1 <= rule.count <= LARGEST_NUMBER_OF_DATES:
        limit = LARGEST_NUMBER_OF_DATES
        return {"count": _("Choose a number from 1 to %(limit)s.", limit=limit)}
    return {}


def _up_to_the_end(rule: RepeatRule, zone: ZoneInfo) -> list[Occurrence]:
    """The dates up to the rule's end; raises InvalidInput where there are too many."""
    occurrences: list[Occurrence] = []
    missing = rule.count
    for local in _weekly(rule):
        if len(occurrences) == LARGEST_NUMBER_OF_DATES + len(rule.skip_dates):
            raise _too_many(rule)
        occurrence = _occurrence(rule, local, zone)
        occurrences.append(occurrence)
        if missing is not None:
            missing -= occurrence.included
            if missing == 0:
                break
    return occurrences


def _weekly(rule: RepeatRule) -> Iterator[datetime]:
    """Wall-clock starts; endless unless the rule ends on a day."""
    first = datetime.combine(rule.start_on, rule.start_time.replace(tzinfo=None))
    last = datetime.combine(rule.until_on, time.max) if rule.until_on else None
    yield from rrule(WEEKLY, dtstart=first, until=last, byweekday=sorted(rule.weekdays))


def _too_many(rule: RepeatRule) -> InvalidInput:
    limit = LARGEST_NUMBER_OF_DATES
    sentence = _("That is more than %(limit)s dates; choose an earlier end.", limit=limit)
    return InvalidInput(sentence, fields={"until_on" if rule.until_on else "count": sentence})


def _occurrence(rule: RepeatRule, local: datetime, zone: ZoneInfo) -> Occurrence:
    starts_at = to_utc(local, zone)
    holiday = holiday_name(rule.skip_holidays_of, local.date())
    note: OccurrenceNote | None = None
    if local.date() in rule.skip_dates:
        note = OccurrenceNote.SKIPPED_DATE
    elif holiday:
        note = OccurrenceNote.SKIPPED_HOLIDAY
    elif is_nonexistent(local, zone):
        note = OccurrenceNote.MOVED_FORWARD
    elif is_ambiguous(local, zone):
        note = OccurrenceNote.DOUBLED
    return Occurrence(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=rule.duration_minutes),
        local_start=to_local(starts_at, zone),
        note=note,
        holiday_name=holiday,
        included=note not in (OccurrenceNote.SKIPPED_DATE, OccurrenceNote.SKIPPED_HOLIDAY),
    )


def holiday_name(region: str | None, on: date) -> str | None:
    """The public holiday of a country, "DE", or a part of one, "DE-BY"; None on other days."""
    calendar = _holiday_calendar(region, on.year, current_locale()) if region else None
    return calendar.get(on) if calendar is not None else None


def _language_of_names(country: str, locale: str) -> str | None:
    """The one of the languages that the country's holidays are named in which the reader reads:
    otherwise that of the country. Where it is left open, the library takes that of the machine.
    """
    from holidays import country_holidays

    known = country_holidays(country)
    wanted = locale.replace("-", "_")
    language = wanted.partition("_")[0]
    alike = [one for one in known.supported_languages if one.partition("_")[0] == language]
    if wanted in alike:
        return wanted
    return alike[0] if alike else known.default_language


@lru_cache(maxsize=64)
def _holiday_calendar(region: str, year: int, locale: str) -> dict[date, str] | None:
    """The public holidays of one year by day, named for the reader where the names are known, or
    None where the region is not known.
    """
    from holidays import country_holidays

    country, _separator, asked = region.partition("-")
    if country.upper() not in supported_holiday_regions():
        return None
    # Most parts are written in capitals, but for cities such as Augsburg, and people write either.
    parts = {code.upper(): code for code in holiday_region_names(country.upper())}
    part = parts.get(asked.upper(), asked) or None
    try:
        found = country_holidays(
            country.upper(),
            subdiv=part,
            years=year,
            language=_language_of_names(country.upper(), locale),
        )
    except NotImplementedError:  # The library's word for a part that it does not have.
        return None
    return dict(found.items())
