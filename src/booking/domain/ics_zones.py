"""Which clock an iCalendar time is read on.

Zones are resolved without the parser's own cache, which is shared by the whole process: one
business's file must not define a zone for the next one's.
"""

import io
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from src.booking.domain.timetable import RowRefusedError, moment
from src.platform.i18n import _
from src.platform.localtime import to_local

_PLAIN_YEARLY_RULE = re.compile(
    r"FREQ=YEARLY(;(BYMONTH=\d{1,2}|BYDAY=[+-]?\d?[A-Z]{2}|BYMONTHDAY=-?\d{1,2}(,-?\d{1,2}){0,6}"
    r"|INTERVAL=1|COUNT=\d{1,3}|WKST=[A-Z]{2}|UNTIL=\d{8}(T\d{6}Z?)?))*",
    re.IGNORECASE,
)
_ZONE_PROPERTIES = re.compile(
    r"(BEGIN|END|TZID|DTSTART|RRULE|RDATE|TZOFFSETFROM|TZOFFSETTO|TZNAME)[:;]", re.IGNORECASE
)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)")
_DAY = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True)
class Clock:
    """A zone of the file, with a warning for each session when it had to be guessed."""

    zone: tzinfo
    warning: str | None = None

    def to_utc(self, local: datetime, notes: list[str]) -> datetime:
        if isinstance(self.zone, ZoneInfo):
            return moment(local, self.zone, notes)
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def to_local(self, at: datetime) -> datetime:
        if isinstance(self.zone, ZoneInfo):
            return to_local(at, self.zone)
        return at.astimezone(self.zone).replace(tzinfo=None, fold=0)


@dataclass(frozen=True, slots=True)
class FileClocks:
    """The clocks of one file.

    `own_zone` is the file's X-WR-TIMEZONE where it has a usable one; floating times are read in the
    business's zone.
    """

    business_zone: ZoneInfo
    own_zone: ZoneInfo | None
    defined: Mapping[str, tzinfo]

    @property
    def floating(self) -> Clock:
        return Clock(self.business_zone)

    @property
    def universal(self) -> Clock:
        """For times in UTC; repeated ones follow the wall clock of the file's own zone."""
        return Clock(self.own_zone or ZoneInfo("UTC"))

    def named(self, tzid: str) -> Clock:
        zone = known_zone(tzid) or self.defined.get(tzid)
        if zone is not None:
            return Clock(zone)
        guessed = self.own_zone or self.business_zone
        return Clock(
            guessed,
            _(
                "The time zone “%(tzid)s” is not known; the time was read as %(zone)s.",
                tzid=tzid[:60],
                zone=guessed.key,
            ),
        )


def known_zone(tzid: str) -> ZoneInfo | None:
    """An IANA zone by its name, its Windows name, or either with a vendor's prefix."""
    bare = tzid.strip().strip('"').strip("/")
    parts = WINDOWS_TO_OLSON.get(bare, bare).split("/")
    for start in range(min(len(parts), 10)):
        name = _iana_names().get("/".join(parts[start:]).lower())
        # A lone last part would take any vendor's "/x/EST" for a place.
        if name is not None and (start == 0 or "/" in name or name == "UTC"):
            return ZoneInfo(name)
    return None


@lru_cache(maxsize=1)
def _iana_names() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}


def defined_zones(blocks: Iterable[list[str]]) -> dict[str, tzinfo]:
    """The zones that a file describes itself, by TZID; what cannot be read is left out."""
    found: dict[str, tzinfo] = {}
    for lines in blocks:
        tzid = _value_of("TZID", lines)
        if tzid is None:
            continue
        zone = known_zone(_value_of("X-LIC-LOCATION", lines) or "") or _described(lines)
        if zone is not None:
            found[tzid] = zone
    return found


def _value_of(name: str, lines: list[str]) -> str | None:
    for line in lines:
        if line[: len(name) + 1].upper() in (f"{name}:", f"{name};"):
            return line.partition(":")[2].strip()
    return None


def _described(lines: list[str]) -> tzinfo | None:
    """The zone of a VTIMEZONE, as long as its rules are the plain yearly ones that zones have."""
    rules = [line[6:].strip() for line in lines if line.upper().startswith("RRULE:")]
    if len(lines) > 500 or not all(_PLAIN_YEARLY_RULE.fullmatch(rule) for rule in rules):
        return None
    text = "\n".join(line for line in lines if _ZONE_PROPERTIES.match(line))
    try:
        zone = tzical(io.StringIO(text)).get()
        # The rules are worked out only when they are used, and may turn out useless then.
        datetime(2026, 1, 1, tzinfo=zone).utcoffset()
    except (ValueError, TypeError, AttributeError, IndexError):
        return None
    return zone if isinstance(zone, tzinfo) else None


def is_day(value: str) -> bool:
    """Whether the value is a date without a time."""
    return _DAY.fullmatch(value) is not None


def read_time(value: str) -> tuple[datetime, bool]:
    """The naive time of an iCalendar DATE-TIME, and whether it is in UTC."""
    match = _TIME.fullmatch(value)
    if match is None:
        raise RowRefusedError(_("“%(value)s” is not a date and time.", value=value[:40]))
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001  a wall clock
    except ValueError as error:
        raise RowRefusedError(_("“%(value)s” is not a date and time.", value=value)) from error
    if not 1900 <= year < 2200:
        raise RowRefusedError(_("The year %(year)s is not in this century.", year=str(year)))
    return local, match[7] == "Z"


def read_day_end(value: str) -> datetime:
    """The last second of an iCalendar DATE."""
    return read_time(f"{value}T000000")[0] + timedelta(days=1, seconds=-1)
