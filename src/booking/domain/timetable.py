"""What a timetable file proposes, whatever its format."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from src.booking.domain.session_rules import LONGEST_SESSION, LONGEST_TITLE
from src.platform.i18n import _
from src.platform.localtime import is_ambiguous, is_nonexistent, to_local, to_utc

FURTHEST_AHEAD = relativedelta(months=18)
LARGEST_NUMBER_OF_SESSIONS = 10_000
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedSession:
    """One dated session as the file has it.

    `row_ref` is where a person finds it in the file. `uid` stays the same when the same file is
    read again, and differs between any two sessions of it. `notes` say what was understood in a
    way that the owner might not expect.
    """

    row_ref: str
    uid: str
    title: str
    starts_at: datetime
    ends_at: datetime
    capacity: int | None = None
    min_seats: int | None = None
    location_name: str | None = None
    performer_name: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def event(self) -> str:
        """What its uid shares with the other dates of its event, or of rows that say the same."""
        return self.uid.rpartition("|")[0]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """`starts_at` is None where its day or its time cannot be read."""

    row_ref: str
    title: str
    reason: str
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Timetable:
    """`notes` concern the file as a whole; `unused` are headings of a table that nothing read."""

    sessions: tuple[ProposedSession, ...]
    refused: tuple[RefusedRow, ...]
    notes: tuple[str, ...]
    unused: tuple[str, ...] = ()


class RowRefusedError(Exception):
    """One row or event cannot be used; the text says why, in words for its owner."""


def last_moment(now: datetime) -> datetime:
    """How far ahead an import reaches."""
    return now + FURTHEST_AHEAD


def moment(local: datetime, zone: ZoneInfo, notes: list[str]) -> datetime:
    """The moment of a wall-clock time; notes what the clocks' change does to it."""
    at = to_utc(local, zone)
    if is_nonexistent(local, zone):
        shown = f"{to_local(at, zone):%H:%M}"
        notes.append(
            _(
                "%(time)s does not exist that day; read as %(shown)s.",
                time=f"{local:%H:%M}",
                shown=shown,
            )
        )
    elif is_ambiguous(local, zone):
        notes.append(_("%(time)s comes twice that day; the first is meant.", time=f"{local:%H:%M}"))
    return at


def tidy_end(starts_at: datetime, ends_at: datetime, notes: list[str]) -> datetime:
    """The end on the full minute: many systems end one second early, at 16:14:59.

    Raises RowRefusedError where the end does not follow the start within seven days.
    """
    if ends_at.second == 59:
        ends_at += timedelta(seconds=1)
        notes.append(_("The end was rounded up to the full minute."))
    if ends_at <= starts_at:
        # What the clocks' change did to it stands among the notes, and is why.
        raise RowRefusedError(" ".join([*notes, _("It does not end after it starts.")]))
    if ends_at - starts_at > LONGEST_SESSION:
        raise RowRefusedError(_("It is longer than seven days."))
    return ends_at


def tidy_title(text: str, notes: list[str]) -> str:
    """The title on one line, within its greatest length."""
    title = " ".join(text.split())
    if len(title) > LONGEST_TITLE:
        notes.append(_("The title was shortened."))
        title = title[: LONGEST_TITLE - 1].rstrip() + "…"
    return title


def tidy_name(text: str | None) -> str | None:
    """A place or a person on one line; None where nothing is left."""
    return " ".join((text or "").split())[:LONGEST_NAME] or None
