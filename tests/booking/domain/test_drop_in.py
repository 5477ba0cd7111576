"""Whose rule holds for a single date, and from when on."""

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.drop_in import (
    DropInRules,
    PayWay,
    drop_in_errors,
    open_ways,
    opens_at,
    price_of_date,
    resolve,
    ways_to_pay,
)
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import BeforeUnit

FREE, ON_SITE, ONLINE = SeriesPriceType.FREE, SeriesPriceType.ON_SITE, SeriesPriceType.ONLINE
BERLIN = ZoneInfo("Europe/Berlin")
NOTHING = DropInRules()
WAYS = (PayWay.ONLINE, PayWay.ON_SITE)


@pytest.mark.parametrize(
    ("own", "series", "holds"),
    [
        (None, None, False),
        (None, True, True),
        (None, False, False),
        (True, False, True),
        (False, True, False),
    ],
)
def test_a_date_is_sold_alone_as_it_says_itself_or_else_its_series(
    own: bool | None, series: bool | None, holds: bool
) -> None:
    held = resolve(DropInRules(allowed=own), DropInRules(allowed=series))
    assert held.allowed is holds


@pytest.mark.parametrize(
    ("own", "series", "service", "price"),
    [
        (900, 1200, 1500, 900),
        (None, 1200, 1500, 1200),
        (None, None, 1500, 1500),
        (0, 1200, 1500, 0),
        (None, 0, 1500, 0),
        (None, None, 0, 0),
        (None, None, None, 0),
    ],
)
def test_nothing_falls_back_and_0_is_free(
    own: int | None, series: int | None, service: int | None, price: int
) -> None:
    held = resolve(DropInRules(price_minor=own), DropInRules(price_minor=series))
    assert price_of_date(held, ONLINE, service) == price


def test_the_opening_is_taken_whole_from_one_of_them() -> None:
    of_series = DropInRules(opens_before=3, opens_unit=BeforeUnit.DAYS)
    own = DropInRules(opens_before=12, opens_unit=BeforeUnit.HOURS)
    held = resolve(own, of_series)
    assert (held.opens_before, held.opens_unit) == (12, BeforeUnit.HOURS)
    held = resolve(DropInRules(opens_unit=BeforeUnit.HOURS), of_series)
    assert (held.opens_before, held.opens_unit) == (3, BeforeUnit.DAYS)
    assert resolve(DropInRules(opens_before=0), of_series).opens_before == 0


def test_days_are_counted_on_the_wall_clock_and_hours_are_real() -> None:
    """18:00 on the Monday after the clocks went back is 18:00 on the Saturday before, too."""
    start = datetime(2026, 10, 26, 17, tzinfo=UTC)
    days = DropInRules(opens_before=2, opens_unit=BeforeUnit.DAYS)
    hours = DropInRules(opens_before=48, opens_unit=BeforeUnit.HOURS)
    assert opens_at(days, start, BERLIN) == datetime(2026, 10, 24, 16, tzinfo=UTC)
    assert opens_at(hours, start, BERLIN) == start - timedelta(hours=48)


@pytest.mark.parametrize("before", [None, 0])
def test_no_opening_is_at_once(before: int | None) -> None:
    rules = DropInRules(opens_before=before)
    assert opens_at(rules, datetime(2026, 10, 26, 17, tzinfo=UTC), BERLIN) is None


@pytest.mark.parametrize(
    ("pays", "service", "ways"),
    [
        ((), ONLINE, (PayWay.ONLINE,)),
        ((), ON_SITE, (PayWay.ON_SITE,)),
        ((), FREE, ()),
        ((PayWay.ON_SITE,), ONLINE, (PayWay.ON_SITE,)),
        ((PayWay.ON_SITE, PayWay.ONLINE), FREE, WAYS),
        ((PayWay.CREDIT,), ONLINE, (PayWay.CREDIT,)),
    ],
)
def test_the_ways_to_pay_are_the_rules_or_else_the_services(
    pays: tuple[PayWay, ...], service: SeriesPriceType, ways: tuple[PayWay, ...]
) -> None:
    assert ways_to_pay(DropInRules(pays=pays), service) == ways


def test_a_free_service_has_a_price_only_with_a_way_to_pay_it() -> None:
    assert price_of_date(DropInRules(price_minor=900), FREE, 0) == 0
    assert price_of_date(DropInRules(price_minor=900, pays=WAYS), FREE, 0) == 900


def test_without_an_account_the_card_steps_back_only_for_another_way() -> None:
    assert open_ways(WAYS, payments_ready=True) == WAYS
    assert open_ways(WAYS, payments_ready=False) == (PayWay.ON_SITE,)
    assert open_ways((PayWay.ONLINE,), payments_ready=False) == (PayWay.ONLINE,)


@pytest.mark.parametrize(("ready", "also"), list(product([True, False], [(), (PayWay.ON_SITE,)])))
def test_a_stranger_never_pays_with_credits(ready: bool, also: tuple[PayWay, ...]) -> None:
    assert open_ways((PayWay.CREDIT, *also), payments_ready=ready) == also


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (DropInRules(opens_before=-1), "drop_in_opens_before"),
        (DropInRules(opens_before=366), "drop_in_opens_before"),
        (DropInRules(opens_before=8761, opens_unit=BeforeUnit.HOURS), "drop_in_opens_before"),
        (DropInRules(pays=(PayWay.TRANSFER,)), "drop_in_pays"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(rules: DropInRules, field: str) -> None:
    assert list(drop_in_errors(rules)) == [field]


def test_a_year_is_still_a_rule() -> None:
    assert drop_in_errors(DropInRules(opens_before=365, pays=WAYS)) == {}
    assert drop_in_errors(NOTHING) == {}
