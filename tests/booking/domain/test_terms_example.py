"""A date that is so far ahead that nothing of its terms has passed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.leaving import (
    BeforeUnit,
    LeavingTerms,
    Tier,
    deadlines,
    hand_on_until,
    moves_until,
)
from src.booking.domain.quiet_hours import QuietHours
from src.booking.domain.terms_example import longest_before

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(begins=20, ends=8)
DAYS = BeforeUnit.DAYS


@pytest.mark.parametrize(
    "terms",
    [
        LeavingTerms(),
        LeavingTerms(tiers=(Tier(before=24, percent=100),)),
        LeavingTerms(tiers=(Tier(before=30, unit=DAYS, percent=100), Tier(before=5, percent=50))),
        LeavingTerms(tiers=(Tier(before=100, percent=100),), quiet_hours=NIGHT),
        LeavingTerms(tiers=(Tier(before=3, unit=DAYS, percent=100),), quiet_hours=NIGHT),
        LeavingTerms(moves_before=90, moves_unit=DAYS),
        LeavingTerms(hand_on_before=200, quiet_hours=NIGHT),
    ],
)
def test_every_moment_lies_ahead_at_any_hour_and_when_the_clocks_change(
    terms: LeavingTerms,
) -> None:
    first = datetime(2027, 3, 20, tzinfo=UTC)
    for hours in range(24 * 14):
        now = first + timedelta(hours=hours)
        starts_at = now + longest_before([LeavingTerms(), terms])
        due = [one.until_at for one in deadlines(terms, starts_at, BERLIN)]
        due += [moves_until(terms, starts_at, BERLIN) or now]
        due += [hand_on_until(terms, starts_at, BERLIN) or now]
        assert min(due) >= now
