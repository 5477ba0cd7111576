"""Which unspent credits go with which amount."""

from uuid import UUID

import pytest

from src.booking.domain.unspent import MOST_SUMS, Going, Unspent

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_whole_credits_go_as_far_as_the_amount_covers_them() -> None:
    unspent = Unspent({A: 2000, B: 3000}, 5000)
    went = [unspent.going(minor) for minor in (0, 1999, 2000, 2999, 3000, 4999, 5000, 9000)]
    assert went == [
        Going(),
        Going(),
        Going((A,), 2000),
        Going((A,), 2000),
        Going((B,), 3000),
        Going((B,), 3000),
        Going((A, B), 5000),
        Going((A, B), 5000),
    ]
    assert unspent.amounts == [2000, 3000, 5000]


def test_of_equal_choices_the_first_go() -> None:
    unspent = Unspent({A: 2000, B: 2000, C: 2000}, 6000)
    assert unspent.going(4000) == Going((A, B), 4000)
    assert unspent.amounts == [2000, 4000, 6000]


def test_where_less_is_left_than_is_in_them_they_go_together_for_that() -> None:
    unspent = Unspent({A: 2000, B: 3000}, 3000)
    assert unspent.going(2999) == Going(), "what is left pays for both of them"
    assert unspent.going(3000) == unspent.going(5000) == Going((A, B), 3000)
    assert (unspent.full_minor, unspent.amounts) == (3000, [3000])


@pytest.mark.parametrize("left_minor", [0, -500])
def test_where_nothing_is_left_none_go(left_minor: int) -> None:
    unspent = Unspent({A: 2000}, left_minor)
    assert unspent.going(2000) == Going()
    assert (unspent.full_minor, unspent.amounts) == (0, [])


def test_one_that_nothing_is_in_goes_with_all_the_others_only() -> None:
    unspent = Unspent({A: 0, B: 2000, C: 2000}, 4000)
    assert unspent.going(2000) == Going((B,), 2000)
    assert unspent.going(4000) == Going((A, B, C), 4000)
    assert Unspent({A: 0}, 4000).going(4000) == Going()


def test_each_amount_that_is_offered_goes_back_whole() -> None:
    worths = {UUID(int=number): number * 700 for number in range(1, 9)}
    for left_minor in (sum(worths.values()), 20_000, 1):
        unspent = Unspent(worths, left_minor)
        for minor in unspent.amounts:
            went = unspent.going(minor)
            assert went.minor == minor
            assert went.lot_ids


def test_of_very_many_unequal_ones_a_few_amounts_are_offered_and_each_goes_back_whole() -> None:
    worths = {UUID(int=number + 1): 1000 + 37 * number * number for number in range(40)}
    unspent = Unspent(worths, sum(worths.values()))
    assert len(unspent.amounts) == len(worths)
    assert unspent.amounts is unspent.amounts, "what is asked again is not counted again"
    for minor in unspent.amounts:
        went = unspent.going(minor)
        assert went.minor == minor == sum(worths[lot_id] for lot_id in went.lot_ids)
        assert len(set(went.lot_ids)) == len(went.lot_ids)
    in_turn = Unspent(dict(reversed(worths.items())), sum(worths.values()))
    assert in_turn.amounts == unspent.amounts, "the job has them in another order than the page"


def test_of_very_many_equal_ones_each_number_can_go() -> None:
    worths = {UUID(int=number + 1): 700 for number in range(MOST_SUMS + 200)}
    unspent = Unspent(worths, sum(worths.values()))
    assert unspent.amounts == [700 * number for number in range(1, len(worths) + 1)]
    assert len(unspent.going(700 * 5 + 1).lot_ids) == 5
