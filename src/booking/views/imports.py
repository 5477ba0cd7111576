"""What the pages about importing a timetable show."""

from datetime import datetime
from uuid import UUID

import msgspec


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner chose for rows that do not say it, kept with the uploaded file.

    Names nobody here has are taken up as new people and places only when the owner says so.
    `columns` are the places of a table's columns by what they hold, where the owner pointed them
    out; `headless`: its first line is a row already. `left_out` are uids of sessions and of whole
    events that were unticked: thousands stay, few go.
    """

    default_capacity: int
    default_performer_id: UUID | None = None
    default_location_id: UUID | None = None
    add_performers: bool = True
    add_locations: bool = True
    columns: dict[str, int] | None = None
    headless: bool = False
    left_out: frozenset[str] = frozenset()


class Ticks(msgspec.Struct, frozen=True, kw_only=True):
    """The boxes that a page showed, by uid, and those of them that were ticked."""

    shown: frozenset[str] = frozenset()
    ticked: frozenset[str] = frozenset()

    def left_out_of(self, before: frozenset[str]) -> frozenset[str]:
        """Everything unticked so far; what the page did not show stays as it was."""
        return (before - self.shown) | (self.shown - self.ticked)


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """Several dates of one event, which can be left out at once."""

    uid: str
    title: str
    row_ref: str
    starts_at: datetime
    count: int
    ticked: bool


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file with what would become of it; times are None where none can be read."""

    row_ref: str
    title: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    capacity: int | None = None
    performer: str = ""
    place: str = ""
    said: str = ""
    uid: str = ""
    ticked: bool = True
    may_tick: bool = False


class PastImport(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was uploaded before."""

    id: UUID
    filename: str
    state: str
    created_count: int
    created_at: datetime
    committed_at: datetime | None
