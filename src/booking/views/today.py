"""What the first page of the day shows."""

from datetime import datetime

import msgspec

from src.billing.views.orders import MonthTotals
from src.booking.views.sessions import SessionListRow


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person; `label` and `href` lead to where it is settled."""

    tone: str
    text: str
    href: str
    label: str


class MonthCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Bookings that count this month against the plan; no limit when `limit` is None."""

    month_starts_at: datetime
    taken: int
    limit: int | None

    @property
    def is_used_up(self) -> bool:
        return self.limit is not None and self.taken >= self.limit


class BusinessToday(msgspec.Struct, frozen=True, kw_only=True):
    """How the business stands, for those who run it."""

    totals: MonthTotals
    counter: MonthCounter
    needs: list[Need]


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """`business` is None for an instructor, who sees their own sessions only."""

    sessions: list[SessionListRow]
    has_any: bool
    business: BusinessToday | None
