"""When a price that is paid in parts falls due, and how much each time.

Every part is a whole number of minor units and none is worked out from another, so whatever the
dates are, the parts sum to the price to the minor unit. Dates are days on the business's clock.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum

import msgspec
from dateutil.relativedelta import relativedelta

from src.platform.money import round_half_up

MOST_PARTS = 60
"""Of one price: five years of months."""


class Unit(StrEnum):
    """Four weeks are no month: thirteen of them are a year."""

    WEEK = "week"
    MONTH = "month"


class Every(msgspec.Struct, frozen=True):
    """How far it is from one date to the next: each `count` weeks or months, at least 1."""

    count: int
    unit: Unit


class Part(msgspec.Struct, frozen=True):
    """What is due on a day, in minor units, above 0."""

    due_on: date
    minor: int


def due_on(first_on: date, every: Every, number: int) -> date:
    """The day of the part with that number, 0 being the first.

    It is counted from the first one and never from the one before: who begins on 31 January pays on
    28 February and on 31 March again.
    """
    steps = every.count * number
    if every.unit is Unit.WEEK:
        return first_on + timedelta(weeks=steps)
    return first_on + relativedelta(months=steps)


def in_parts(price_minor: int, parts: int, every: Every, first_on: date) -> list[Part]:
    """A price in so many parts that are as even as they can be, the earlier ones never smaller.

    Fewer where the price has fewer minor units than parts; none for a price of 0.
    """
    even, over = divmod(price_minor, parts)
    amounts = [even + (number < over) for number in range(parts)]
    return [
        Part(due_on(first_on, every, number), minor)
        for number, minor in enumerate(amounts)
        if minor > 0
    ]


def by_period(price_minor: int, every: Every, first_on: date, ends_on: date) -> list[Part]:
    """A price for each period from the first day to the end, that day included. The last period
    costs as much less as it has fewer days, rounded half up; one that comes to nothing is not due.

    Empty when it ends before it begins. Raises: ValueError for more than `MOST_PARTS` periods.
    """
    parts: list[Part] = []
    starts_on, number = first_on, 0
    while starts_on <= ends_on:
        if number >= MOST_PARTS:
            raise ValueError("There are too many periods.")
        number += 1
        next_on = due_on(first_on, every, number)
        whole = (next_on - starts_on).days
        had = min((ends_on - starts_on).days + 1, whole)
        minor = price_minor if had == whole else round_half_up(price_minor * had, whole)
        if minor > 0:
            parts.append(Part(starts_on, minor))
        starts_on = next_on
    return parts


def covered(shares: Sequence[int], received_minor: int) -> int:
    """How many of the shares, in the order of their dates, are paid by what was received. One that
    costs nothing is paid as soon as all before it are.
    """
    paid = 0
    for number, share in enumerate(shares):
        paid += share
        if paid > received_minor:
            return number
    return len(shares)
