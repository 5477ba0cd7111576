"""How many seats are left, as far as a business lets its guests know."""

from typing import NamedTuple


class SeatsTold(NamedTuple):
    """`left` is 0 where there is none, and None where guests read no number. Few are a fifth, or
    the last one, or what the business calls few.
    """

    left: int | None
    is_scarce: bool


def is_told(left: int, up_to: int | None) -> bool:
    """Whether guests may read the number; with `up_to` only while it is no more than that. That
    there is none is always told.
    """
    return up_to is None or left <= max(up_to, 0)


def seats_told(left: int, capacity: int, up_to: int | None) -> SeatsTold:
    if left <= 0:
        return SeatsTold(0, is_scarce=False)
    if not is_told(left, up_to):
        return SeatsTold(None, is_scarce=False)
    return SeatsTold(left, up_to is not None or left * 5 < capacity or left == 1)
