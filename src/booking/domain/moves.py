"""What a change of a session means to the guests who booked it as it was."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Facet(StrEnum):
    """What guests have to hear of when it changes."""

    TIME = "time"
    TITLE = "title"
    PLACE = "place"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A session as guests are told of it. `place` is one line, empty for an online one.

    `timezone` is the clock the time was spelled on.
    """

    starts_at: datetime
    ends_at: datetime
    timezone: str
    title: str
    mode: str
    place: str
    meeting_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a date was as somebody heard of it, on the clock of then, and why that was changed
    since, the latest reason first.
    """

    starts_at: datetime
    ends_at: datetime
    timezone: str
    reasons: tuple[str, ...] = ()


def what_differs(before: Said, now: Said) -> tuple[Facet, ...]:
    """What has to be told to somebody who knows `before`; nothing when it came back to that.

    Another clock alone is no news: the moment is what calendars keep.
    """
    pairs = {
        Facet.TIME: (before.starts_at, before.ends_at) != (now.starts_at, now.ends_at),
        Facet.TITLE: before.title != now.title,
        Facet.PLACE: (before.mode, before.place) != (now.mode, now.place),
        Facet.LINK: before.meeting_url != now.meeting_url,
    }
    return tuple(facet for facet, differs in pairs.items() if differs)


def place_line(name: str | None, address: str | None) -> str:
    """Where to go, as one line; empty where there is no place."""
    return ", ".join(filter(None, (name, address)))


def may_leave_free_because_moved(
    sold_sequence: int, moved_sequence: int, *, is_marked: bool
) -> bool:
    """Whether a seat may be given back without any penalty: its session was moved since it was
    sold, or `is_marked`, the guest was moved to it or came to it from a seat of that kind. A hold
    counts from when it was made, and a move back takes nothing away again.
    """
    return is_marked or sold_sequence < moved_sequence


def clocks_change_between(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    """Whether the zone is at another offset from UTC at one moment than at the other."""
    return one.astimezone(zone).utcoffset() != other.astimezone(zone).utcoffset()
