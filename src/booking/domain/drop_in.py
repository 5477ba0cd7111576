"""How one date of a series is sold alone: whether, for how much, from when on, and paid how.

The series has the rules; a date of it may have its own for any of them.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import LONGEST_BEFORE, BeforeUnit, cutoff
from src.booking.domain.pricing import drop_in_price_minor
from src.platform.i18n import _


class PayWay(StrEnum):
    """How a price can be paid. `credit` is for who has credits of the business; `transfer` goes
    with `online` where the business takes bank transfers, and is no way of its own in rules.
    """

    ONLINE = "online"
    TRANSFER = "transfer"
    ON_SITE = "on_site"
    CREDIT = "credit"


STRANGERS_WAYS = (PayWay.ONLINE, PayWay.ON_SITE)
RULES_WAYS = (*STRANGERS_WAYS, PayWay.CREDIT)
"""What rules can name."""


class DropInRules(msgspec.Struct, frozen=True, kw_only=True):
    """Of a series, or of one of its dates.

    None, and no ways to pay, fall back: a date's to the series', the series' price and ways to the
    service's. A price of 0 is free. `opens_before` counts `opens_unit` before the start; 0, or
    nothing anywhere, opens at once.
    """

    allowed: bool | None = None
    price_minor: int | None = None
    opens_before: int | None = None
    opens_unit: BeforeUnit = BeforeUnit.DAYS
    pays: tuple[PayWay, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == DropInRules(opens_unit=self.opens_unit)


def resolve(own: DropInRules, series: DropInRules) -> DropInRules:
    """The rules that hold for a date, each its own or else the series'."""
    opening = own if own.opens_before is not None else series
    return DropInRules(
        allowed=bool(series.allowed if own.allowed is None else own.allowed),
        price_minor=drop_in_price_minor(own.price_minor, series.price_minor, None),
        opens_before=opening.opens_before,
        opens_unit=opening.opens_unit,
        pays=own.pays or series.pays,
    )


def opens_at(rules: DropInRules, starts_at: datetime, zone: ZoneInfo) -> datetime | None:
    """From when on a date is sold alone: in real hours, or in days at the same time on the zone's
    clocks, before its start. None: at once.
    """
    if not rules.opens_before:
        return None
    return cutoff(rules.opens_before, rules.opens_unit, starts_at, zone)


def price_of_date(
    rules: DropInRules, service_type: SeriesPriceType, service_minor: int | None
) -> int:
    """What one entry costs. A free service has a price only where it is said how it is paid."""
    if service_type is SeriesPriceType.FREE and not rules.pays:
        return 0
    return drop_in_price_minor(None, rules.price_minor, service_minor) or 0


def ways_to_pay(rules: DropInRules, service_type: SeriesPriceType) -> tuple[PayWay, ...]:
    """Every valid way, the page for cards first; none where nothing is to be paid."""
    if rules.pays:
        return tuple(way for way in PayWay if way in rules.pays)
    return () if service_type is SeriesPriceType.FREE else (PayWay(service_type.value),)


def open_ways(ways: Sequence[PayWay], *, payments_ready: bool) -> tuple[PayWay, ...]:
    """Those that a stranger can take now: without a payment account the page for cards steps back
    while there is another one.
    """
    found = tuple(way for way in ways if way in STRANGERS_WAYS)
    if payments_ready or len(found) < 2:
        return found
    return tuple(way for way in found if way is not PayWay.ONLINE)


def drop_in_errors(rules: DropInRules) -> dict[str, str]:
    """Sentences by field; empty when the rules may be saved. Prices are judged elsewhere."""
    wrong: dict[str, str] = {}
    before = rules.opens_before
    if before is not None and not 0 <= before <= LONGEST_BEFORE[rules.opens_unit]:
        wrong["drop_in_opens_before"] = _("At most a year before the start.")
    if any(way not in RULES_WAYS for way in rules.pays):
        wrong["drop_in_pays"] = _("Please choose among the given ways to pay.")
    return wrong
