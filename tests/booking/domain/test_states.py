from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.booking.domain.kinds import BookingState, SeatState, SessionState
from src.booking.domain.states import (
    LIVE_SEATS,
    SEAT_MOVES,
    SESSION_MOVES,
    TAKEN_SEATS,
    booking_state,
    sources_of,
    state_of_date,
)

seats = st.lists(st.sampled_from(SeatState), min_size=1, max_size=12)


def test_every_state_has_its_row_and_none_leads_to_itself() -> None:
    assert set(SEAT_MOVES) == set(SeatState)
    assert set(SESSION_MOVES) == set(SessionState)
    assert all(seat not in targets for seat, targets in SEAT_MOVES.items())
    assert all(session not in targets for session, targets in SESSION_MOVES.items())


def test_what_guards_the_updates_of_seats() -> None:
    assert sources_of(SeatState.CANCELLED) == LIVE_SEATS
    assert sources_of(SeatState.LATE_CANCELLED) == {SeatState.CONFIRMED}
    assert sources_of(SeatState.SWAPPED) == {SeatState.CONFIRMED}
    assert sources_of(SeatState.EXPIRED) == {SeatState.HELD}
    assert sources_of(SeatState.HELD) == set()
    assert sources_of(SeatState.CONFIRMED) >= {SeatState.HELD, SeatState.EXPIRED}


def test_a_session_is_cancelled_only_by_way_of_cancelling() -> None:
    assert sources_of(SessionState.CANCELLING) == {SessionState.SCHEDULED}
    assert sources_of(SessionState.CANCELLED) == {SessionState.CANCELLING}
    assert sources_of(SessionState.SCHEDULED) == {SessionState.CANCELLING, SessionState.VACATED}


def test_what_uses_capacity() -> None:
    assert TAKEN_SEATS | {SeatState.HELD} == LIVE_SEATS
    assert {SeatState.CONFIRMED, SeatState.ATTENDED, SeatState.NO_SHOW} == TAKEN_SEATS


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([SeatState.HELD, SeatState.HELD], BookingState.HELD),
        ([SeatState.ATTENDED, SeatState.CONFIRMED], BookingState.CONFIRMED),
        ([SeatState.ATTENDED, SeatState.CANCELLED], BookingState.COMPLETED),
        ([SeatState.NO_SHOW, SeatState.SWAPPED], BookingState.COMPLETED),
        ([SeatState.CANCELLED, SeatState.LATE_CANCELLED], BookingState.CANCELLED),
        ([SeatState.EXPIRED, SeatState.EXPIRED], BookingState.EXPIRED),
        ([SeatState.EXPIRED, SeatState.CANCELLED], BookingState.CANCELLED),
    ],
)
def test_a_booking_is_what_its_seats_are(states: list[SeatState], expected: BookingState) -> None:
    assert booking_state(states) is expected


@pytest.mark.parametrize(
    ("one_after_another", "expected"),
    [
        ([SeatState.SWAPPED, SeatState.CANCELLED], SeatState.CANCELLED),
        ([SeatState.CANCELLED, SeatState.SWAPPED], SeatState.SWAPPED),
        ([SeatState.SWAPPED, SeatState.LATE_CANCELLED], SeatState.LATE_CANCELLED),
        ([SeatState.CONFIRMED, SeatState.SWAPPED], SeatState.CONFIRMED),
        ([SeatState.ATTENDED, SeatState.CONFIRMED], SeatState.CONFIRMED),
        ([SeatState.EXPIRED], SeatState.EXPIRED),
    ],
)
def test_a_date_is_what_became_of_it_last(
    one_after_another: list[SeatState], expected: SeatState
) -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    seats = [(s, now + timedelta(hours=hour)) for hour, s in enumerate(one_after_another)]
    for order in (seats, seats[::-1]):
        assert state_of_date(order) is expected


def test_a_booking_without_seats_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one seat"):
        booking_state([])


@given(seats)
def test_a_booking_is_over_exactly_when_no_seat_is_live(states: list[SeatState]) -> None:
    over = booking_state(states) in {BookingState.CANCELLED, BookingState.EXPIRED}
    assert over == (not LIVE_SEATS & set(states))
