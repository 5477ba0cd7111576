"""A spreadsheet as a timetable: columns found by what people call them."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from src.booking.domain.timetable import (
    LARGEST_NUMBER_OF_SESSIONS,
    ProposedSession,
    RefusedRow,
    RowRefusedError,
    Timetable,
    last_moment,
    moment,
    tidy_end,
    tidy_name,
    tidy_title,
)
from src.platform.csvio import CsvRow, read_csv
from src.platform.errors import InvalidInput
from src.platform.i18n import _

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "class name", "course title", "class", "course", "name",
              "session", "summary", "titel", "kurs"),
    "date": ("date", "day date", "datum", "data"),
    "start": ("start", "start time", "begin", "from", "starts", "beginn", "tijd", "godzina"),
    "end": ("end", "end time", "to", "until", "ends", "ende", "einde"),
    "starts_at": ("starts at", "start datetime", "start date time", "dtstart"),
    "ends_at": ("ends at", "end datetime", "end date time", "dtend"),
    "start_hour": ("start hour",),
    "start_minute": ("start minute", "start min"),
    "end_hour": ("end hour",),
    "end_minute": ("end min", "end minute"),
    "first_date": ("first date",),
    "last_date": ("last date",),
    "weekday": ("dayoftheweek", "day of the week", "weekday", "day"),
    "duration": ("duration", "minutes", "duration minutes", "length"),
    "capacity": ("capacity", "places", "seats", "spaces", "max"),
    "location": ("location", "site", "venue", "room", "place", "address"),
    "performer": ("instructor", "teacher", "coach", "performer", "trainer", "leader"),
    "uid": ("uid", "id", "external id"),
}  # fmt: skip
"""What a column may be called, in small letters and with blanks for other signs."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_NIGHT = timedelta(hours=12)
"""An end before its start is on the next day, as far as a night goes; else it is a slip."""

