"""When somebody may be ticked as here, as missing, or as neither."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.attendance import TICKED_FROM, check_in_opens_at, is_expected, why_not_tick
from src.booking.domain.kinds import SeatState, SessionState

ZONE = ZoneInfo("Europe/Amsterdam")
EVENING = datetime(2027, 3, 28, 16, 0, tzinfo=UTC)
"""18:00 on the day on which the clocks go forward."""


@pytest.mark.parametrize(
    ("starts_at", "opens_at"),
    [
        (EVENING, datetime(2027, 3, 27, 23, 0, tzinfo=UTC)),
        (
            datetime(2027, 3, 28, 0, 30, tzinfo=UTC),
            datetime(2027, 3, 27, 12, 30, tzinfo=UTC),
        ),
    ],
)
def test_check_in_opens_at_midnight_or_twelve_hours_ahead(
    starts_at: datetime, opens_at: datetime
) -> None:
    assert check_in_opens_at(starts_at, ZONE) == opens_at


@pytest.mark.parametrize(
    ("minutes", "is_so"), [(-121, False), (-120, True), (0, True), (60, True), (61, False)]
)
def test_guests_are_expected_from_two_hours_before_until_the_end(minutes: int, is_so: bool) -> None:
    now = EVENING + timedelta(minutes=minutes)
    assert is_expected(EVENING, EVENING + timedelta(hours=1), now) is is_so


@pytest.mark.parametrize(
    ("wanted", "now", "may"),
    [
        (SeatState.ATTENDED, datetime(2027, 3, 27, 22, 59, 59, tzinfo=UTC), False),
        (SeatState.ATTENDED, datetime(2027, 3, 27, 23, 0, tzinfo=UTC), True),
        (SeatState.ATTENDED, datetime(2027, 4, 20, tzinfo=UTC), True),
        (SeatState.NO_SHOW, datetime(2027, 3, 28, 15, 59, 59, tzinfo=UTC), False),
        (SeatState.NO_SHOW, EVENING, True),
        (SeatState.CONFIRMED, datetime(2027, 3, 1, tzinfo=UTC), True),
    ],
)
def test_each_mark_has_its_time(wanted: SeatState, now: datetime, may: bool) -> None:
    refusal = why_not_tick(wanted, SessionState.SCHEDULED, EVENING, ZONE, now)
    assert (refusal is None) is may


@pytest.mark.parametrize("state", [SessionState.CANCELLING, SessionState.CANCELLED])
@pytest.mark.parametrize("wanted", list(TICKED_FROM))
def test_nobody_is_ticked_in_a_cancelled_session(state: SessionState, wanted: SeatState) -> None:
    assert why_not_tick(wanted, state, EVENING, ZONE, EVENING) is not None


def test_a_tick_confirms_no_hold_and_brings_back_no_seat() -> None:
    assert TICKED_FROM[SeatState.CONFIRMED] == {SeatState.ATTENDED, SeatState.NO_SHOW}
    assert TICKED_FROM[SeatState.ATTENDED] == {SeatState.CONFIRMED, SeatState.NO_SHOW}
    assert TICKED_FROM[SeatState.NO_SHOW] == {SeatState.CONFIRMED, SeatState.ATTENDED}
