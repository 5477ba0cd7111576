"""What the pages about importing a timetable show."""

from datetime import datetime
from uuid import UUID

import msgspec


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner chose for rows that do not say it, kept with the uploaded file.

    Names nobody here has are taken up as new people and places only when the owner says so.
    `columns` are the places of a table's columns by what they hold, where the owner pointed them
    out; `headless`: its first line is a row already.
    """

    default_capacity: int
    default_performer_id: UUID | None = None
    default_location_id: UUID | None = None
    add_performers: bool = True
    add_locations: bool = True
    columns: dict[str, int] | None = None
    headless: bool = False


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file with what would become of it; times are None where it has none."""

    row_ref: str
    title: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    capacity: int | None = None
    performer: str = ""
    place: str = ""
    said: str = ""


class PastImport(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was uploaded before."""

    id: UUID
    filename: str
    state: str
    created_count: int
    created_at: datetime
    committed_at: datetime | None
