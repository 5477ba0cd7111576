"""What a seat may be exchanged for, and that its calendar entry moves with it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.exchange import TargetFacts, for_staff, sequence_after, why_not_take
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.leaving import (
    LeavingFacts,
    LeavingTerms,
    Tier,
    is_late,
    is_late_since_exchange,
    most_percent_after,
    percent_back,
)

NOW = datetime(2027, 5, 1, 10, tzinfo=UTC)
TERMS = LeavingTerms(tiers=(Tier(before=48, percent=100), Tier(before=24, percent=50)))


def target(**more: object) -> TargetFacts:
    return TargetFacts(
        **{
            "state": SessionState.SCHEDULED,
            "starts_at": NOW + timedelta(days=3),
            "left": 1,
            "wanted": 1,
            "price_minor": 1500,
            "worth_minor": 1500,
            **more,
        }  # type: ignore[arg-type]  # fields by name, which mypy cannot follow
    )


@pytest.mark.parametrize(
    ("more", "code", "binds_staff"),
    [
        ({"is_open": False}, "business_closed", False),
        ({"is_same_service": False}, "other_service", True),
        ({"is_offered": False}, "not_offered", False),
        ({"price_minor": 1501}, "costs_more", False),
        ({"is_same_date": True}, "same_date", True),
        ({"state": SessionState.CANCELLING}, "not_just_now", True),
        ({"starts_at": NOW - timedelta(seconds=1)}, "started", True),
        ({"min_notice_minutes": 72 * 60 + 1}, "too_late", False),
        ({"has_seat_there": True}, "has_seat_there", True),
        ({"left": 0}, "full", True),
    ],
)
def test_each_reason_against_a_date_is_named_and_staff_are_bound_by_seats_and_time(
    more: dict[str, object], code: str, *, binds_staff: bool
) -> None:
    facts = target(**more)
    assert [reason.code for reason in why_not_take(facts, NOW)] == [code]
    assert bool(why_not_take(for_staff(facts), NOW)) is binds_staff


def test_a_cheaper_date_and_the_last_seat_will_do() -> None:
    assert why_not_take(target(price_minor=900), NOW) == []
    assert why_not_take(target(starts_at=NOW), NOW) == [], "at the very second the guest wins"


@pytest.mark.parametrize(("seat", "session", "new_session"), [(0, 0, 0), (0, 3, 0), (2, 1, 7)])
def test_the_calendar_entrys_sequence_rises_wherever_it_goes(
    seat: int, session: int, new_session: int
) -> None:
    assert sequence_after(seat, session, new_session) + new_session > seat + session


def facts(before: timedelta, **more: object) -> LeavingFacts:
    return LeavingFacts(
        **{
            "terms": TERMS,
            "seat": SeatState.CONFIRMED,
            "session": SessionState.SCHEDULED,
            "starts_at": NOW + before,
            "zone": ZoneInfo("Europe/Amsterdam"),
            **more,
        }  # type: ignore[arg-type]  # fields by name, which mypy cannot follow
    )


@pytest.mark.parametrize(("hours", "most"), [(48, 100), (47, 50), (23, 0)])
def test_an_exchange_wins_no_better_terms(hours: int, most: int) -> None:
    assert most_percent_after(facts(timedelta(hours=hours)), NOW) == most
    there = facts(timedelta(days=30), most_percent=most)
    assert percent_back(there, NOW) == most
    assert is_late(there, NOW) is (most == 0), "what was late stays due wherever it goes"
    assert is_late_since_exchange(there, NOW) is (most == 0)
    near = facts(timedelta(hours=23), most_percent=most)
    assert is_late(near, NOW) and not is_late_since_exchange(near, NOW), "late by itself as well"
    moved = facts(timedelta(days=30), most_percent=most, is_penalty_free=True)
    assert (percent_back(moved, NOW), is_late(moved, NOW)) == (100, False)
