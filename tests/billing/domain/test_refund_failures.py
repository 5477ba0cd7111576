"""Of which failed refunds money that goes back anew takes the place."""

from uuid import UUID

import pytest

from src.billing.domain.refund_failures import FailedRefund, Instead, replaced_failures

FAILED = [FailedRefund(UUID(int=number), minor) for number, minor in enumerate((500, 300, 200))]


@pytest.mark.parametrize(
    ("minor", "instead", "replaced"),
    [
        (500, Instead.NONE, []),
        (300, Instead.THE_SAME, [300]),
        (700, Instead.THE_SAME, []),
        (300, Instead.COVERED, [300]),
        (700, Instead.COVERED, [500, 200]),
        (1000, Instead.COVERED, [500, 300, 200]),
        (499, Instead.COVERED, [300]),
        (199, Instead.COVERED, []),
    ],
)
def test_what_an_amount_takes_the_place_of(
    minor: int, instead: Instead, replaced: list[int]
) -> None:
    found = replaced_failures(FAILED, minor, instead)
    assert [one.amount_minor for one in found] == replaced
