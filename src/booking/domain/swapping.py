"""Whether a place may be swapped for one of another course: the credit it brings pays the new one.

What stands against the new date is asked as for anybody who books it with that credit; see
`bookable` and `by_credit`. This is about the place that is given up.
"""

from dataclasses import dataclass
from datetime import datetime

from src.booking.domain.leaving import (
    LeavingFacts,
    gives_own_credit_back,
    percent_in_time,
    why_not_end,
    why_not_leave,
    why_not_move_seat,
)
from src.booking.domain.reasons import Reason, ReasonCode
from src.booking.domain.refund_policy import Gives
from src.platform.i18n import _


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapFacts:
    """A place that is to be given up. `is_by_credit`: a credit paid it, which would pay the new
    one; else `is_paid` says whether money did, and none of it has come back. `by_staff`: whom the
    terms' time does not bind.
    """

    leaving: LeavingFacts
    is_by_credit: bool
    is_paid: bool
    by_staff: bool = False


def why_not_swap(facts: SwapFacts, now: datetime) -> list[Reason]:
    """Every reason against giving it up for another course's date, the weightiest first."""
    judge = why_not_end if facts.by_staff else why_not_leave
    reasons = judge(facts.leaving, now)
    if reasons:
        return reasons
    if not facts.is_by_credit and facts.leaving.terms.gives is not Gives.PACKAGE:
        return [_not_allowed()]
    if not facts.by_staff and not _is_in_time(facts, now):
        return [_too_late()]
    if not facts.is_by_credit and not facts.is_paid:
        return [_not_paid()]
    return []


def may_be_swapped(facts: LeavingFacts, *, is_by_credit: bool, now: datetime) -> bool:
    """Whether a guest may look for another course's date; what else stands against it is said of
    each.
    """
    return not why_not_swap(SwapFacts(leaving=facts, is_by_credit=is_by_credit, is_paid=True), now)


def why_not_exchange(facts: LeavingFacts, now: datetime) -> list[Reason]:
    """Every reason against exchanging it for a date of the same service, none where it may be
    swapped for one of another course.
    """
    is_by_credit = facts.terms.gives is Gives.CREDIT
    if may_be_swapped(facts, is_by_credit=is_by_credit, now=now):
        return []
    return why_not_move_seat(facts, now)


def _is_in_time(facts: SwapFacts, now: datetime) -> bool:
    if facts.is_by_credit:
        return gives_own_credit_back(facts.leaving, now)
    return percent_in_time(facts.leaving, now) > 0


def _not_allowed() -> Reason:
    return Reason(
        ReasonCode.SWAPS_NOT_ALLOWED,
        _("This date cannot be exchanged for one of another course."),
        _("The terms this was bought under give no credit for a date that is left."),
        _("Give a credit for it by a refund policy; it holds for those who book from then on."),
    )


def _too_late() -> Reason:
    return Reason(
        ReasonCode.TOO_LATE_TO_SWAP,
        _("It is too late to exchange this date for one of another course."),
        _("The time in which leaving this date gives a credit is over."),
        _("Swap the place yourself, from the session's roster."),
    )


def _not_paid() -> Reason:
    return Reason(
        ReasonCode.NOT_PAID,
        _("It has not been paid yet, so it cannot be exchanged for a date of another course."),
        _("Nothing is left that was paid for this place, so there is no credit for it."),
        _("Mark its order as paid once you have the money."),
    )
