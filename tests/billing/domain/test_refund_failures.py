"""Of which failed refunds money that goes back anew takes the place."""

from uuid import UUID

import pytest

from src.billing.domain.refund_failures import FailedRefund, Instead, replaced_failures

FAILED = [FailedRefund(UUID(int=number), minor) for number, minor in enumerate((500, 300, 200))]
DEALT_WITH = FailedRefund(UUID(int=3), 100, is_dealt_with=True)


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


@pytest.mark.parametrize(
    ("minor", "instead", "replaced"),
    [
        (100, Instead.THE_SAME, [100]),
        (1100, Instead.THE_SAME, []),
        (100, Instead.COVERED, [100]),
        (1000, Instead.COVERED, [500, 300, 200]),
        (1100, Instead.COVERED, [500, 300, 200, 100]),
        (900, Instead.COVERED, [500, 300]),
        (199, Instead.COVERED, []),
    ],
)
def test_what_was_dealt_with_is_replaced_by_its_very_amount_or_once_nothing_waits(
    minor: int, instead: Instead, replaced: list[int]
) -> None:
    found = replaced_failures([*FAILED, DEALT_WITH], minor, instead)
    assert [one.amount_minor for one in found] == replaced


@pytest.mark.parametrize(("minor", "replaced"), [(99, []), (100, [100]), (101, [100])])
def test_where_nothing_waits_it_is_replaced_by_what_is_enough(
    minor: int, replaced: list[int]
) -> None:
    found = replaced_failures([DEALT_WITH], minor, Instead.COVERED)
    assert [one.amount_minor for one in found] == replaced
