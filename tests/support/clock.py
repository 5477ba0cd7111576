"""Time that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

MONDAY_MORNING = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


class FrozenClock:
    """A clock that a test sets and advances; aware UTC throughout."""

    def __init__(self, at: datetime = MONDAY_MORNING) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


class TickingClock(FrozenClock):
    """No two looks at it are the same moment, as on a real one."""

    def now(self) -> datetime:
        self.advance(timedelta(microseconds=1))
        return self.at
