from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.booking.domain.kinds import GapPolicy, JoinPolicy, SeriesPriceType, SessionState
from src.booking.domain.pricing import (
    SaleClosed,
    SeatsToSell,
    SeriesSession,
    SeriesTerms,
    cancelled_in,
    drop_in_price_minor,
    last_start_to_join,
    prorate,
    quote_series,
    seat_shares,
    seats_to_sell,
    term_base,
)

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 10, 6, 16, tzinfo=UTC)
WEEK = timedelta(days=7)
TERMS = SeriesTerms(
    price_type=SeriesPriceType.ONLINE,
    price_minor=10_000,
    base_sessions=8,
    join_policy=JoinPolicy.ANY_TIME,
)
BEFORE = FIRST - timedelta(days=1)


def term(count: int = 8, **changes: object) -> list[SeriesSession]:
    return [weekly(number, **changes) for number in range(count)]


def weekly(number: int, **changes: object) -> SeriesSession:
    plain = SeriesSession(
        session_id=UUID(int=number + 1),
        starts_at=FIRST + number * WEEK,
        state=SessionState.SCHEDULED,
        capacity=10,
        taken=0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # Any field may be changed.


def test_before_the_start_the_whole_price_buys_everything() -> None:
    quote = quote_series(TERMS, term(), BEFORE, BERLIN)
    assert (quote.price_minor, quote.full_price_minor, quote.struck) == (10_000, 10_000, False)
    assert quote.included == tuple(UUID(int=n) for n in range(1, 9))
    assert quote.closed is None


@pytest.mark.parametrize(
    ("changes", "now", "last"),
    [
        ({}, BEFORE, 7),
        ({}, FIRST + 3 * WEEK - timedelta(hours=1), 7),
        ({}, FIRST + 7 * WEEK, 7),
        ({}, FIRST + 7 * WEEK + timedelta(seconds=1), None),
        ({"min_notice_minutes": 60}, FIRST + 7 * WEEK - timedelta(minutes=59), None),
        ({"join_policy": JoinPolicy.BEFORE_START}, BEFORE, 0),
        ({"join_policy": JoinPolicy.BEFORE_START}, FIRST + timedelta(hours=1), None),
        ({"join_policy": JoinPolicy.UNTIL, "join_until_on": date(2026, 10, 12)}, BEFORE, 1),
        ({"join_policy": JoinPolicy.UNTIL, "join_until_on": date(2026, 10, 13)}, BEFORE, 2),
        ({"join_policy": JoinPolicy.UNTIL, "join_until_on": date(2026, 9, 1)}, BEFORE, None),
    ],
)
def test_before_which_date_the_series_can_be_joined_at_last(
    changes: dict[str, Any], now: datetime, last: int | None
) -> None:
    terms = replace(TERMS, **changes)
    starts_at = None if last is None else FIRST + last * WEEK
    assert last_start_to_join(terms, term(), now, BERLIN) == starts_at


def test_nobody_joins_for_a_date_outside_the_term_or_one_that_is_off() -> None:
    dates = [*term(2), weekly(2, in_term=False), weekly(3, state=SessionState.CANCELLED)]
    assert last_start_to_join(TERMS, dates, BEFORE, BERLIN) == FIRST + WEEK


def test_joining_late_costs_the_share_of_what_is_left() -> None:
    quote = quote_series(TERMS, term(), FIRST + 3 * WEEK + timedelta(hours=1), BERLIN)
    assert (quote.remaining, quote.base, quote.price_minor) == (4, 8, 5_000)
    assert quote.struck
    assert len(quote.passed) == 4
    assert quote.seat_shares_minor() == [1250] * 4


def test_at_the_exact_second_of_the_start_the_guest_is_in_time() -> None:
    at_start = quote_series(TERMS, term(), FIRST, BERLIN)
    assert at_start.remaining == 8
    second_later = quote_series(TERMS, term(), FIRST + timedelta(seconds=1), BERLIN)
    assert second_later.remaining == 7


def test_dates_added_later_are_delivered_but_change_no_price() -> None:
    """Row 2-47: next term's dates lowered this term's price."""
    added = [weekly(number, in_term=False) for number in (8, 9)]
    now = FIRST + 3 * WEEK + timedelta(hours=1)
    quote = quote_series(TERMS, [*term(), *added], now, BERLIN)
    assert quote.price_minor == quote_series(TERMS, term(), now, BERLIN).price_minor
    assert len(quote.included) == 6
    assert sum(quote.seat_shares_minor()) == quote.price_minor


def test_when_only_added_dates_are_left_the_term_is_over() -> None:
    added = weekly(9, in_term=False)
    quote = quote_series(TERMS, [*term(), added], FIRST + 8 * WEEK, BERLIN)
    assert quote.closed is SaleClosed.ENDED


@pytest.mark.parametrize("state", [SessionState.CANCELLED, SessionState.CANCELLING])
def test_dates_cancelled_before_the_purchase_leave_both_numbers(state: SessionState) -> None:
    sessions = [*term(7), weekly(7, state=state)]
    quote = quote_series(TERMS, sessions, BEFORE, BERLIN)
    assert (quote.remaining, quote.base, quote.price_minor) == (7, 7, 10_000)
    assert quote.cancelled == (UUID(int=8),)
    later = quote_series(TERMS, sessions, FIRST + timedelta(hours=1), BERLIN)
    assert (later.remaining, later.base, later.price_minor) == (6, 7, 8_571)


def test_a_date_cancelled_before_publishing_is_not_taken_off_the_base_again() -> None:
    sessions = [weekly(0, state=SessionState.CANCELLED), *term(9)[1:]]
    assert term_base(sessions) == TERMS.base_sessions == 8
    quote = quote_series(TERMS, sessions, FIRST + 4 * WEEK + timedelta(hours=1), BERLIN)
    assert (quote.remaining, quote.base, quote.price_minor) == (4, 8, 5_000)


def test_a_cancelled_date_that_was_added_later_leaves_the_base_alone() -> None:
    added = weekly(8, in_term=False, state=SessionState.CANCELLED)
    assert quote_series(TERMS, [*term(), added], BEFORE, BERLIN).base == 8


def test_one_full_date_blocks_the_series() -> None:
    sessions = [*term(7), weekly(7, taken=10)]
    quote = quote_series(TERMS, sessions, BEFORE, BERLIN)
    assert (quote.closed, quote.price_minor) == (SaleClosed.FULL, 0)
    assert not quote.struck
    assert quote.asked_minor == 10_000


def test_a_sold_out_course_says_what_joining_now_would_cost() -> None:
    sessions = [*term(7), weekly(7, taken=10)]
    quote = quote_series(TERMS, sessions, FIRST + 3 * WEEK + timedelta(hours=1), BERLIN)
    assert (quote.closed, quote.asked_minor) == (SaleClosed.FULL, 5_000), "four of its eight dates"
    ended = quote_series(TERMS, sessions, FIRST + 9 * WEEK, BERLIN)
    assert (ended.closed, ended.asked_minor) == (SaleClosed.ENDED, 10_000)


def test_with_gaps_the_price_is_for_what_is_delivered() -> None:
    terms = replace(TERMS, gap_policy=GapPolicy.SELL_WITH_GAPS)
    sessions = [weekly(0, taken=10), *term()[1:]]
    quote = quote_series(terms, sessions, BEFORE, BERLIN)
    assert (quote.closed, quote.remaining, quote.base) == (None, 7, 8)
    assert quote.price_minor == 8_750
    assert quote.gaps == (UUID(int=1),)
    assert UUID(int=1) not in quote.included


def test_nothing_but_gaps_is_sold_out() -> None:
    terms = replace(TERMS, gap_policy=GapPolicy.SELL_WITH_GAPS)
    quote = quote_series(terms, term(taken=10), BEFORE, BERLIN)
    assert quote.closed is SaleClosed.FULL


def test_a_party_needs_all_its_seats_in_each_date() -> None:
    sessions = [*term(7), weekly(7, taken=8)]
    assert quote_series(TERMS, sessions, BEFORE, BERLIN, party_size=2).closed is None
    assert quote_series(TERMS, sessions, BEFORE, BERLIN, party_size=3).closed is SaleClosed.FULL


@pytest.mark.parametrize(
    ("policy", "until_on", "now", "closed"),
    [
        (JoinPolicy.BEFORE_START, None, FIRST, None),
        (JoinPolicy.BEFORE_START, None, FIRST + timedelta(seconds=1), SaleClosed.JOIN_CLOSED),
        (JoinPolicy.ANY_TIME, None, FIRST + 7 * WEEK, None),
        (JoinPolicy.ANY_TIME, None, FIRST + 7 * WEEK + timedelta(seconds=1), SaleClosed.ENDED),
        (
            JoinPolicy.UNTIL,
            date(2026, 10, 20),
            datetime(2026, 10, 20, 21, 59, 59, tzinfo=UTC),
            None,
        ),
        (
            JoinPolicy.UNTIL,
            date(2026, 10, 20),
            datetime(2026, 10, 20, 22, 0, tzinfo=UTC),
            SaleClosed.JOIN_CLOSED,
        ),
        (JoinPolicy.UNTIL, None, FIRST + WEEK, SaleClosed.JOIN_CLOSED),
    ],
)
def test_join_policies(
    policy: JoinPolicy, until_on: date | None, now: datetime, closed: SaleClosed | None
) -> None:
    terms = replace(TERMS, join_policy=policy, join_until_on=until_on)
    assert quote_series(terms, term(), now, BERLIN).closed is closed


def test_a_cancelled_first_date_is_not_the_start() -> None:
    terms = replace(TERMS, join_policy=JoinPolicy.BEFORE_START)
    sessions = [weekly(0, state=SessionState.CANCELLED), *term()[1:]]
    quote = quote_series(terms, sessions, FIRST + timedelta(days=1), BERLIN)
    assert (quote.closed, quote.price_minor) == (None, 10_000)


def test_minimum_notice_counts_for_the_dates_and_for_joining() -> None:
    terms = replace(TERMS, min_notice_minutes=60, join_policy=JoinPolicy.BEFORE_START)
    in_time, late = FIRST - timedelta(minutes=60), FIRST - timedelta(minutes=59)
    assert quote_series(terms, term(), in_time, BERLIN).closed is None
    assert quote_series(terms, term(), late, BERLIN).closed is SaleClosed.JOIN_CLOSED
    any_time = replace(terms, join_policy=JoinPolicy.ANY_TIME)
    assert quote_series(any_time, term(), late, BERLIN).remaining == 7


def test_a_series_without_dates_or_base_is_not_sold() -> None:
    assert quote_series(TERMS, [], BEFORE, BERLIN).closed is SaleClosed.ENDED
    no_base = replace(TERMS, base_sessions=0)
    assert quote_series(no_base, term(1), BEFORE, BERLIN).closed is SaleClosed.BASE_ZERO


def test_a_free_series_costs_nothing_whatever_its_price_says() -> None:
    quote = quote_series(replace(TERMS, price_type=SeriesPriceType.FREE), term(), FIRST, BERLIN)
    assert (quote.price_minor, quote.full_price_minor, quote.struck) == (0, 0, False)


@pytest.mark.parametrize(
    ("price", "remaining", "base", "expected"),
    [
        (10_000, 1, 3, 3_333),
        (10_000, 2, 3, 6_667),
        (5, 1, 2, 3),
        (10_000, 12, 8, 10_000),
        (10_000, 0, 8, 0),
        (0, 3, 8, 0),
        (10_000, -1, 8, 0),
    ],
)
def test_prorate(price: int, remaining: int, base: int, expected: int) -> None:
    assert prorate(price, remaining, base) == expected


@pytest.mark.parametrize("base", [0, -1])
def test_a_term_of_nothing_has_no_price(base: int) -> None:
    with pytest.raises(ValueError, match="without sessions"):
        prorate(100, 1, base)


def test_drop_in_prices_fall_back_but_free_is_a_price() -> None:
    assert drop_in_price_minor(None, None, 1200) == 1200
    assert drop_in_price_minor(None, 900, 1200) == 900
    assert drop_in_price_minor(0, 900, 1200) == 0
    assert drop_in_price_minor(None, None, None) is None


def test_shares_follow_weights() -> None:
    assert seat_shares(5000, [2000, 1000, 2000, 1000]) == [1667, 833, 1667, 833]


def test_shares_are_equal_where_no_seat_has_a_price() -> None:
    assert seat_shares(100, [0, 0, 0]) == [34, 33, 33]


def test_the_base_counts_what_takes_place() -> None:
    assert term_base([*term(3), weekly(3, state=SessionState.CANCELLED)]) == 3


@given(
    st.integers(0, 10**9), st.integers(1, 200), st.integers(0, 250), st.lists(st.integers(0, 99))
)
def test_a_prorated_price_stays_in_bounds_and_its_shares_add_up(
    price: int, base: int, remaining: int, weights: list[int]
) -> None:
    now_minor = prorate(price, remaining, base)
    assert 0 <= now_minor <= price
    assert prorate(price, remaining, base) <= prorate(price, remaining + 1, base)
    assert sum(seat_shares(now_minor, [*weights, 1])) == now_minor


@given(
    st.integers(0, 10**7),
    st.lists(st.tuples(st.integers(0, 10), st.sampled_from(SessionState)), min_size=1, max_size=12),
    st.integers(-5, 90),
    st.sampled_from(GapPolicy),
    st.integers(1, 4),
)
def test_every_date_is_accounted_for_once(
    price: int,
    dates: list[tuple[int, SessionState]],
    days: int,
    gaps: GapPolicy,
    party_size: int,
) -> None:
    sessions = [weekly(n, taken=taken, state=state) for n, (taken, state) in enumerate(dates)]
    terms = replace(TERMS, price_minor=price, base_sessions=len(dates), gap_policy=gaps)
    quote = quote_series(
        terms, sessions, FIRST + timedelta(days=days), BERLIN, party_size=party_size
    )
    parts = [*quote.included, *quote.gaps, *quote.passed, *quote.cancelled]
    assert sorted(parts) == [session.session_id for session in sessions]
    assert 0 <= quote.price_minor <= quote.full_price_minor == price
    if quote.closed is None:
        assert quote.included
        assert sum(quote.seat_shares_minor()) == quote.price_minor
        assert not quote.gaps or gaps is GapPolicy.SELL_WITH_GAPS


def test_seats_to_sell_are_those_of_the_dates_that_buyers_get() -> None:
    gaps = replace(TERMS, gap_policy=GapPolicy.SELL_WITH_GAPS)
    runs = [weekly(0, taken=10), weekly(1, taken=7), weekly(2, taken=10), weekly(3, taken=2)]
    full = (UUID(int=1), UUID(int=3))
    assert seats_to_sell(gaps, runs, BEFORE) == SeatsToSell(3, full)
    assert seats_to_sell(TERMS, runs, BEFORE) == SeatsToSell(0)
    assert seats_to_sell(gaps, runs, FIRST + timedelta(seconds=1)) == SeatsToSell(3, full[1:])
    late = [weekly(0, taken=10), weekly(1, in_term=False)]
    assert seats_to_sell(gaps, late, BEFORE) == SeatsToSell(0), "nobody buys an added date alone"
    off = [weekly(0, state=SessionState.CANCELLED)]
    assert seats_to_sell(gaps, off, BEFORE) is None


def test_a_date_that_is_cancelled_leaves_both_numbers_of_later_buyers() -> None:
    now = FIRST + 2 * WEEK + timedelta(days=1)
    before = quote_series(TERMS, term(), now, BERLIN)
    without = cancelled_in(term(), {UUID(int=7)})
    after = quote_series(TERMS, without, now, BERLIN)
    assert (before.remaining, before.base, before.price_minor) == (5, 8, 6250)
    assert (after.remaining, after.base, after.price_minor) == (4, 7, 5714)
