"""What is asked of a guest who leaves late, or does not come.

A fee is never more than the seat's own share of the price. A seat that a credit paid for has no
price of its own: there a fixed fee is what was stated, and a percentage asks for nothing.
"""

from typing import NamedTuple

import msgspec

from src.platform.i18n import _
from src.platform.money import round_half_up

MOST_MINOR = 100_000_000


class FeeRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Either a fixed amount in its own currency, or a percentage of the seat's share."""

    amount_minor: int = 0
    currency: str = ""
    percent: int = 0


class LateFees(NamedTuple):
    """What is asked for what was left late of an order; `is_told`: a mail has told of all of it."""

    amount_minor: int
    currency: str
    is_told: bool


def fee_minor(rule: FeeRule | None, share_minor: int, *, is_by_credit: bool) -> int:
    """What is asked in minor units, 0 for nothing; a half unit is rounded up."""
    if rule is None:
        return 0
    if rule.percent:
        return min(round_half_up(share_minor * rule.percent, 100), share_minor)
    return rule.amount_minor if is_by_credit else min(rule.amount_minor, share_minor)


def fee_error(rule: FeeRule) -> str | None:
    """Why a rule cannot be saved, None when it can."""
    if rule.percent and rule.amount_minor:
        return _("Please give an amount or a percentage, not both.")
    if not 0 <= rule.percent <= 100:
        return _("A fee lies between 1 and 100 percent of the price.")
    if not 0 <= rule.amount_minor <= MOST_MINOR:
        return _("That amount is too large.")
    return None
