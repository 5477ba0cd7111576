"""Bookings of one customer that would read the same, told apart by who comes."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from src.booking.said import Person, names_of
from src.booking.views.portal import AheadBooking


def told_apart(
    rows: Sequence[AheadBooking], comers: Sequence[Sequence[Person]]
) -> list[AheadBooking]:
    """Two bookings of one date name who comes by either."""
    count = Counter((row.what, row.title, row.starts_at) for row in rows)
    return [
        msgspec.structs.replace(row, who=names_of(people))
        if count[row.what, row.title, row.starts_at] > 1
        else row
        for row, people in zip(rows, comers, strict=True)
    ]
