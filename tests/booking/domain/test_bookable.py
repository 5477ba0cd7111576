from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.bookable import (
    BusinessFacts,
    SeriesFacts,
    ServiceFacts,
    SessionFacts,
    why_not_bookable_series,
    why_not_bookable_session,
)
from src.booking.domain.kinds import (
    JoinPolicy,
    SalesMode,
    SeriesPriceType,
    ServiceKind,
    SessionState,
    Visibility,
)
from src.booking.domain.pricing import SeriesSession, SeriesTerms
from src.booking.domain.reasons import Reason, ReasonCode, guest_sentence

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
START = NOW + timedelta(days=3)
BUSINESS = BusinessFacts(zone=ZoneInfo("Europe/Berlin"))
SERVICE = ServiceFacts()
SESSION = SessionFacts(
    business=BUSINESS,
    service=SERVICE,
    state=SessionState.SCHEDULED,
    starts_at=START,
    capacity=10,
    taken=4,
)
RUN = SeriesSession(
    session_id=UUID(int=1), starts_at=START, state=SessionState.SCHEDULED, capacity=10, taken=4
)
SERIES = SeriesFacts(
    business=BUSINESS,
    service=SERVICE,
    terms=SeriesTerms(price_type=SeriesPriceType.ONLINE, price_minor=10_000, base_sessions=1),
    sessions=[RUN],
    active=True,
    visibility=Visibility.PUBLIC,
)
LONG_AGO = NOW - timedelta(days=3)


def codes(reasons: list[Reason]) -> list[ReasonCode]:
    return [reason.code for reason in reasons]


def with_business(**changes: object) -> BusinessFacts:
    return replace(BUSINESS, **changes)  # type: ignore[arg-type]  # Any field may be changed.


def with_service(**changes: object) -> ServiceFacts:
    return replace(SERVICE, **changes)  # type: ignore[arg-type]  # Any field may be changed.


def test_nothing_stands_against_an_ordinary_booking() -> None:
    assert why_not_bookable_session(SESSION, NOW) == []
    assert why_not_bookable_series(SERIES, NOW) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"business": with_business(is_confirmed=False)}, ReasonCode.NOT_CONFIRMED),
        ({"business": with_business(status="paused")}, ReasonCode.BUSINESS_CLOSED),
        ({"business": with_business(status="suspended")}, ReasonCode.BUSINESS_CLOSED),
        ({"business": with_business(status="closed")}, ReasonCode.BUSINESS_CLOSED),
        ({"business": with_business(may_sell_groups=False)}, ReasonCode.PLAN_LACKS_GROUPS),
        (
            {
                "business": with_business(may_sell_appointments=False),
                "service": with_service(kind=ServiceKind.APPOINTMENT),
            },
            ReasonCode.PLAN_LACKS_APPOINTMENTS,
        ),
        ({"business": with_business(monthly_limit_reached=True)}, ReasonCode.MONTHLY_LIMIT),
        (
            {"business": with_business(payments_ready=False), "pays_online": True},
            ReasonCode.PAYMENTS_NOT_READY,
        ),
        ({"service": with_service(active=False)}, ReasonCode.SERVICE_INACTIVE),
        ({"service": with_service(sales_mode=SalesMode.SERIES)}, ReasonCode.NOT_SOLD_SINGLY),
        ({"service": with_service(max_party_size=2), "party_size": 3}, ReasonCode.PARTY_TOO_BIG),
        ({"service": with_service(min_notice_minutes=72 * 60 + 1)}, ReasonCode.TOO_LATE),
        ({"service": with_service(horizon_days=2)}, ReasonCode.TOO_EARLY),
        ({"in_series": True}, ReasonCode.DROP_IN_NOT_ALLOWED),
        (
            {"in_series": True, "drop_in_allowed": True, "series_on_sale": False},
            ReasonCode.SERIES_NOT_ON_SALE,
        ),
        (
            {
                "in_series": True,
                "drop_in_allowed": True,
                "drop_in_opens_at": NOW + timedelta(seconds=1),
            },
            ReasonCode.DROP_IN_NOT_OPEN,
        ),
        ({"state": SessionState.CANCELLING}, ReasonCode.NOT_JUST_NOW),
        ({"state": SessionState.CANCELLED}, ReasonCode.CANCELLED),
        ({"starts_at": NOW - timedelta(seconds=1)}, ReasonCode.STARTED),
        ({"taken": 10}, ReasonCode.FULL),
        ({"taken": 8, "party_size": 3}, ReasonCode.FULL),
        ({"capacity": 3, "taken": 5}, ReasonCode.FULL),
    ],
)
def test_reasons_against_a_session(change: dict[str, object], code: ReasonCode) -> None:
    facts = replace(SESSION, **change)  # type: ignore[arg-type]  # The table mixes field types.
    (reason,) = why_not_bookable_session(facts, NOW)
    assert reason.code is code
    assert reason.guest_sentence
    assert reason.owner_sentence
    assert reason.mend or code is ReasonCode.STARTED


@pytest.mark.parametrize(
    "change",
    [
        {"business": with_business(status="past_due")},
        {"business": with_business(payments_ready=False)},
        {"service": with_service(min_notice_minutes=72 * 60)},
        {"service": with_service(horizon_days=3)},
        {"service": with_service(max_party_size=3), "party_size": 3},
        {"in_series": True, "drop_in_allowed": True, "drop_in_opens_at": NOW},
        {"starts_at": NOW},
        {"taken": 9},
    ],
)
def test_at_the_boundary_the_guest_wins(change: dict[str, object]) -> None:
    facts = replace(SESSION, **change)  # type: ignore[arg-type]  # The table mixes field types.
    assert why_not_bookable_session(facts, NOW) == []


