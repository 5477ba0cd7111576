"""Which date terms of leaving are explained by: one that nothing they name has passed for."""

from collections.abc import Iterable
from datetime import timedelta

from src.booking.domain.leaving import BeforeUnit, LeavingTerms

_CLOCKS_CHANGE = timedelta(hours=1)
_A_DAY = timedelta(days=1)


def longest_before(terms: Iterable[LeavingTerms]) -> timedelta:
    """How long before a date the first of the moments can lie that any of the `terms` name."""
    return max((_longest_before(one) for one in terms), default=timedelta())


def _longest_before(terms: LeavingTerms) -> timedelta:
    named = [(tier.before, tier.unit) for tier in terms.tiers]
    if terms.moves_before is not None:
        named.append((terms.moves_before, terms.moves_unit))
    if terms.hand_on_before is not None:
        named.append((terms.hand_on_before, terms.hand_on_unit))
    before = max((_span(count, unit) for count, unit in named), default=timedelta())
    if terms.quiet_hours is not None:
        # Hours of the night do not count, so that so many take longer to pass.
        before = before * 24 / (24 - terms.quiet_hours.hours) + _A_DAY
    return before + _CLOCKS_CHANGE


def _span(count: int, unit: BeforeUnit) -> timedelta:
    return timedelta(days=count) if unit is BeforeUnit.DAYS else timedelta(hours=count)
