"""Which other dates suit best whoever cannot come: ranked, with why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from src.platform.localtime import to_local

BEST = 3
NEAR = timedelta(minutes=60)
ENOUGH_ROOM = 3
MOST_WEEKS_COUNTED = 5


class Suits(StrEnum):
    """What speaks for a date, the weightiest first."""

    LEVEL = "level"
    PERFORMER = "performer"
    WEEKDAY = "weekday"
    TIME = "time"
    ROOM = "room"


WEIGHT = {
    Suits.LEVEL: 4,
    Suits.PERFORMER: 3,
    Suits.WEEKDAY: 3,
    Suits.TIME: 2,
    Suits.ROOM: 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFacts:
    """A date: the one that is given up, or one to come to instead. `tags` say its level."""

    session_id: UUID
    starts_at: datetime
    service_id: UUID
    performer_id: UUID | None
    tags: frozenset[str]
    left: int = 0


def what_suits(old: DateFacts, new: DateFacts, zone: ZoneInfo) -> list[Suits]:
    """What the new date has in common with the old one, the weightiest first."""
    then, now = to_local(old.starts_at, zone), to_local(new.starts_at, zone)
    gap = abs((then.hour * 60 + then.minute) - (now.hour * 60 + now.minute))
    near = min(gap, 24 * 60 - gap) <= NEAR.total_seconds() / 60
    same = {
        Suits.LEVEL: old.service_id == new.service_id or bool(old.tags & new.tags),
        Suits.PERFORMER: old.performer_id is not None and old.performer_id == new.performer_id,
        Suits.WEEKDAY: then.weekday() == now.weekday(),
        Suits.TIME: near,
        Suits.ROOM: new.left >= ENOUGH_ROOM,
    }
    return [suits for suits in Suits if same[suits]]


def best_first(old: DateFacts, dates: Sequence[DateFacts], zone: ZoneInfo) -> list[DateFacts]:
    """The dates by what they have in common with the old one, less a point for each week that they
    are away from it; of equals the soonest.
    """

    def rank(new: DateFacts) -> tuple[int, datetime, UUID]:
        points = sum(WEIGHT[suits] for suits in what_suits(old, new, zone))
        weeks = min(abs(new.starts_at - old.starts_at).days // 7, MOST_WEEKS_COUNTED)
        return (weeks - points, new.starts_at, new.session_id)

    return sorted(dates, key=rank)
