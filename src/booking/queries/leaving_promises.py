"""What the page for leaving promises for each place, of what goes back for them together."""

from collections.abc import Sequence

import msgspec

from src.booking.views.leaving import LeavingSeat


def promised_together(
    seats: Sequence[LeavingSeat], together_minor: int, *, is_promised: bool
) -> list[LeavingSeat]:
    """All of the seats, with amounts that come to no more than goes back for them together."""
    shown, left_minor = [], together_minor
    for seat in seats:
        part = min(seat.back_minor, left_minor)
        left_minor -= part
        shown.append(_promising(seat, part, is_promised=is_promised))
    return shown


def promised_alone(
    seats: Sequence[LeavingSeat], together_minor: int, *, is_promised: bool
) -> list[LeavingSeat]:
    """Seats that the guest chooses among, each with what it would bring if it alone were left."""
    return [
        _promising(seat, min(seat.back_minor, together_minor), is_promised=is_promised)
        for seat in seats
    ]


def _promising(seat: LeavingSeat, minor: int, *, is_promised: bool) -> LeavingSeat:
    """The amount as it is shown, and sent back as promised unless the business pays it by hand."""
    seat_id, _colon, _minor = seat.value.partition(":")
    value = f"{seat_id}:{minor if is_promised else 0}"
    return msgspec.structs.replace(seat, value=value, back_minor=minor)
