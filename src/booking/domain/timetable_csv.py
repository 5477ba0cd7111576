"""A spreadsheet as a timetable: columns found by what people call them."""

import hashlib
import re
from collections.abc import Iterator, Sequence
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
from src.booking.domain.timetable_cells import clock_time, read_date, read_moment, read_time
from src.booking.domain.timetable_columns import (
    ColumnChoice,
    Columns,
    bare_table,
    columns_of,
    unused_columns,
)
from src.platform.csvio import CsvRow, read_csv
from src.platform.i18n import _

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_NIGHT = timedelta(hours=12)
"""An end before its start is on the next day, as far as a night goes; else it is a slip."""

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


def parse_csv(
    content: bytes, *, zone: ZoneInfo, now: datetime, chosen: ColumnChoice | None = None
) -> Timetable:
    """What the sheet proposes from now on, at most eighteen months ahead; times on `zone`'s clock.

    A row that cannot be used is refused with its reason and the others go on; the columns are those
    that are `chosen`, else found by their headings.
    Raises: InvalidInput when no column tells when sessions are, ColumnsUnknown where the owner may
    point it out; UnreadableTextError.
    """
    table = bare_table(read_csv(content), headless=chosen is not None and chosen.headless)
    columns = columns_of(table, chosen)
    notes: list[str] = []
    columns = Columns(columns.places, _month_first(table.rows, columns, zone, notes))
    sessions: list[ProposedSession] = []
    refused: list[RefusedRow] = []
    for row in table.rows:
        title = columns.cell(row, "title")
        try:
            found = list(_sessions(row, columns, zone, now))
        except RowRefusedError as reason:
            start = _told_start(row, columns, zone)
            refused.append(RefusedRow(_row(row), title[:200], str(reason), start))
            continue
        sessions += found
        if len(sessions) > LARGEST_NUMBER_OF_SESSIONS:
            notes.append(_("Only the first 10,000 dates were read; import the rest later."))
            break
    # What starts together stays in the order of the file.
    ordered = sorted(sessions[:LARGEST_NUMBER_OF_SESSIONS], key=lambda one: one.starts_at)
    unused = unused_columns(table, columns)
    return Timetable(tuple(ordered), tuple(refused), tuple(notes), unused)


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
        notes.append(_("Dates such as %(date)s were read with the month first.", date=found[0][0]))
    else:
        notes.append(_("Dates such as %(date)s were read with the day first.", date=found[0][0]))
    return month_first


def _row(row: CsvRow) -> str:
    return _("line %(number)s", number=row.number)


def _sessions(
    row: CsvRow, columns: Columns, zone: ZoneInfo, now: datetime
) -> Iterator[ProposedSession]:
    """One session, or one a week where the row has a first and a last date."""
    spans = list(_spans(row, columns))
    upcoming = [(start, end) for start, end in spans if _is_ahead(start, zone, now)]
    if not upcoming:
        raise RowRefusedError(_why_not_ahead([start for start, _end in spans], zone, now))
    for start, end in upcoming:
        yield _session(row, columns, zone, start, end)


def _why_not_ahead(starts: Sequence[datetime], zone: ZoneInfo, now: datetime) -> str:
    begins = [moment(start, zone, []) for start in starts]
    if not begins:
        return _("Its weekday does not come between its first and its last date.")
    if all(at <= now for at in begins):
        return _("It is over.")
    if all(at > now for at in begins):
        return _("It is more than eighteen months ahead.")
    return _("Its dates are over, or more than eighteen months ahead.")


def _told_start(row: CsvRow, columns: Columns, zone: ZoneInfo) -> datetime | None:
    """When a row that is refused would begin, as far as it can be read."""
    try:
        return moment(next(_starts(row, columns)), zone, [])
    except (RowRefusedError, StopIteration):
        return None


def _is_ahead(start: datetime, zone: ZoneInfo, now: datetime) -> bool:
    return now < moment(start, zone, []) <= last_moment(now)


def _session(
    row: CsvRow, columns: Columns, zone: ZoneInfo, start: datetime, end: datetime
) -> ProposedSession:
    notes: list[str] = []
    starts_at = moment(start, zone, notes)
    ends_at = tidy_end(starts_at, moment(end, zone, []), notes)
    if end.date() > start.date() and not columns.has("ends_at"):
        notes.append(_("It ends on the next day."))
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
        min_seats=_minimum(columns.cell(row, "min_seats")),
        location_name=place,
        performer_name=performer,
        notes=tuple(notes),
    )


def _capacity(text: str) -> int | None:
    if not text:
        return None
    number = _NUMBER.fullmatch(text.removesuffix(".0"))
    if number is None:
        raise RowRefusedError(_("“%(text)s” is not a number of seats.", text=text[:20]))
    if int(number[0]) < 1:
        raise RowRefusedError(_("It has no place to offer."))
    return int(number[0])


def _minimum(text: str) -> int | None:
    """0 and nothing are none."""
    number = _NUMBER.fullmatch(text.removesuffix(".0")) if text else None
    if text and number is None:
        raise RowRefusedError(_("“%(text)s” is not a number of people.", text=text[:20]))
    return int(number[0]) or None if number is not None else None


def _spans(row: CsvRow, columns: Columns) -> Iterator[tuple[datetime, datetime]]:
    for start in _starts(row, columns):
        yield start, _end_of(row, columns, start)


def _starts(row: CsvRow, columns: Columns) -> Iterator[datetime]:
    if columns.has("starts_at"):
        yield read_moment(columns.cell(row, "starts_at"), month_first=columns.month_first)
        return
    begin = _start_time(row, columns)
    for day in _days(row, columns):
        yield datetime.combine(day, begin)


def _days(row: CsvRow, columns: Columns) -> Iterator[date]:
    if columns.cell(row, "date"):
        yield read_date(columns.cell(row, "date"), month_first=columns.month_first)
        return
    first = read_date(columns.cell(row, "first_date"), month_first=columns.month_first)
    last = read_date(
        columns.cell(row, "last_date") or columns.cell(row, "first_date"),
        month_first=columns.month_first,
    )
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
        return clock_time(columns.cell(row, "start_hour"), columns.cell(row, "start_minute"))
    return read_time(columns.cell(row, "start"))


def _end_of(row: CsvRow, columns: Columns, start: datetime) -> datetime:
    """The end on the same wall clock; one before the start is on the next day."""
    if columns.cell(row, "ends_at"):
        return read_moment(columns.cell(row, "ends_at"), month_first=columns.month_first)
    if columns.has("end_hour"):
        end = clock_time(columns.cell(row, "end_hour"), columns.cell(row, "end_minute"))
    elif columns.cell(row, "end"):
        end = read_time(columns.cell(row, "end"))
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
