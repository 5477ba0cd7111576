import pytest

from src.booking.domain.reasons import full_reason
from src.booking.domain.seats_told import SeatsTold, seats_told


@pytest.mark.parametrize(
    ("left", "capacity", "up_to", "expected"),
    [
        (7, 10, None, SeatsTold(7, is_scarce=False)),
        (2, 10, None, SeatsTold(2, is_scarce=False)),
        (1, 10, None, SeatsTold(1, is_scarce=True)),
        (1, 2, None, SeatsTold(1, is_scarce=True)),
        (1, 4, None, SeatsTold(1, is_scarce=True)),
        (3, 20, None, SeatsTold(3, is_scarce=True)),
        (4, 10, 3, SeatsTold(None, is_scarce=False)),
        (3, 4, 3, SeatsTold(3, is_scarce=True)),
        (1, 10, 0, SeatsTold(None, is_scarce=False)),
        (0, 10, 0, SeatsTold(0, is_scarce=False)),
        (0, 10, None, SeatsTold(0, is_scarce=False)),
        (-1, 10, 3, SeatsTold(0, is_scarce=False)),
    ],
)
def test_what_guests_read(left: int, capacity: int, up_to: int | None, expected: SeatsTold) -> None:
    assert seats_told(left, capacity, up_to) == expected


def test_a_refusal_names_a_number_only_where_guests_may_read_it() -> None:
    assert full_reason(2).guest_sentence == "Only 2 seats are left."
    kept = full_reason(2, is_told=False)
    assert "2" not in kept.guest_sentence
    assert kept.owner_sentence == "Only 2 seats are left."
    assert full_reason(0, is_told=False).guest_sentence == "This date is sold out."
