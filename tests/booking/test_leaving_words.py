"""The terms for leaving a date in sentences that are true when they are read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import BeforeUnit, LeavingTerms, Tier
from src.booking.domain.quiet_hours import QuietHours
from src.booking.domain.refund_policy import Gives
from src.booking.leaving_words import (
    by_way_in_words,
    dates_in_words,
    next_deadline_words,
    rules_in_words,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = datetime(2027, 5, 11, 16, tzinfo=UTC)
TERMS = LeavingTerms(tiers=(Tier(before=72, percent=100), Tier(before=48, percent=50)))
TO_THE_START = LeavingTerms(tiers=(Tier(before=24, percent=100), Tier(before=0, percent=50)))
ONLINE, ON_SITE = SeriesPriceType.ONLINE, SeriesPriceType.ON_SITE
FULL_STEP = "Cancel until Sat, May 8, 2027, 6:00\u202fPM: all that you paid for it comes back."
HALF_STEP = "Cancel until Sun, May 9, 2027, 6:00\u202fPM: half of what you paid for it comes back."
LATER = "Later than that you can still cancel, but nothing comes back."
NO_MONEY = "You can cancel until it starts, but no money comes back."
STAYS_DUE = "You can cancel until it starts, but the price stays due."


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (100, [FULL_STEP, HALF_STEP, LATER]),
        (72, [FULL_STEP, HALF_STEP, LATER]),
        (71, [HALF_STEP, LATER]),
        (47, [NO_MONEY]),
    ],
)
def test_a_date_lists_no_step_that_has_passed(hours: int, said: list[str]) -> None:
    now = START - timedelta(hours=hours)
    assert dates_in_words(TERMS, ONLINE, START, AMSTERDAM, now) == said
    assert dates_in_words(TERMS, ONLINE, START, AMSTERDAM) == [FULL_STEP, HALF_STEP, LATER]


def test_on_site_the_price_stays_due_once_the_last_step_has_passed() -> None:
    now = START - timedelta(hours=47)
    assert dates_in_words(TERMS, ON_SITE, START, AMSTERDAM, now) == [STAYS_DUE]


def test_a_step_of_no_hours_ends_with_the_start_and_nothing_comes_later() -> None:
    assert rules_in_words(TO_THE_START, ONLINE, AMSTERDAM) == [
        "Cancel up to 24 hours before a date: all that you paid for it comes back.",
        "Cancel until a date starts: half of what you paid for it comes back.",
    ]
    dates = dates_in_words(TO_THE_START, ONLINE, START, AMSTERDAM)
    assert dates[1:] == ["Cancel until it starts: half of what you paid for it comes back."]
    free = ["You can cancel a date free of charge until it starts."]
    assert rules_in_words(TO_THE_START, ON_SITE, AMSTERDAM, START) == free
    free = ["You can cancel free of charge until it starts."]
    assert dates_in_words(TO_THE_START, ON_SITE, START, AMSTERDAM) == free


@pytest.mark.parametrize(
    ("hours", "place", "until"), [(72, 1, "Sat, May 8"), (71, 2, "Sun, May 9"), (47, None, "")]
)
def test_the_example_is_of_the_first_step_that_lies_ahead(
    hours: int, place: int | None, until: str
) -> None:
    now = START - timedelta(hours=hours)
    said = rules_in_words(TERMS, ONLINE, AMSTERDAM, START, now)
    places = [position for position, sentence in enumerate(said) if "that is until" in sentence]
    assert places == ([] if place is None else [place])
    assert until in "".join(said[position] for position in places)


def test_of_two_ways_to_pay_each_has_its_own_terms_and_the_rest_once() -> None:
    assert by_way_in_words(["Half.", "Same."], ["Free.", "Same."]) == [
        "Paid by card: Half.",
        "Paid on site: Free.",
        "Same.",
    ]


def test_quiet_hours_are_part_of_the_rule_and_of_its_example() -> None:
    """A class at nine: twelve hours before it, the night left out, are eleven in the morning."""
    night, nine = QuietHours(begins=22, ends=8), datetime(2027, 5, 12, 7, tzinfo=UTC)
    terms = LeavingTerms(tiers=(Tier(before=12, percent=100),), quiet_hours=night)
    said = rules_in_words(terms, ONLINE, AMSTERDAM, nine)
    assert said[1].endswith("that is until Tue, May 11, 2027, 11:00\u202fAM.")
    assert said[-1] == "Hours between 10:00\u202fPM and 8:00\u202fAM are not counted."
    owed = rules_in_words(terms, ON_SITE, AMSTERDAM, nine)
    assert owed[-1] == said[-1]
    free = rules_in_words(terms, SeriesPriceType.FREE, AMSTERDAM, nine)
    assert free == ["You can cancel a date until it starts."], "no deadline, no hours"
    by_day = LeavingTerms(
        tiers=(Tier(before=1, unit=BeforeUnit.DAYS, percent=100),), quiet_hours=night
    )
    ten = "10:00\u202fPM"
    moved = f"A deadline between {ten} and 8:00\u202fAM moves to the {ten} before it."
    assert rules_in_words(by_day, ONLINE, AMSTERDAM)[-1] == moved


def test_where_nothing_comes_back_no_step_promises_money() -> None:
    """The steps stay, for they say who is late."""
    terms = LeavingTerms(tiers=TERMS.tiers, gives=Gives.NOTHING)
    now = START - timedelta(hours=100)
    nothing = "You can cancel until it starts, but nothing comes back."
    assert dates_in_words(terms, ONLINE, START, AMSTERDAM, now) == [nothing]
    assert rules_in_words(terms, ONLINE, AMSTERDAM, START, now)[0] == nothing
    assert next_deadline_words(terms, ONLINE, START, AMSTERDAM, now) == ""


def test_where_nothing_comes_back_the_price_on_site_stays_due_for_who_is_late() -> None:
    terms = LeavingTerms(tiers=TERMS.tiers, gives=Gives.NOTHING)
    kept = "What is paid by then does not come back."
    now = START - timedelta(hours=100)
    until, also = dates_in_words(terms, ON_SITE, START, AMSTERDAM, now)
    assert "free of charge until Sun, May 9, 2027" in until
    assert also == kept
    late = dates_in_words(terms, ON_SITE, START, AMSTERDAM, START - timedelta(hours=1))
    assert late == [STAYS_DUE, kept]
    assert kept in rules_in_words(terms, ON_SITE, AMSTERDAM, START, now)
