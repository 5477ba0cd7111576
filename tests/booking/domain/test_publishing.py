from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from src.booking.domain.kinds import SalesMode, SeriesPriceType, SessionState, Visibility
from src.booking.domain.publishing import (
    AttachedSession,
    PublishFacts,
    Seen,
    how_seen,
    why_not_found_series,
    why_not_found_service,
    why_not_found_session,
    why_not_publishable_series,
)
from src.booking.domain.reasons import Reason, ReasonCode
from tests.booking.domain.test_bookable import (
    BUSINESS,
    LONG_AGO,
    NOW,
    RUN,
    SERIES,
    SERVICE,
    SESSION,
    START,
    codes,
    with_business,
    with_service,
)

SERVICE_ID = UUID(int=7)
ATTACHED = AttachedSession(
    service_id=SERVICE_ID, state=SessionState.SCHEDULED, starts_at=START, other_series_title=None
)
PUBLISH = PublishFacts(
    service_id=SERVICE_ID,
    sessions=[ATTACHED],
    price_type=SeriesPriceType.ONLINE,
    price_minor=10_000,
)


def test_nothing_stands_against_what_is_as_it_should_be() -> None:
    assert why_not_publishable_series(PUBLISH, NOW) == []
    assert why_not_found_series(SERIES, NOW) == []
    assert why_not_found_session(SESSION, None, NOW) == []
    assert of_service() == []
    assert how_seen([]) is Seen.BOOKABLE


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sessions": []}, [ReasonCode.BASE_ZERO]),
        ({"sessions": [replace(ATTACHED, state=SessionState.CANCELLED)]}, [ReasonCode.BASE_ZERO]),
        ({"sessions": [replace(ATTACHED, starts_at=LONG_AGO)]}, [ReasonCode.NO_UPCOMING_SESSION]),
        (
            {"sessions": [ATTACHED, replace(ATTACHED, service_id=UUID(int=8))]},
            [ReasonCode.MIXED_SERVICES],
        ),
        (
            {"sessions": [replace(ATTACHED, other_series_title="Autumn")] * 2},
            [ReasonCode.SESSION_IN_ANOTHER_SERIES],
        ),
        ({"sessions": [ATTACHED, replace(ATTACHED, state=SessionState.CANCELLING)]}, []),
        (
            {
                "sessions": [ATTACHED, replace(ATTACHED, state=SessionState.CANCELLING)],
                "is_first": True,
            },
            [ReasonCode.BEING_CANCELLED],
        ),
        ({"price_minor": None}, [ReasonCode.PRICE_MISSING]),
        ({"price_minor": 0}, [ReasonCode.PRICE_MISSING]),
        ({"price_minor": None, "price_type": SeriesPriceType.FREE}, []),
        ({"sessions": [replace(ATTACHED, starts_at=NOW)]}, []),
        ({"sessions": [], "price_minor": None}, [ReasonCode.BASE_ZERO, ReasonCode.PRICE_MISSING]),
    ],
)
def test_reasons_against_publishing(change: dict[str, Any], expected: list[ReasonCode]) -> None:
    facts = replace(PUBLISH, **change)
    assert codes(why_not_publishable_series(facts, NOW)) == expected


def of_service(**changes: Any) -> list[Reason]:
    facts: dict[str, Any] = {
        "business": BUSINESS,
        "service": SERVICE,
        "pays_online": True,
        "has_dates": True,
        "has_series": False,
        **changes,
    }
    return why_not_found_service(**facts)


@pytest.mark.parametrize(
    ("change", "expected", "seen"),
    [
        ({"business": with_business(is_confirmed=False)}, "not_confirmed", Seen.NOT_BOOKABLE),
        ({"business": with_business(status="paused")}, "business_closed", Seen.NOT_BOOKABLE),
        ({"business": with_business(may_sell_groups=False)}, "plan_lacks_groups", Seen.UNSEEN),
        (
            {"business": with_business(payments_ready=False)},
            "payments_not_ready",
            Seen.NOT_BOOKABLE,
        ),
        ({"service": with_service(active=False)}, "service_inactive", Seen.UNSEEN),
        ({"service": with_service(visibility=Visibility.HIDDEN)}, "service_hidden", Seen.UNSEEN),
        (
            {"service": with_service(visibility=Visibility.UNLISTED)},
            "service_unlisted",
            Seen.BY_LINK,
        ),
        ({"has_dates": False}, "no_dates", Seen.NOT_BOOKABLE),
        (
            {"service": with_service(sales_mode=SalesMode.SERIES)},
            "no_series_on_sale",
            Seen.NOT_BOOKABLE,
        ),
    ],
)
def test_why_a_service_is_not_found(change: dict[str, Any], expected: str, seen: Seen) -> None:
    reasons = of_service(**change)
    assert codes(reasons) == [expected]
    assert how_seen(reasons) is seen
    assert all(reason.owner_sentence and reason.mend for reason in reasons)


def test_a_service_sold_as_series_is_found_while_one_is_on_sale() -> None:
    assert of_service(service=with_service(sales_mode=SalesMode.SERIES), has_series=True) == []


@pytest.mark.parametrize(
    ("change", "series", "expected"),
    [
        ({"taken": 10}, None, [ReasonCode.FULL]),
        ({"state": SessionState.CANCELLED}, None, []),
        ({"starts_at": LONG_AGO}, None, []),
        ({"service": with_service(sales_mode=SalesMode.SERIES)}, None, ["not_sold_singly"]),
        (
            {"service": with_service(sales_mode=SalesMode.SERIES), "in_series": True},
            Visibility.PUBLIC,
            [],
        ),
        ({"in_series": True}, Visibility.PUBLIC, []),
        ({"in_series": True}, Visibility.UNLISTED, ["series_unlisted"]),
        (
            {
                "service": with_service(sales_mode=SalesMode.SERIES),
                "in_series": True,
                "series_on_sale": False,
            },
            Visibility.PUBLIC,
            ["series_not_on_sale"],
        ),
        ({"in_series": True, "series_on_sale": False}, Visibility.PUBLIC, ["series_not_on_sale"]),
    ],
)
def test_why_a_date_is_not_found(
    change: dict[str, Any], series: Visibility | None, expected: list[str]
) -> None:
    facts = replace(SESSION, **change)
    assert codes(why_not_found_session(facts, series, NOW)) == expected


def test_a_series_is_sold_out_off_the_page_or_found_by_its_link() -> None:
    full = why_not_found_series(replace(SERIES, sessions=[replace(RUN, taken=10)]), NOW)
    assert how_seen(full) is Seen.SOLD_OUT
    hidden = replace(SERIES, visibility=Visibility.HIDDEN, service=with_service(active=False))
    assert how_seen(why_not_found_series(hidden, NOW)) is Seen.UNSEEN
    listed = replace(SERIES, service=with_service(visibility=Visibility.UNLISTED))
    assert how_seen(why_not_found_series(listed, NOW)) is Seen.BY_LINK
