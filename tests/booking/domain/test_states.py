from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.billing.domain.kinds import OrderState
from src.booking.domain.kinds import BookingState, SeatState, SessionState
from src.booking.domain.states import (
    BOOKING_MOVES,
    LIVE_SEATS,
    ORDER_MOVES,
    SEAT_MOVES,
    SESSION_MOVES,
    IllegalMove,
    booking_state,
    can_move,
    is_live,
    move,
    sources_of,
)

TABLES = [
    (SeatState, SEAT_MOVES),
    (SessionState, SESSION_MOVES),
    (OrderState, ORDER_MOVES),
    (BookingState, BOOKING_MOVES),
]
seats = st.lists(st.sampled_from(SeatState), min_size=1, max_size=12)


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_every_state_has_its_row_and_none_leads_to_itself(
    states: type[StrEnum], table: dict[StrEnum, frozenset[StrEnum]]
) -> None:
    assert set(table) == set(states)
    assert all(state not in targets for state, targets in table.items())


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (SeatState.CANCELLED, SeatState.CONFIRMED),
        (SeatState.SWAPPED, SeatState.CONFIRMED),
        (SeatState.HELD, SeatState.ATTENDED),
        (SeatState.ATTENDED, SeatState.LATE_CANCELLED),
        (SeatState.CONFIRMED, SeatState.EXPIRED),
        (SeatState.CONFIRMED, SeatState.CONFIRMED),
        (SeatState.EXPIRED, SeatState.HELD),
    ],
)
def test_seats_do_not_come_back_or_jump(current: SeatState, wanted: SeatState) -> None:
    assert not can_move(current, wanted)
    with pytest.raises(IllegalMove) as refusal:
        move(current, wanted)
    assert refusal.value.status == 409


def test_every_refusal_has_words() -> None:
    for states, table in TABLES:
        for state in states:
            for wanted in set(states) - table[state]:  # type: ignore[index]  # One of four tables.
                with pytest.raises(IllegalMove, match=r"already .+\."):
                    move(state, wanted)


def test_a_session_is_cancelled_only_by_way_of_cancelling() -> None:
    assert not can_move(SessionState.SCHEDULED, SessionState.CANCELLED)
    assert move(SessionState.SCHEDULED, SessionState.CANCELLING) is SessionState.CANCELLING
    assert sources_of(SessionState.CANCELLED) == {SessionState.CANCELLING}
    assert sources_of(SessionState.SCHEDULED) == {SessionState.CANCELLING}


def test_a_late_payment_confirms_an_expired_order_but_not_a_cancelled_one() -> None:
    assert sources_of(OrderState.CONFIRMED) == {OrderState.OPEN, OrderState.EXPIRED}
    assert sources_of(SeatState.CONFIRMED) >= {SeatState.HELD, SeatState.EXPIRED}


def test_what_uses_capacity() -> None:
    assert {seat for seat in SeatState if is_live(seat)} == {
        SeatState.HELD,
        SeatState.CONFIRMED,
        SeatState.ATTENDED,
        SeatState.NO_SHOW,
    }


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


def test_a_booking_without_seats_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one seat"):
        booking_state([])


@given(seats)
def test_a_booking_is_over_exactly_when_no_seat_is_live(states: list[SeatState]) -> None:
    over = booking_state(states) in {BookingState.CANCELLED, BookingState.EXPIRED}
    assert over == (not LIVE_SEATS & set(states))


@given(seats, st.data())
def test_a_legal_move_of_one_seat_is_legal_for_its_booking(
    states: list[SeatState], data: st.DataObject
) -> None:
    """A booking of one seat never takes a step that the booking's own table forbids."""
    current = states[0]
    wanted = data.draw(st.sampled_from(sorted(SEAT_MOVES[current]) or [current]))
    before, after = booking_state([current]), booking_state([wanted])
    assert before is after or can_move(before, after)
