"""What binds guests and not staff, and that nothing else is let go."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.bookable import (
    BusinessFacts,
    ServiceFacts,
    SessionFacts,
    why_not_bookable_session,
)
from src.booking.domain.kinds import SalesMode, SessionState
from src.booking.domain.reasons import ReasonCode
from src.booking.domain.staff_rules import session_for_staff

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
OPEN = SessionFacts(
    business=BusinessFacts(zone=ZoneInfo("Europe/Amsterdam")),
    service=ServiceFacts(),
    state=SessionState.SCHEDULED,
    starts_at=NOW + timedelta(days=7),
    capacity=10,
    taken=0,
)


def codes(facts: SessionFacts) -> list[ReasonCode]:
    return [reason.code for reason in why_not_bookable_session(facts, NOW)]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(OPEN, service=ServiceFacts(min_notice_minutes=60 * 24 * 8)), ReasonCode.TOO_LATE),
        (replace(OPEN, service=ServiceFacts(horizon_days=3)), ReasonCode.TOO_EARLY),
        (
            replace(
                OPEN,
                in_series=True,
                drop_in_allowed=True,
                drop_in_opens_at=NOW + timedelta(days=1),
            ),
            ReasonCode.DROP_IN_NOT_OPEN,
        ),
    ],
)
def test_staff_are_not_bound(facts: SessionFacts, code: ReasonCode) -> None:
    assert codes(facts) == [code]
    assert codes(session_for_staff(facts)) == []


UNASKED = ("may_sell_series", "may_sell_appointments", "payments_ready", "seats_told_up_to")
"""Of a group session nobody asks these."""


@pytest.mark.parametrize(
    "facts",
    [
        replace(OPEN, taken=10),
        replace(OPEN, party_size=11),
        replace(OPEN, state=SessionState.CANCELLING),
        replace(OPEN, starts_at=NOW - timedelta(seconds=1)),
        replace(OPEN, in_series=True),
        replace(OPEN, in_series=True, drop_in_allowed=True, series_on_sale=False),
        replace(OPEN, service=ServiceFacts(active=False)),
        replace(OPEN, service=ServiceFacts(sales_mode=SalesMode.SERIES)),
        *(
            replace(OPEN, business=replace(OPEN.business, **{field.name: wrong}))
            for field, wrong in zip(
                fields(BusinessFacts)[1:],
                ("paused", False, False, False, False, True, False, 0),
                strict=True,
            )
            if field.name not in UNASKED
        ),
    ],
)
def test_all_else_holds_for_staff_too(facts: SessionFacts) -> None:
    assert codes(session_for_staff(facts)) == codes(facts) != []
