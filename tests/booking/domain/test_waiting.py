"""Who is offered a place, until when, and why somebody is not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.reasons import series_off_sale
from src.booking.domain.waiting import (
    ListFacts,
    Waiting,
    WaitlistTerms,
    Weighed,
    WhyNot,
    closes_at,
    made_closes_at,
    offer_ends_at,
    waitlist_errors,
    waitlist_from,
    weigh,
    why_no_waiting,
)

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
WEEK = NOW + timedelta(days=7)
MON, TUE, TERM = UUID(int=1), UUID(int=2), UUID(int=3)
TERMS = WaitlistTerms()
HOUR = timedelta(hours=1)


def a_list(*session_ids: UUID, starts_at: datetime = WEEK, **more: Any) -> ListFacts:
    facts: dict[str, Any] = {"max_party": 10, "capacity": 12, **more}
    return ListFacts(session_ids=session_ids, closes_at=closes_at(starts_at, 0, TERMS), **facts)


def people(*sizes: int, of: UUID = MON, since: datetime | None = None) -> list[Waiting]:
    """They joined in this order."""
    return [
        Waiting(
            entry_id=UUID(int=100 + 10 * of.int + place),
            list_id=of,
            size=size,
            queued_at=NOW - timedelta(days=9 - place),
            short_since=since,
        )
        for place, size in enumerate(sizes)
    ]


def said(weighed: Sequence[Weighed]) -> list[str]:
    return [
        str(one.why or ("holds" if one.proposed and one.proposed.holds else "rush"))
        for one in weighed
    ]


@pytest.mark.parametrize(
    ("sizes", "free", "pass_hours", "since", "expected"),
    [
        ((1, 1), 0, 24, None, ["no_place", "no_place"]),
        ((1, 1), 1, 24, None, ["holds", "no_place"]),
        ((2, 1), 2, 24, None, ["holds", "no_place"]),
        ((2, 1), 1, 24, None, ["too_few_places", "behind_bigger_party"]),
        ((2, 1), 1, 0, None, ["too_few_places", "holds"]),
        ((2, 1), 1, None, None, ["too_few_places", "behind_bigger_party"]),
        ((2, 1), 1, 24, NOW - 23 * HOUR, ["too_few_places", "behind_bigger_party"]),
        ((2, 1), 1, 24, NOW - 24 * HOUR, ["too_few_places", "holds"]),
        ((2, 3, 1), 3, 0, None, ["holds", "too_few_places", "holds"]),
        ((11, 1), 12, 24, None, ["party_too_big", "holds"]),
        ((13, 1), 1, None, None, ["party_too_big", "holds"]),
    ],
)
def test_whoever_waits_longest_goes_first_and_parties_stay_together(
    sizes: tuple[int, ...],
    free: int,
    pass_hours: int | None,
    since: datetime | None,
    expected: list[str],
) -> None:
    terms = WaitlistTerms(pass_hours=pass_hours)
    queue = people(*sizes, since=since)
    found = weigh(list(reversed(queue)), {MON: a_list(MON)}, {MON: free}, terms, NOW, ZONE)
    assert said(found) == expected


def test_by_default_the_first_that_fits_is_offered_what_is_free() -> None:
    assert TERMS.pass_hours == 0
    found = weigh(people(3, 2, 1), {MON: a_list(MON)}, {MON: 2}, TERMS, NOW, ZONE)
    assert said(found) == ["too_few_places", "holds", "no_place"]
    assert found[0].is_passed


@pytest.mark.parametrize("pass_hours", [0, 24, None])
def test_a_party_that_can_never_fit_holds_nobody_up(pass_hours: int | None) -> None:
    terms, facts = WaitlistTerms(pass_hours=pass_hours), a_list(MON, capacity=3)
    assert facts.biggest_party == 3
    found = weigh(people(4, 1), {MON: facts}, {MON: 1}, terms, NOW, ZONE)
    assert said(found) == ["never_fits", "holds"]


@pytest.mark.parametrize(
    ("facts", "terms", "why"),
    [
        (a_list(MON), WaitlistTerms(is_on=False), WhyNot.SWITCHED_OFF),
        (a_list(MON, reasons=(series_off_sale(),)), TERMS, WhyNot.NOT_ON_SALE),
        (a_list(), TERMS, WhyNot.NOT_ON_SALE),
        (a_list(MON, starts_at=NOW + 2 * HOUR - timedelta(seconds=1)), TERMS, WhyNot.TOO_LATE),
    ],
)
def test_nothing_is_offered_that_could_not_be_taken(
    facts: ListFacts, terms: WaitlistTerms, why: WhyNot
) -> None:
    """Row 2-33: an offer came after the last day to pay."""
    [one] = weigh(people(1), {MON: facts}, {MON: 5}, terms, NOW, ZONE)
    assert (one.proposed, one.why) == (None, why)


@pytest.mark.parametrize(
    ("last_in", "why"),
    [
        (WEEK - NOW, None),
        (2 * HOUR, None),
        (2 * HOUR - timedelta(seconds=1), WhyNot.TOO_LATE),
        (None, WhyNot.TOO_LATE),
    ],
)
def test_a_series_is_waited_for_as_long_as_it_can_be_joined_after_its_next_date(
    last_in: timedelta | None, why: WhyNot | None
) -> None:
    """Nothing is offered until the date that is too near has begun."""
    last = None if last_in is None else closes_at(NOW + last_in, 0, TERMS)
    facts = a_list(MON, TUE, starts_at=NOW + HOUR, joins_close_at=last)
    assert why_no_waiting(facts, 1, TERMS, NOW) == (None if why is None else (why, ()))
    [one] = weigh(people(1), {MON: facts}, {MON: 5, TUE: 5}, TERMS, NOW, ZONE)
    assert one.why is WhyNot.TOO_LATE


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (3 * HOUR + timedelta(seconds=1), ["holds", "no_place", "no_place"]),
        (3 * HOUR, ["rush", "rush", "no_place"]),
        (2 * HOUR, ["rush", "rush", "no_place"]),
    ],
)
def test_in_the_last_hours_everybody_who_fits_is_told_and_nothing_is_held(
    ahead: timedelta, expected: list[str]
) -> None:
    facts = a_list(MON, starts_at=NOW + ahead)
    found = weigh(people(1, 1, 2), {MON: facts}, {MON: 1}, TERMS, NOW, ZONE)
    assert said(found) == expected


def test_the_last_hours_are_the_terms_own() -> None:
    facts = a_list(MON, starts_at=NOW + 12 * HOUR)
    early = WaitlistTerms(rush_hours=12)
    assert said(weigh(people(1), {MON: facts}, {MON: 1}, early, NOW, ZONE)) == ["rush"]
    late = WaitlistTerms(last_offer_minutes=12 * 60)
    assert said(weigh(people(1), {MON: facts}, {MON: 1}, late, NOW, ZONE)) == ["too_late"]
    soon = a_list(MON, starts_at=NOW + 2 * HOUR)
    never = WaitlistTerms(rush_hours=0)
    assert said(weigh(people(1, 1), {MON: soon}, {MON: 1}, never, NOW, ZONE))[0] == "holds"


def test_who_has_an_offer_gets_no_second_one() -> None:
    [first] = people(1)
    offered = Waiting(entry_id=first.entry_id, list_id=MON, size=1, queued_at=NOW, has_offer=True)
    assert said(weigh([offered], {MON: a_list(MON)}, {MON: 3}, TERMS, NOW, ZONE)) == ["has_offer"]


def test_a_series_needs_a_place_in_every_date_and_shares_them_with_single_dates() -> None:
    lists = {TERM: a_list(MON, TUE), MON: a_list(MON)}
    queue = [*people(1, of=TERM), *people(1, of=MON)]
    full = weigh(queue, lists, {MON: 1, TUE: 0}, TERMS, NOW, ZONE)
    assert {one.entry.list_id: one.why for one in full} == {MON: None, TERM: WhyNot.NO_PLACE}
    first, second = weigh(
        sorted(queue, key=lambda one: one.list_id != TERM),
        lists,
        {MON: 1, TUE: 1},
        TERMS,
        NOW,
        ZONE,
    )
    offered = first if first.proposed else second
    rest = second if first.proposed else first
    assert offered.proposed is not None
    assert rest.why is WhyNot.NO_PLACE, "one place is not given twice"


def test_with_gaps_a_series_is_offered_the_dates_that_have_room() -> None:
    facts = a_list(MON, TUE, with_gaps=True)
    [one] = weigh(people(1, of=TERM), {TERM: facts}, {MON: 0, TUE: 2}, TERMS, NOW, ZONE)
    assert one.proposed is not None
    assert one.proposed.session_ids == (TUE,)
    [none] = weigh(people(3, of=TERM), {TERM: facts}, {MON: 0, TUE: 2}, TERMS, NOW, ZONE)
    assert none.why is WhyNot.TOO_FEW_PLACES


def local(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        (local(1, 10), local(1, 14)),
        (local(1, 18), local(1, 22)),
        (local(1, 20), local(2, 10)),
        (local(1, 23), local(2, 12)),
        (local(2, 3), local(2, 12)),
        # The night in which the clocks jump is an hour shorter, and the day starts at 8 as ever.
        (local(27, 21), local(28, 11)),
        (local(28, 1, 30), local(28, 12)),
        # And the one in which they go back is longer.
        (local(30, 21, month=10), local(31, 11, month=10)),
    ],
)
def test_quiet_hours_do_not_count(at: datetime, ends: datetime) -> None:
    far = datetime(2028, 1, 1, tzinfo=UTC)
    assert offer_ends_at(at, TERMS, far, ZONE) == ends


def test_an_offer_ends_with_the_sale_at_the_latest() -> None:
    assert offer_ends_at(NOW, TERMS, NOW + HOUR, ZONE) == NOW + HOUR
    assert offer_ends_at(local(1, 23), TERMS, local(2, 7), ZONE) == local(2, 7)
    always = WaitlistTerms(quiet_from=0, quiet_until=0, offer_minutes=24 * 60)
    assert offer_ends_at(NOW, always, WEEK, ZONE) == NOW + 24 * HOUR
    by_day = WaitlistTerms(quiet_from=9, quiet_until=17, offer_minutes=60)
    assert offer_ends_at(local(1, 8, 30), by_day, WEEK, ZONE) == local(1, 17, 30)


@pytest.mark.parametrize(("notice", "before"), [(0, HOUR), (60, HOUR), (24 * 60, 24 * HOUR)])
def test_offers_end_before_the_sale_does(notice: int, before: timedelta) -> None:
    assert closes_at(WEEK, notice, TERMS) == WEEK - before
    late = WaitlistTerms(closing_minutes=0)
    assert closes_at(WEEK, notice, late) == WEEK - timedelta(minutes=notice)


def test_an_offer_outlives_terms_that_close_sooner_since_until_the_last_hour() -> None:
    sooner = WaitlistTerms(closing_minutes=600)
    assert closes_at(WEEK, 0, sooner) == WEEK - 10 * HOUR
    assert made_closes_at(WEEK, 0, sooner) == WEEK - HOUR
    assert made_closes_at(WEEK, 120, sooner) == WEEK - 2 * HOUR
    assert made_closes_at(WEEK, 0, WaitlistTerms(closing_minutes=15)) == WEEK - HOUR / 4


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (WaitlistTerms(offer_minutes=14), "offer_minutes"),
        (WaitlistTerms(offer_minutes=10081), "offer_minutes"),
        (WaitlistTerms(quiet_from=24), "quiet_from"),
        (WaitlistTerms(quiet_until=-1), "quiet_until"),
        (WaitlistTerms(pass_hours=-1), "pass_hours"),
        (WaitlistTerms(pass_hours=721), "pass_hours"),
        (WaitlistTerms(closing_minutes=-1), "closing_minutes"),
        (WaitlistTerms(closing_minutes=10081), "closing_minutes"),
        (WaitlistTerms(last_offer_minutes=14), "last_offer_minutes"),
        (WaitlistTerms(rush_hours=-1), "rush_hours"),
        (WaitlistTerms(rush_hours=169), "rush_hours"),
    ],
)
def test_terms_that_make_no_sense_are_refused_at_their_field(
    terms: WaitlistTerms, field: str
) -> None:
    assert list(waitlist_errors(terms)) == [field]


def test_terms_are_kept_without_what_is_as_by_default() -> None:
    assert waitlist_from({}) == TERMS
    assert TERMS.document() == {}
    own = WaitlistTerms(is_on=False, pass_hours=None)
    assert waitlist_from(own.document()) == own
