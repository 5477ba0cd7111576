"""Which column of a sheet holds what: by what people call it, by what stands in it, by choice."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from src.booking.domain.timetable_cells import is_date, is_moment, is_time
from src.platform.csvio import CsvRow, CsvTable
from src.platform.errors import InvalidInput
from src.platform.i18n import _

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "class name", "course title", "class", "course", "name",
              "session", "summary", "titel", "kurs", "kursname", "bezeichnung", "titre", "cours",
              "título", "titulo", "clase", "curso", "les", "cursus", "tytuł", "zajęcia", "nazwa"),
    "date": ("date", "day date", "datum", "data", "fecha"),
    "start": ("start", "start time", "begin", "from", "starts", "beginn", "anfang", "startzeit",
              "uhrzeit", "von", "tijd", "begintijd", "starttijd", "aanvang", "van", "godzina",
              "początek", "od", "début", "debut", "heure", "heure de début", "inicio", "hora",
              "hora de inicio", "desde"),
    "end": ("end", "end time", "to", "until", "ends", "ende", "endzeit", "bis", "einde", "eindtijd",
            "tot", "koniec", "do", "fin", "heure de fin", "hora de fin", "hasta"),
    "starts_at": ("starts at", "start datetime", "start date time", "dtstart"),
    "ends_at": ("ends at", "end datetime", "end date time", "dtend"),
    "start_hour": ("start hour",),
    "start_minute": ("start minute", "start min"),
    "end_hour": ("end hour",),
    "end_minute": ("end min", "end minute"),
    "first_date": ("first date",),
    "last_date": ("last date",),
    "weekday": ("dayoftheweek", "day of the week", "weekday", "day"),
    "duration": ("duration", "minutes", "duration minutes", "length", "dauer", "duur", "durée",
                 "duración", "duracion"),
    "capacity": ("capacity", "places", "seats", "spaces", "max", "plätze", "plaetze", "kapazität",
                 "max teilnehmer", "plaatsen", "capaciteit", "capacité", "nombre de places",
                 "plazas", "capacidad", "aforo", "miejsca", "liczba miejsc"),
    "min_seats": ("minimum", "min seats", "minimum group size", "minimum participants",
                  "min participants", "min people", "at least",
                  "min teilnehmer", "mindestteilnehmer", "mindestteilnehmerzahl"),
    "location": ("location", "site", "venue", "room", "place", "address", "ort", "raum",
                 "standort", "locatie", "zaal", "ruimte", "plaats", "lieu", "salle", "lugar",
                 "sala", "miejsce"),
    "performer": ("instructor", "teacher", "coach", "performer", "trainer", "leader", "lehrer",
                  "lehrerin", "lehrkraft", "trainerin", "kursleitung", "kursleiter",
                  "kursleiterin", "leitung", "dozent", "dozentin", "docent", "docente", "leraar",
                  "lerares", "professeur", "prof", "enseignant", "enseignante", "intervenant",
                  "profesor", "profesora", "monitor", "monitora", "instructora", "instruktor",
                  "instruktorka", "prowadzący", "prowadząca"),
    "uid": ("uid", "id", "external id"),
}  # fmt: skip
"""What a column may be called, in small letters and with blanks for other signs."""

DAYS = ("date", "starts_at", "first_date")
TIMES = ("start", "starts_at", "start_hour")
ENDS = ("end", "ends_at", "end_hour", "duration")
ROWS_LOOKED_AT = 20
MOST = 0.75
"""A slip of the pen in a column does not hide what the column is."""


class ColumnsUnknown(InvalidInput):
    """A table whose columns for day and time have to be pointed out."""

    code = "columns_unknown"


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Where each thing stands as its owner said it; `headless`: the first line is a row already."""

    places: Mapping[str, int] = field(default_factory=dict)
    headless: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each thing stands, by its own name; `month_first` is how 4/2/2027 is meant."""

    places: Mapping[str, int]
    month_first: bool = False

    def cell(self, row: CsvRow, name: str) -> str:
        place = self.places.get(name)
        return row.cells[place] if place is not None and place < len(row.cells) else ""

    def has(self, name: str) -> bool:
        return name in self.places

    def has_any(self, *names: str) -> bool:
        return any(name in self.places for name in names)


def find_columns(header: Sequence[str]) -> Columns:
    """The columns by their headings; the first heading that fits a name takes it."""
    plain = [_plain(text) for text in header]
    places: dict[str, int] = {}
    for name, words in SYNONYMS.items():
        for word in words:
            if word in plain and plain.index(word) not in places.values():
                places[name] = plain.index(word)
                break
    return Columns(places)


def _find_in(table: CsvTable, rows: Sequence[CsvRow]) -> Columns:
    """`find_columns`, where what is called the start or end may hold the day as well."""
    places = dict(find_columns(table.header).places)
    if not any(name in places for name in DAYS):
        for name in ("start", "end"):
            if name in places and _are_moments(rows[:ROWS_LOOKED_AT], places[name]):
                places[f"{name}s_at"] = places.pop(name)
    return Columns(places)


def _are_moments(rows: Sequence[CsvRow], at: int) -> bool:
    """Whether the cells of the column are days with a time."""
    return _likely(_cells(rows, at))[:1] == ("starts_at",)


def _cells(rows: Sequence[CsvRow], at: int) -> list[str]:
    return [row.cells[at] for row in rows if at < len(row.cells) and row.cells[at]]


def _plain(heading: str) -> str:
    """A letter and an accent that some systems write apart are one letter here."""
    composed = unicodedata.normalize("NFC", heading)
    return " ".join(re.sub(r"[^\w]+|_", " ", composed).lower().split())


def unused_columns(table: CsvTable, columns: Columns) -> tuple[str, ...]:
    """The headings of those columns that hold something and are not read, as the file has them."""
    free = [at for at in range(len(table.header)) if at not in columns.places.values()]
    filled = {at for row in table.rows for at in free if at < len(row.cells) and row.cells[at]}
    return tuple(table.header[at] or _("Column %(number)s", number=at + 1) for at in sorted(filled))


def bare_table(table: CsvTable, *, headless: bool) -> CsvTable:
    """The table with its columns numbered where the first line is no heading."""
    if not headless:
        return table
    names = tuple(_("Column %(number)s", number=at + 1) for at in range(len(table.header)))
    rows = (CsvRow(1, table.header), *table.rows)
    return CsvTable(names, rows, table.delimiter, table.encoding)


def columns_of(table: CsvTable, chosen: ColumnChoice | None) -> Columns:
    """The columns as chosen, else by their headings.

    Raises: ColumnsUnknown when no column tells when sessions are, InvalidInput where there is
    nothing to choose from.
    """
    columns = Columns(chosen.places) if chosen is not None else _find_in(table, table.rows)
    if columns.has_any(*DAYS) and columns.has_any(*TIMES):
        return columns
    shown = ", ".join(text for text in table.header if text)[:200] or _("none")
    is_table = len(table.header) > 1 and len(table.rows) > 0
    raise (ColumnsUnknown if is_table else InvalidInput)(
        _(
            "No columns for day and time were found. Name them date, start and end,"
            " or starts_at and ends_at. The file has: %(columns)s.",
            columns=shown,
        )
    )


def choice_errors(places: Mapping[str, int]) -> dict[str, str]:
    """Sentences by the name of the column that is missing; empty when the choice will do."""
    wrong: dict[str, str] = {}
    if not any(name in places for name in DAYS):
        wrong["date"] = _("Say which column has the day.")
    if not any(name in places for name in TIMES):
        wrong["start"] = _("Say which column has the start.")
    if not any(name in places for name in ENDS):
        wrong["end"] = _("Say which column has the end, or how long it lasts.")
    return wrong


_LOOKS: tuple[tuple[Callable[[str], bool], tuple[str, ...]], ...] = (
    (is_date, ("date",)),
    (is_moment, ("starts_at", "ends_at")),
    (is_time, ("start", "end")),
)


def guess_columns(table: CsvTable) -> ColumnChoice:
    """A first choice for the owner: by the headings, then by what stands below them."""
    headless = any(is_date(text) or is_moment(text) for text in table.header)
    rows = bare_table(table, headless=headless).rows[:ROWS_LOOKED_AT]
    places = {} if headless else dict(_find_in(table, rows).places)
    free = [at for at in range(len(table.header)) if at not in places.values()]
    for at in free:
        name = next((one for one in _likely(_cells(rows, at)) if one not in places), None)
        if name is not None and not _is_known(name, places):
            places[name] = at
    return ColumnChoice(places, headless)


def _likely(cells: Sequence[str]) -> tuple[str, ...]:
    """What a column of these cells may be, the likeliest first."""
    if not cells:
        return ()
    for reads, names in _LOOKS:
        if sum(map(reads, cells)) >= len(cells) * MOST:
            return names
    return ("title",) if not any(cell.isdecimal() for cell in cells) else ()


def _is_known(name: str, places: Mapping[str, int]) -> bool:
    """Whether the headings have said already what this column would say."""
    same = next((group for group in (DAYS, TIMES, ENDS) if name in group), ())
    both = name == "starts_at" and "date" in places
    return both or any(one in places for one in same if one != name)
