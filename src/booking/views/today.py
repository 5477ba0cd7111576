"""What the first page of the day shows."""

from datetime import datetime
from uuid import UUID

import msgspec

from src.billing.views.orders import MonthTotals
from src.booking.views.sessions import SessionListRow


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person; `label` and `href` lead to where it is settled."""

    tone: str
    text: str
    href: str
    label: str


class Unticked(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is over: of `left` of its `people` nobody has said whether they came."""

    id: UUID
    what: str
    starts_at: datetime
    left: int
    people: int


class MonthCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Bookings that count this month against the plan; no limit when `limit` is None."""

    month_starts_at: datetime
    taken: int
    limit: int | None

    @property
    def is_used_up(self) -> bool:
        return self.limit is not None and self.taken >= self.limit


class ChartPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A bar: `tick` stands below it, in as many lines as it has; `label` and `text` say it in
    words; no bar where no value.
    """

    tick: str
    label: str
    text: str
    value: float | None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A question, its answer in a sentence, and the bars.

    `scale` is what the numbers beside the bars are: `percent`, `count`, or "" for none.
    """

    id: str
    question: str
    answer: str
    columns: tuple[str, str]
    points: list[ChartPoint]
    scale: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(point.value for point in self.points)

    @property
    def bars(self) -> str:
        """The bars as JSON, for the script that draws them."""
        return msgspec.json.encode(self.points).decode()


class BusinessToday(msgspec.Struct, frozen=True, kw_only=True):
    """How the business stands, for those who run it."""

    totals: MonthTotals
    counter: MonthCounter
    needs: list[Need]
    charts: list[Chart]


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """`business` is None for an instructor, who sees their own sessions only."""

    sessions: list[SessionListRow]
    unticked: list[Unticked]
    has_any: bool
    business: BusinessToday | None
