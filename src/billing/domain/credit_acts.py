"""What staff may do with credits that a customer owns, decided from facts alone.

Source: docs/algorithms/credits.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from src.billing.domain.credits import (
    MOST_CREDITS,
    LotState,
    RefundRule,
    refundable_minor,
)
from src.platform.i18n import _
from src.platform.localtime import local_day_bounds, to_local

LONGEST_REASON = 300
LAST_YEAR = 2200


class CreditAct(StrEnum):
    """What was done to a customer's credits; its mail has words for each."""

    GIVEN = "given"
    ADDED = "added"
    REMOVED = "removed"
    EXTENDED = "extended"
    SHORTENED = "shortened"
    ROLLED_OVER = "rolled_over"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """What stands in a lot when somebody wants money for the rest of it.

    `paid_minor` was paid for `bought` credits; `unused` of these are left, and `refunded` went back
    as money before, for `refunded_minor`. `left_minor` is what is left of the payment, and
    `to_come_minor` was still to be paid in parts, which a refund ends.
    """

    rule: RefundRule
    paid_minor: int
    bought: int
    unused: int
    single_minor: int
    refunded: int = 0
    refunded_minor: int = 0
    left_minor: int = 0
    to_come_minor: int = 0


def worth_minor(facts: Unused) -> int:
    """What the unused credits are worth by the lot's rule, never more than is left of what was
    paid. Credits that went back before count as unused once, so that a second refund is worth what
    comes on top of the first. Used ones count at the whole price, though only a part of it was paid
    so far and the rest is asked no more.
    """
    left_minor = min(facts.paid_minor - facts.refunded_minor, facts.left_minor)
    whole = replace(facts, paid_minor=facts.paid_minor + facts.to_come_minor)
    return max(0, min(by_rule_minor(whole) - facts.to_come_minor, left_minor))


def by_rule_minor(facts: Unused) -> int:
    """The same, whatever is left of what was paid."""
    before = _by_rule(facts, facts.refunded)
    return _by_rule(facts, min(facts.refunded + facts.unused, facts.bought)) - before


def split_amount(amount_minor: int, lefts_minor: Sequence[int]) -> list[int]:
    """What of an amount goes back to each of the payments, of which so much is left: all of the
    first, then of the next. The parts add up to the amount, or to all that is left.
    """
    parts = []
    for left_minor in lefts_minor:
        parts.append(min(amount_minor, max(left_minor, 0)))
        amount_minor -= parts[-1]
    return parts


def split_credits(number: int, parts_minor: Sequence[int]) -> list[int]:
    """How many of the credits leave with each part of the money. Those up to any part are rounded
    up: should a later one fail, no more credits are back than it was for.
    """
    amount_minor, before, so_far, parts = sum(parts_minor), 0, 0, []
    for part_minor in parts_minor:
        so_far += part_minor
        upto = -(-number * so_far // amount_minor) if amount_minor else 0
        parts.append(upto - before)
        before = upto
    return parts


def _by_rule(facts: Unused, unused: int) -> int:
    return refundable_minor(
        facts.rule,
        paid_minor=facts.paid_minor,
        bought=facts.bought,
        unused=unused,
        single_minor=facts.single_minor,
    )


def end_of(on: date, zone: ZoneInfo) -> datetime:
    """The last second of the day by the business's clock."""
    _first, after = local_day_bounds(on, zone)
    return after - timedelta(seconds=1)


def end_error(on: date | None, now: datetime, zone: ZoneInfo) -> str | None:
    """Why credits cannot end on that day, None where they can. None never ends."""
    if on is None:
        return None
    if on < to_local(now, zone).date():
        return _("Choose today or a later day: what is over cannot be made to end earlier.")
    if on.year >= LAST_YEAR:
        return _("Choose an earlier day, or let them never end.")
    return None


def is_later(new: datetime | None, old: datetime | None) -> bool:
    """Whether credits live longer with the new end; None is for ever."""
    return old is not None and (new is None or new > old)


def number_error(number: int, *, most: int = MOST_CREDITS) -> str | None:
    if 1 <= number <= most:
        return None
    return _("Choose a number from %(lowest)s to %(highest)s.", lowest=1, highest=most)


def may_change(state: LotState) -> bool:
    """Credits that nobody has paid for yet, or never will, are left alone."""
    return state not in (LotState.PENDING, LotState.VOID)