def test_the_furthest_day_is_counted_on_the_wall_calendar() -> None:
    late_evening = datetime(2026, 11, 26, 22, 59, tzinfo=UTC)  # still the 26th in Berlin
    facts = replace(SESSION, service=with_service(horizon_days=3), starts_at=late_evening)
    assert why_not_bookable_session(facts, NOW) == []
    next_day = replace(facts, starts_at=late_evening + timedelta(minutes=1))
    assert codes(why_not_bookable_session(next_day, NOW)) == [ReasonCode.TOO_EARLY]


def test_all_reasons_come_together_and_the_weightiest_first() -> None:
    facts = replace(
        SESSION,
        business=with_business(status="paused", monthly_limit_reached=True),
        taken=10,
    )
    reasons = why_not_bookable_session(facts, NOW)
    assert codes(reasons) == [
        ReasonCode.BUSINESS_CLOSED,
        ReasonCode.MONTHLY_LIMIT,
        ReasonCode.FULL,
    ]
    assert guest_sentence(reasons) == reasons[0].guest_sentence


def test_the_seats_left_are_named() -> None:
    (reason,) = why_not_bookable_session(replace(SESSION, taken=9, party_size=2), NOW)
    assert reason.guest_sentence == "Only one seat is left."
    (reason,) = why_not_bookable_session(replace(SESSION, taken=8, party_size=3), NOW)
    assert reason.guest_sentence == "Only 2 seats are left."


def test_an_opening_time_is_told_on_the_business_clock() -> None:
    facts = replace(
        SESSION,
        in_series=True,
        drop_in_allowed=True,
        drop_in_opens_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
    )
    (reason,) = why_not_bookable_session(facts, NOW)
    assert reason.guest_sentence == "Single places open on Tue, 24 Nov 2026, 10:00 CET."


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"business": with_business(is_confirmed=False)}, ReasonCode.NOT_CONFIRMED),
        ({"business": with_business(status="closed")}, ReasonCode.BUSINESS_CLOSED),
        ({"business": with_business(may_sell_series=False)}, ReasonCode.PLAN_LACKS_SERIES),
        (
            {"business": with_business(may_sell_series=False, may_sell_groups=False)},
            ReasonCode.PLAN_LACKS_GROUPS,
        ),
        ({"business": with_business(payments_ready=False)}, ReasonCode.PAYMENTS_NOT_READY),
        ({"service": with_service(sales_mode=SalesMode.SINGLE)}, ReasonCode.NOT_SOLD_AS_SERIES),
        ({"active": False}, ReasonCode.SERIES_INACTIVE),
        ({"visibility": Visibility.HIDDEN}, ReasonCode.SERIES_HIDDEN),
        ({"published": False}, ReasonCode.SERIES_NOT_PUBLISHED),
        ({"sessions": [replace(RUN, taken=10)]}, ReasonCode.FULL),
        ({"sessions": [replace(RUN, taken=9)], "party_size": 2}, ReasonCode.FULL),
        ({"sessions": [replace(RUN, state=SessionState.CANCELLED)]}, ReasonCode.SERIES_ENDED),
        ({"sessions": []}, ReasonCode.SERIES_ENDED),
        ({"terms": replace(SERIES.terms, base_sessions=0)}, ReasonCode.BASE_ZERO),
        (
            {
                "sessions": [
                    replace(RUN, session_id=UUID(int=2), starts_at=LONG_AGO),
                    RUN,
                ]
            },
            ReasonCode.JOIN_CLOSED,
        ),
    ],
)
def test_reasons_against_a_series(change: dict[str, object], code: ReasonCode) -> None:
    facts = replace(SERIES, **change)  # type: ignore[arg-type]  # The table mixes field types.
    (reason,) = why_not_bookable_series(facts, NOW)
    assert reason.code is code
    assert reason.guest_sentence
    assert reason.owner_sentence
    assert reason.mend


def test_an_unlisted_series_is_sold_by_its_link() -> None:
    assert why_not_bookable_series(replace(SERIES, visibility=Visibility.UNLISTED), NOW) == []


def test_a_series_paid_on_site_needs_no_payment_account() -> None:
    on_site = replace(SERIES.terms, price_type=SeriesPriceType.ON_SITE)
    facts = replace(SERIES, business=with_business(payments_ready=False), terms=on_site)
    assert why_not_bookable_series(facts, NOW) == []


def test_a_running_series_is_sold_where_one_may_join() -> None:
    begun = replace(RUN, session_id=UUID(int=2), starts_at=LONG_AGO)
    terms = replace(SERIES.terms, base_sessions=2, join_policy=JoinPolicy.ANY_TIME)
    facts = replace(SERIES, sessions=[begun, RUN], terms=terms)
    assert why_not_bookable_series(facts, NOW) == []


@pytest.mark.parametrize(
    "secret", ["plan", "limit", "used up", "payment account", "switched", "bolt-on", "status"]
)
def test_guests_are_told_nothing_about_the_business(secret: str) -> None:
    business = with_business(
        status="suspended",
        may_sell_groups=False,
        monthly_limit_reached=True,
        payments_ready=False,
    )
    service = with_service(active=False)
    facts = replace(SERIES, business=business, service=service, active=False, published=False)
    for reason in why_not_bookable_series(facts, NOW):
        assert secret not in reason.guest_sentence.lower()
