"""What is said of a code once another stands where it was."""

import pytest

from src.booking.web.code_told import exchanged

VOUCHER = "Voucher •••• GHJK – nothing stays on it"


@pytest.mark.parametrize(
    ("before", "typed", "is_said"),
    [
        ("Code SPRING", "SUMMER", True),
        ("Code SPRING", "SPRIN", True),
        ("Code SPRING", "spring", False),
        ("Code SPRING", " ", False),
        (VOUCHER, "SPRING", True),
        (VOUCHER, "k7qf-2m9x-bcdf-ghjk", False),
        ("", "SPRING", False),
    ],
)
def test_a_code_is_said_to_be_gone_only_where_another_was_typed(
    before: str, typed: str, is_said: bool
) -> None:
    """Whose own code is of no use any more reads why beside it, and not to type it again."""
    assert bool(exchanged(before, "", typed=typed)) is is_said
