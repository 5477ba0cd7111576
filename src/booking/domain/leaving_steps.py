"""The steps of terms: so long before the start, so much comes back."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.quiet_hours import QuietHours, days_before, hours_before
from src.platform.i18n import _

MOST_TIERS = 8
LONGEST_BEFORE = {"hours": 24 * 365, "days": 365}


class BeforeUnit(StrEnum):
    """`hours` are real hours; `days` are calendar days at the same time on the business's clock."""

    HOURS = "hours"
    DAYS = "days"


class Tier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who leaves at least so long before the start gets `percent` of the seat's share back."""

    before: int
    unit: BeforeUnit = BeforeUnit.HOURS
    percent: int


def step_errors(tiers: Sequence[Tier], *, has_quiet: bool) -> dict[str, str]:
    """Sentences by field, those of one step at `tiers.<position>.<field>`; empty when they may be
    saved.
    """
    wrong: dict[str, str] = {}
    if len(tiers) > MOST_TIERS:
        wrong["tiers"] = _("At most %(count)s steps are kept.", count=MOST_TIERS)
    for position, tier in enumerate(tiers):
        if not 0 <= tier.percent <= 100:
            said = _("What comes back lies between 0 and 100 percent.")
            wrong[f"tiers.{position}.percent"] = said
        if not 0 <= tier.before <= LONGEST_BEFORE[tier.unit]:
            wrong[f"tiers.{position}.before"] = _("A step lies at most a year before the start.")
    return {**_order_errors(tiers, has_quiet=has_quiet), **wrong}


def _order_errors(tiers: Sequence[Tier], *, has_quiet: bool) -> dict[str, str]:
    """Each step is nearer to the start than the one before, and gives no more back.

    With quiet hours a number of hours is no fixed part of a day, so the one is not mixed with the
    other.
    """
    wrong: dict[str, str] = {}
    for position, (first, second) in enumerate(pairwise(tiers), start=1):
        if has_quiet and first.unit is not second.unit:
            said = _("With quiet hours, count all steps in hours or all in days.")
            wrong[f"tiers.{position}.unit"] = said
        elif _hours(second) >= _hours(first):
            said = _("Put the longest time before the start first.")
            wrong[f"tiers.{position}.before"] = said
        if second.percent > first.percent:
            said = _("Leaving later cannot give more back than leaving earlier.")
            wrong[f"tiers.{position}.percent"] = said
    return wrong


def _hours(tier: Tier) -> int:
    return tier.before * (24 if tier.unit is BeforeUnit.DAYS else 1)


def cutoff(
    before: int,
    unit: BeforeUnit,
    starts_at: datetime,
    zone: ZoneInfo,
    quiet: QuietHours | None = None,
) -> datetime:
    """The moment so long before a start: in real hours, or in days on the zone's clocks. Without
    `quiet` hours, which do not count.
    """
    if unit is BeforeUnit.HOURS:
        return hours_before(starts_at, before, zone, quiet)
    return days_before(starts_at, before, zone, quiet)
