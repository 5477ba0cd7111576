"""Which other dates suit best whoever cannot come."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from src.booking.domain.make_up import DateFacts, Suits, best_first, what_suits

ZONE = ZoneInfo("Europe/Amsterdam")
TUESDAY = datetime(2027, 3, 23, 17, tzinfo=UTC)
YOGA, PILATES, ANNA, BEN = (uuid4() for _n in range(4))


def a_date(after: timedelta, service: UUID = PILATES, **more: Any) -> DateFacts:
    values: dict[str, Any] = {"performer_id": BEN, "tags": frozenset({"beginners"}), **more}
    return DateFacts(
        session_id=uuid4(), starts_at=TUESDAY + after, service_id=service, left=5, **values
    )


OLD = a_date(timedelta(), YOGA, performer_id=ANNA)


def test_what_speaks_for_a_date_is_said_the_weightiest_first() -> None:
    same = a_date(timedelta(days=7, minutes=60), performer_id=ANNA)
    assert what_suits(OLD, same, ZONE) == [
        Suits.LEVEL,
        Suits.PERFORMER,
        Suits.WEEKDAY,
        # A week later the clocks have changed: it is two hours later on the wall.
        Suits.ROOM,
    ]
    other = a_date(timedelta(days=1), tags=frozenset({"advanced"}), performer_id=None)
    assert what_suits(OLD, other, ZONE) == [Suits.TIME, Suits.ROOM]


def test_the_teacher_and_the_weekday_outweigh_some_days_but_not_any_number_of_weeks() -> None:
    tomorrow = a_date(timedelta(days=1))
    same = a_date(timedelta(days=6, hours=23), performer_id=ANNA)
    in_months = a_date(timedelta(days=70, hours=-1), performer_id=None, tags=frozenset())
    assert best_first(OLD, [in_months, tomorrow, same], ZONE) == [same, tomorrow, in_months]


def test_of_equals_the_soonest_comes_first() -> None:
    dates = [a_date(timedelta(days=days)) for days in (3, 1, 2)]
    assert [one.starts_at for one in best_first(OLD, dates, ZONE)] == sorted(
        one.starts_at for one in dates
    )
