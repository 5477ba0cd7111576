"""What comes back for a date that is left, to the second, and over a clock change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.leaving import (
    NOTHING_BACK,
    BeforeUnit,
    LeavingFacts,
    LeavingTerms,
    Tier,
    amount_back_minor,
    deadlines,
    is_late,
    percent_back,
    terms_errors,
    terms_from,
    why_not_leave,
    why_not_move_seat,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = datetime(2027, 5, 11, 16, tzinfo=UTC)
TERMS = LeavingTerms(tiers=(Tier(before=48, percent=100), Tier(before=24, percent=50)))


def facts(terms: LeavingTerms = TERMS, **more: object) -> LeavingFacts:
    return LeavingFacts(
        **{
            "terms": terms,
            "seat": SeatState.CONFIRMED,
            "session": SessionState.SCHEDULED,
            "starts_at": START,
            "zone": AMSTERDAM,
            **more,
        }  # type: ignore[arg-type]  # fields by name, which mypy cannot follow
    )


@pytest.mark.parametrize(
    ("before", "percent", "late"),
    [
        (timedelta(hours=49), 100, False),
        (timedelta(hours=48), 100, False),
        (timedelta(hours=48) - timedelta(seconds=1), 50, False),
        (timedelta(hours=24), 50, False),
        (timedelta(hours=24) - timedelta(seconds=1), 0, True),
        (timedelta(0), 0, True),
    ],
)
def test_at_the_very_second_of_a_step_the_guest_wins(
    before: timedelta, percent: int, late: bool
) -> None:
    now = START - before
    assert (percent_back(facts(), now), is_late(facts(), now)) == (percent, late)


def test_days_are_counted_on_the_business_clock_over_a_change() -> None:
    """Clocks go forward on 28 March 2027: the day before a Sunday at 18:00 is Saturday at 18:00."""
    starts_at = datetime(2027, 3, 28, 16, tzinfo=UTC)
    terms = LeavingTerms(tiers=(Tier(before=1, unit=BeforeUnit.DAYS, percent=100),))
    [deadline] = deadlines(terms, starts_at, AMSTERDAM)
    assert deadline.until_at == datetime(2027, 3, 27, 17, tzinfo=UTC)
    assert starts_at - deadline.until_at == timedelta(hours=23)


def test_a_moved_date_may_be_left_for_everything_whatever_the_terms_say() -> None:
    strict = LeavingTerms(may_cancel=False, tiers=TERMS.tiers)
    moved = facts(strict, is_penalty_free=True)
    now = START - timedelta(minutes=5)
    assert percent_back(moved, now) == 100
    assert not is_late(moved, now)
    assert why_not_leave(moved, now) == []
    assert why_not_move_seat(moved, now) == []


def test_without_steps_nothing_comes_back_and_nobody_is_late() -> None:
    assert percent_back(facts(NOTHING_BACK), START) == 0
    assert not is_late(facts(NOTHING_BACK), START)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"seat": SeatState.HELD}, "seat_not_confirmed"),
        ({"seat": SeatState.ATTENDED}, "seat_not_confirmed"),
        ({"session": SessionState.CANCELLING}, "not_just_now"),
        ({"starts_at": START - timedelta(seconds=1)}, "started"),
        ({"terms": LeavingTerms(may_cancel=False)}, "leaving_not_allowed"),
    ],
)
def test_each_reason_against_leaving_is_named(more: dict[str, object], code: str) -> None:
    assert [reason.code for reason in why_not_leave(facts(**more), START)] == [code]  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("moves_before", "before", "codes"),
    [
        (None, timedelta(days=9), ["moves_not_allowed"]),
        (12, timedelta(hours=12), []),
        (12, timedelta(hours=12) - timedelta(seconds=1), ["too_late_to_move"]),
    ],
)
def test_exchanging_ends_at_its_own_deadline(
    moves_before: int | None, before: timedelta, codes: list[str]
) -> None:
    terms = LeavingTerms(moves_before=moves_before)
    assert [reason.code for reason in why_not_move_seat(facts(terms), START - before)] == codes


@pytest.mark.parametrize(
    ("tiers", "at", "word"),
    [
        (
            (Tier(before=24, percent=50), Tier(before=48, percent=40)),
            "tiers.1.before",
            "longest",
        ),
        (
            (Tier(before=24, percent=50), Tier(before=24, percent=40)),
            "tiers.1.before",
            "longest",
        ),
        (
            (Tier(before=2, unit=BeforeUnit.DAYS, percent=50), Tier(before=24, percent=60)),
            "tiers.1.percent",
            "earlier",
        ),
        ((Tier(before=24, percent=110),), "tiers.0.percent", "100"),
        ((Tier(before=-1, percent=10),), "tiers.0.before", "year"),
        (tuple(Tier(before=90 - n, percent=10) for n in range(9)), "tiers", "At most"),
    ],
)
def test_steps_out_of_order_are_refused_in_words(
    tiers: tuple[Tier, ...], at: str, word: str
) -> None:
    wrong = terms_errors(LeavingTerms(tiers=tiers))
    assert list(wrong) == [at]
    assert word in wrong[at]


def test_good_terms_are_kept_as_they_are() -> None:
    assert terms_errors(TERMS) == {}
    assert terms_from(TERMS.document()) == TERMS
    assert NOTHING_BACK.document() == {}, "saving an editor without a change changes nothing"
    assert terms_from({}) == NOTHING_BACK


def test_a_half_cent_goes_to_the_guest_and_never_more_than_the_share() -> None:
    assert amount_back_minor(1501, 50) == 751
    assert amount_back_minor(1501, 100) == 1501
    assert amount_back_minor(0, 100) == 0
