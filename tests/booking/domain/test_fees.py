"""Fees are never more than the price, and who reads the terms reads of them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.booking.domain.fees import FeeRule, fee_minor
from src.booking.domain.kinds import SeatState, SeriesPriceType, SessionState
from src.booking.domain.leaving import (
    LeavingFacts,
    LeavingTerms,
    Tier,
    late_fee_minor,
    no_show_fee_minor,
    terms_errors,
    terms_from,
)
from src.booking.leaving_words import dates_in_words, rules_in_words

START = datetime(2027, 3, 8, 18, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
FIVE = FeeRule(amount_minor=500, currency="EUR")
HALF = FeeRule(percent=50)
TERMS = LeavingTerms(tiers=(Tier(before=24, percent=100),), late_fee=FIVE, no_show_fee=HALF)


def facts(*, moved: bool = False, terms: LeavingTerms = TERMS) -> LeavingFacts:
    return LeavingFacts(
        terms=terms,
        seat=SeatState.CONFIRMED,
        session=SessionState.SCHEDULED,
        starts_at=START,
        zone=ZONE,
        is_penalty_free=moved,
    )


@pytest.mark.parametrize(
    ("rule", "share", "by_credit", "asked"),
    [
        (None, 1500, False, 0),
        (FIVE, 1500, False, 500),
        (FIVE, 300, False, 300),
        (FIVE, 0, False, 0),
        (FIVE, 0, True, 500),
        (HALF, 1500, False, 750),
        (HALF, 1, False, 1),
        (HALF, 0, True, 0),
    ],
)
def test_what_is_asked(rule: FeeRule | None, share: int, by_credit: bool, asked: int) -> None:
    assert fee_minor(rule, share, is_by_credit=by_credit) == asked


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 100))
def test_it_is_never_more_than_the_share(share: int, amount: int, percent: int) -> None:
    for rule in (FeeRule(amount_minor=amount, currency="EUR"), FeeRule(percent=percent)):
        assert 0 <= fee_minor(rule, share, is_by_credit=False) <= share


def test_late_begins_after_the_last_step_and_at_the_very_second_the_guest_wins() -> None:
    due = START - timedelta(hours=24)
    assert late_fee_minor(facts(), 1500, due, is_by_credit=False) == 0
    assert late_fee_minor(facts(), 1500, due + timedelta(seconds=1), is_by_credit=False) == 500
    no_steps = LeavingTerms(late_fee=FIVE)
    assert late_fee_minor(facts(terms=no_steps), 1500, START, is_by_credit=False) == 0


def test_of_a_date_that_the_business_moved_nothing_is_asked() -> None:
    assert late_fee_minor(facts(moved=True), 1500, START, is_by_credit=False) == 0
    assert no_show_fee_minor(facts(moved=True), 1500, is_by_credit=False) == 0
    assert no_show_fee_minor(facts(), 1500, is_by_credit=False) == 750


def test_terms_with_fees_come_back_from_storage_as_they_were() -> None:
    assert terms_from(TERMS.document()) == TERMS


def test_what_cannot_be_saved_says_so_at_its_field() -> None:
    both = LeavingTerms(late_fee=FeeRule(amount_minor=1, currency="EUR", percent=1))
    assert "late_fee" in terms_errors(both)
    assert "no_show_fee" in terms_errors(LeavingTerms(no_show_fee=FeeRule(percent=101)))


def test_guests_read_of_fees_where_something_is_to_be_paid() -> None:
    online = SeriesPriceType.ONLINE
    said = " ".join(dates_in_words(TERMS, online, START, ZONE))
    assert "asked for a fee of €5.00" in said
    assert "asked for a fee of 50% of the price" in said
    assert "fee" in " ".join(rules_in_words(TERMS, online, ZONE))
    assert "fee" not in " ".join(dates_in_words(TERMS, SeriesPriceType.FREE, START, ZONE))