_DATE_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y")
_TIME = re.compile(r"(\d{1,2})[:.h]?(\d{2})?(?::(\d{2}))?\s*(am|pm)?", re.IGNORECASE)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}\b")
_MONTH_FIRST_ZONES = (
    "America/New_York",
    "America/Detroit",
    "America/Chicago",
    "America/Denver",
    "America/Boise",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Indiana/",
    "America/Kentucky/",
    "America/North_Dakota/",
    "Pacific/Honolulu",
    "US/",
)
_NUMBER = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each thing stands, by its own name; `month_first` is how 4/2/2027 is meant."""

    places: Mapping[str, int]
    month_first: bool = False

    def cell(self, row: CsvRow, name: str) -> str:
        place = self.places.get(name)
        return row.cells[place] if place is not None and place < len(row.cells) else ""

    def has(self, *names: str) -> bool:
        return all(name in self.places for name in names)


def find_columns(header: Sequence[str]) -> Columns:
    """The columns by their headings; the first heading that fits a name takes it."""
    plain = [" ".join(re.sub(r"[^\w]+|_", " ", text).lower().split()) for text in header]
    places: dict[str, int] = {}
    for name, words in SYNONYMS.items():
        for word in words:
            if word in plain and plain.index(word) not in places.values():
                places[name] = plain.index(word)
                break
    return Columns(places)


def parse_csv(content: bytes, *, zone: ZoneInfo, now: datetime) -> Timetable:
    """What the sheet proposes from now on, at most eighteen months ahead; times on `zone`'s clock.

    A row that cannot be used is refused with its reason and the others go on.
    Raises: InvalidInput when no column tells when sessions are; UnreadableTextError.
    """
    table = read_csv(content)
    columns = find_columns(table.header)
    _check_columns(columns, table.header)
    notes: list[str] = []
    columns = Columns(columns.places, _month_first(table.rows, columns, zone, notes))
    sessions: list[ProposedSession] = []
    refused: list[RefusedRow] = []
    for row in table.rows:
        title = columns.cell(row, "title")
        try:
            found = list(_sessions(row, columns, zone, now))
        except RowRefusedError as reason:
            refused.append(RefusedRow(_row(row), title[:200], str(reason)))
            continue
        sessions += found
        if len(sessions) > LARGEST_NUMBER_OF_SESSIONS:
            notes.append(_("Only the first 10,000 dates were read; import the rest later."))
            break
    ordered = sorted(
        sessions[:LARGEST_NUMBER_OF_SESSIONS], key=lambda one: (one.starts_at, one.uid)
    )
    return Timetable(tuple(ordered), tuple(refused), tuple(notes))


def _month_first(
    rows: Sequence[CsvRow], columns: Columns, zone: ZoneInfo, notes: list[str]
) -> bool:
    """Whether dates with slashes put the month first, as the whole file shows it.

    Where no date of the file tells, the habit of the business's country does, and a note says so.
    """
    names = ("date", "starts_at", "first_date", "last_date")
    cells = (columns.cell(row, name) for row in rows for name in names)
    found = [match for match in map(_SLASHED.match, cells) if match]
    if not found or any(int(match[1]) > 12 for match in found):
        return False
    if any(int(match[2]) > 12 for match in found):
        return True
    month_first = zone.key.startswith(_MONTH_FIRST_ZONES)
    if month_first:
        notes.append(_("Dates such as 4/2/2027 were read with the month first."))
    else:
        notes.append(_("Dates such as 4/2/2027 were read with the day first."))
    return month_first


def _check_columns(columns: Columns, header: Sequence[str]) -> None:
    has_day = columns.has("date") or columns.has("starts_at") or columns.has("first_date")
    has_time = columns.has("start") or columns.has("starts_at") or columns.has("start_hour")
    if has_day and has_time:
        return
    shown = ", ".join(text for text in header if text)[:200] or _("none")
    raise InvalidInput(
        _(
            "No columns for day and time were found. Name them date, start and end,"
            " or starts_at and ends_at. The file has: %(columns)s.",
            columns=shown,
        )
    )


def _row(row: CsvRow) -> str:
    return _("line %(number)s", number=row.number)


def _sessions(
    row: CsvRow, columns: Columns, zone: ZoneInfo, now: datetime
) -> Iterator[ProposedSession]:
    """One session, or one a week where the row has a first and a last date."""
    spans = list(_spans(row, columns))
    upcoming = [(start, end) for start, end in spans if _is_ahead(start, zone, now)]
    if not upcoming:
        raise RowRefusedError(_("It is over, or more than eighteen months ahead."))
    for start, end in upcoming:
        yield _session(row, columns, zone, start, end)


def _is_ahead(start: datetime, zone: ZoneInfo, now: datetime) -> bool:
    return now < moment(start, zone, []) <= last_moment(now)


def _session(
    row: CsvRow, columns: Columns, zone: ZoneInfo, start: datetime, end: datetime
) -> ProposedSession:
    notes: list[str] = []
    starts_at = moment(start, zone, notes)
    ends_at = tidy_end(starts_at, moment(end, zone, []), notes)
    title = tidy_title(columns.cell(row, "title"), notes)
    place = tidy_name(columns.cell(row, "location"))
    performer = tidy_name(columns.cell(row, "performer"))
    said = "|".join([columns.cell(row, "uid"), title, place or "", performer or ""])
    key = hashlib.sha256(said.encode()).hexdigest()[:24]
    return ProposedSession(
        row_ref=_row(row),
        uid=f"{key}|{starts_at:%Y%m%dT%H%M%SZ}",
        title=title,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=_capacity(columns.cell(row, "capacity")),
        location_name=place,
        performer_name=performer,
        notes=tuple(notes),
    )


def _capacity(text: str) -> int | None:
    if not text:
        return None
    number = _NUMBER.fullmatch(text.removesuffix(".0"))
    if number is None:
        raise RowRefusedError(_("“%(text)s” is not a number of places.", text=text[:20]))
    if int(number[0]) < 1:
        raise RowRefusedError(_("It has no place to offer."))
    return int(number[0])


def _spans(row: CsvRow, columns: Columns) -> Iterator[tuple[datetime, datetime]]:
    if columns.has("starts_at"):
        start = _read_moment(columns.cell(row, "starts_at"), columns)
        yield start, _end_of(row, columns, start)
        return
    begin = _start_time(row, columns)
    for day in _days(row, columns):
        start = datetime.combine(day, begin)
        yield start, _end_of(row, columns, start)


def _days(row: CsvRow, columns: Columns) -> Iterator[date]:
    if columns.cell(row, "date"):
        yield _read_date(columns.cell(row, "date"), columns)
        return
    first = _read_date(columns.cell(row, "first_date"), columns)
    last = _read_date(columns.cell(row, "last_date") or columns.cell(row, "first_date"), columns)
    if not first <= last <= first + timedelta(days=800):
        raise RowRefusedError(_("Its last date is before its first, or years later."))
    word = columns.cell(row, "weekday").lower()
    if word in WEEKDAYS:
        first += timedelta(days=(WEEKDAYS.index(word) - first.weekday()) % 7)
    while first <= last:
        yield first
        first += timedelta(days=7)


def _start_time(row: CsvRow, columns: Columns) -> time:
    if columns.has("start_hour"):
        return _clock(columns.cell(row, "start_hour"), columns.cell(row, "start_minute"))
    return _read_time(columns.cell(row, "start"))


def _end_of(row: CsvRow, columns: Columns, start: datetime) -> datetime:
    """The end on the same wall clock; one before the start is on the next day."""
    if columns.cell(row, "ends_at"):
        return _read_moment(columns.cell(row, "ends_at"), columns)
    if columns.has("end_hour"):
        end = _clock(columns.cell(row, "end_hour"), columns.cell(row, "end_minute"))
    elif columns.cell(row, "end"):
        end = _read_time(columns.cell(row, "end"))
    else:
        minutes = _NUMBER.fullmatch(columns.cell(row, "duration"))
        if minutes is None:
            raise RowRefusedError(_("It has no end."))
        return start + timedelta(minutes=int(minutes[0]))
    ends = datetime.combine(start.date(), end)
    if ends <= start:
        ends += timedelta(days=1)
        if ends - start > LONGEST_NIGHT:
            raise RowRefusedError(_("It does not end after it starts."))
    return ends


def _read_moment(text: str, columns: Columns) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        day, _blank, clock = text.partition(" ")
        return datetime.combine(_read_date(day, columns), _read_time(clock))
    if found.tzinfo is not None:
        raise RowRefusedError(_("Its time names a zone; use the clock of your business."))
    return found


def _read_date(text: str, columns: Columns) -> date:
    slashed = "%m/%d/%Y" if columns.month_first else "%d/%m/%Y"
    for form in (*_DATE_FORMS, slashed):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise RowRefusedError(_("“%(text)s” is not a date. Write it as 2027-05-14.", text=text[:30]))


def _read_time(text: str) -> time:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise RowRefusedError(_("“%(text)s” is not a time. Write it as 18:30.", text=text[:30]))
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if found[4]:
        hour = hour % 12 + (12 if found[4].lower() == "pm" else 0)
    return _checked(hour, minute, second, text)


def _clock(hour: str, minute: str) -> time:
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
