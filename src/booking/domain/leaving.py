"""What a guest who leaves a date gets back, until when, and whether they may leave by themselves.

The terms are set on a series, or on a service for what is sold singly, and kept with each booking
as they were when it was bought: a later change of them changes nothing for who has booked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.fees import FeeRule, fee_error, fee_minor
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.leaving_steps import (
    LONGEST_BEFORE,
    MOST_TIERS,
    BeforeUnit,
    Tier,
    cutoff,
    step_errors,
)
from src.booking.domain.quiet_hours import QuietHours, quiet_error
from src.booking.domain.reasons import Reason, ReasonCode, off_reason, seat_being_cancelled
from src.booking.domain.refund_policy import (
    BuyerRule,
    GivenBack,
    Gives,
    RefundPolicy,
    policy_errors,
)
from src.booking.domain.seat_gone import seat_gone
from src.platform.i18n import _
from src.platform.money import round_half_up

__all__ = ["LONGEST_BEFORE", "MOST_TIERS", "BeforeUnit", "Tier", "cutoff"]


class LeavingTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rules for leaving single dates.

    `tiers` come with the longest time first, and never give more back for less notice. Without
    any, nothing comes back, and nobody is late. `moves_before` is None where a date may not be
    exchanged for another, and `hand_on_before` where a place may not be handed on to somebody else.
    `whole_course`: a guest may leave all dates of a series at once. Of the time before a start,
    `quiet_hours` do not count. `late_fee` is asked of who leaves late, `no_show_fee` of who does
    not come. With `late_keeps_credit` a credit comes back late too.

    What is on offer may have a `policy` for its kinds of buyers. What was sold has what it comes to
    instead: what it `gives` by the steps, and the `package` that a credit of is given.
    """

    tiers: tuple[Tier, ...] = ()
    may_cancel: bool = True
    moves_before: int | None = None
    moves_unit: BeforeUnit = BeforeUnit.HOURS
    hand_on_before: int | None = None
    hand_on_unit: BeforeUnit = BeforeUnit.HOURS
    whole_course: bool = False
    quiet_hours: QuietHours | None = None
    late_fee: FeeRule | None = None
    no_show_fee: FeeRule | None = None
    late_keeps_credit: bool = False
    policy: RefundPolicy | None = None
    gives: Gives = Gives.MONEY
    package: GivenBack | None = None

    def with_policy(self, policy: RefundPolicy | None) -> "LeavingTerms":
        return msgspec.structs.replace(self, policy=policy)

    def document(self) -> dict[str, Any]:
        """As they are stored: what is as by default is left out."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept


NOTHING_BACK = LeavingTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Up to and including `until_at`, `percent` comes back."""

    until_at: datetime
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingFacts:
    """One seat that its guest wants to leave.

    `is_penalty_free`: the business moved the session after it was booked, so that leaving it gives
    everything back whatever the terms say. `is_whole_course`: all dates that are left of a series
    are left with it. `most_percent` is what came back when the seat was exchanged for this one: an
    exchange wins no better terms. `is_being_cancelled`: staff are cancelling the seat, or its
    purchase.
    """

    terms: LeavingTerms
    seat: SeatState
    session: SessionState
    starts_at: datetime
    zone: ZoneInfo
    is_penalty_free: bool = False
    is_whole_course: bool = False
    most_percent: int = 100
    is_being_cancelled: bool = False


def terms_from(kept: object) -> LeavingTerms:
    """The terms as they are stored; an empty document is what was sold before there were any."""
    return msgspec.convert(kept or {}, LeavingTerms)


def keeping_policy(terms: LeavingTerms, kept: object) -> LeavingTerms:
    """What an editor of the plain terms saves: the policy, which has a page of its own, stays."""
    return terms.with_policy(terms_from(kept).policy)


def terms_errors(terms: LeavingTerms) -> dict[str, str]:
    """Sentences by field, those of a step at `tiers.<position>.<field>`; empty when the terms may
    be saved.
    """
    has_quiet = terms.quiet_hours is not None
    wrong = policy_errors(terms.policy, has_quiet=has_quiet)
    if terms.gives is not Gives.MONEY or terms.package is not None:
        wrong["policy"] = _("What comes back to whom is said in the policy.")
    for name, before, unit in (
        ("moves_before", terms.moves_before, terms.moves_unit),
        ("hand_on_before", terms.hand_on_before, terms.hand_on_unit),
    ):
        if before is not None and not 0 <= before <= LONGEST_BEFORE[unit]:
            wrong[name] = _("At most a year before the start.")
    if terms.quiet_hours is not None and (said := quiet_error(terms.quiet_hours)):
        wrong["quiet_hours"] = said
    for name, fee in (("late_fee", terms.late_fee), ("no_show_fee", terms.no_show_fee)):
        if fee is not None and (why := fee_error(fee)):
            wrong[name] = why
    return {**step_errors(terms.tiers, has_quiet=has_quiet), **wrong}


def sold_under(
    offered: LeavingTerms,
    rule: BuyerRule | None,
    packages: Mapping[UUID, GivenBack],
    *,
    by_credits: bool = False,
) -> LeavingTerms:
    """The terms that a booking keeps. Without a rule, or with one whose package is gone, they are
    the plain ones. What credits have paid gives back these very credits, or nothing.
    """
    plain = msgspec.structs.replace(offered, policy=None)
    package = packages.get(rule.package_id) if rule is not None and rule.package_id else None
    if rule is not None and rule.gives is Gives.PACKAGE and package is None and not by_credits:
        rule = None
    if rule is None:
        gives = Gives.CREDIT if by_credits else Gives.MONEY
        return msgspec.structs.replace(plain, gives=gives)
    if rule.gives is Gives.NOTHING:
        # The steps stay: they say who is late, and until when nothing is owed.
        return msgspec.structs.replace(plain, gives=Gives.NOTHING)
    gives = Gives.CREDIT if by_credits else rule.gives
    kept = package if gives is Gives.PACKAGE else None
    return msgspec.structs.replace(plain, tiers=rule.tiers, gives=gives, package=kept)


def deadlines(terms: LeavingTerms, starts_at: datetime, zone: ZoneInfo) -> list[Deadline]:
    """Until when how much comes back, the most first; steps that give nothing are left out."""
    return [
        Deadline(
            until_at=cutoff(tier.before, tier.unit, starts_at, zone, terms.quiet_hours),
            percent=tier.percent,
        )
        for tier in terms.tiers
        if tier.percent > 0
    ]


def percent_back(facts: LeavingFacts, now: datetime) -> int:
    """The part of the seat's share that comes back now as money."""
    if not facts.is_penalty_free and facts.terms.gives in (Gives.PACKAGE, Gives.NOTHING):
        return 0
    return percent_in_time(facts, now)


def gives_credit(facts: LeavingFacts, now: datetime) -> bool:
    """Whether a credit of the package comes back now, for a place that was paid with money."""
    if facts.terms.gives is not Gives.PACKAGE or facts.is_penalty_free:
        return False
    return percent_in_time(facts, now) > 0


def gives_own_credit_back(facts: LeavingFacts, now: datetime) -> bool:
    """Whether the credit that paid the place comes back now."""
    if facts.is_penalty_free:
        return True
    in_time = not is_late(facts, now) or facts.terms.late_keeps_credit
    return facts.terms.gives is not Gives.NOTHING and in_time


def percent_in_time(facts: LeavingFacts, now: datetime) -> int:
    """What the step gives that counts now; at the very second the guest wins."""
    if facts.is_penalty_free:
        return 100
    for deadline in deadlines(facts.terms, facts.starts_at, facts.zone):
        if now <= deadline.until_at:
            return min(deadline.percent, facts.most_percent)
    return 0


def is_late(facts: LeavingFacts, now: datetime) -> bool:
    """Whether a deadline was missed: terms without steps have none to miss, and where no step gives
    anything back, all are missed.
    """
    if not facts.terms.tiers or facts.is_penalty_free:
        return False
    due = deadlines(facts.terms, facts.starts_at, facts.zone)
    return facts.most_percent == 0 or not due or now > due[-1].until_at


def late_fee_minor(
    facts: LeavingFacts, share_minor: int, now: datetime, *, is_by_credit: bool
) -> int:
    """What is asked of who leaves this seat now, in minor units."""
    if not is_late(facts, now):
        return 0
    return fee_minor(facts.terms.late_fee, share_minor, is_by_credit=is_by_credit)


def no_show_fee_minor(facts: LeavingFacts, share_minor: int, *, is_by_credit: bool) -> int:
    """What is asked of who did not come. Of a date that the business moved after it was booked,
    which its guest may leave without any penalty, nothing is.
    """
    if facts.is_penalty_free:
        return 0
    return fee_minor(facts.terms.no_show_fee, share_minor, is_by_credit=is_by_credit)


def is_late_since_exchange(facts: LeavingFacts, now: datetime) -> bool:
    """Whether it is late for nothing but that the seat was taken in a late exchange: there is time
    enough before this date, and the old one's terms stay.
    """
    own = replace(facts, most_percent=100)
    return is_late(facts, now) and not is_late(own, now)


def amount_back_minor(share_minor: int, percent: int) -> int:
    """The part of a share, a half unit rounded up; never more than the share."""
    return min(round_half_up(share_minor * percent, 100), share_minor)


def moves_until(terms: LeavingTerms, starts_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Until when the date may be exchanged for another, None where it may not."""
    if terms.moves_before is None:
        return None
    return cutoff(terms.moves_before, terms.moves_unit, starts_at, zone, terms.quiet_hours)


def exchanged_until(terms: LeavingTerms, starts_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Until when it may be exchanged for any other date: one of the same service, or one that the
    credit it gives is good for. None where it never may.
    """
    until_at = moves_until(terms, starts_at, zone)
    if terms.gives not in (Gives.PACKAGE, Gives.CREDIT):
        return until_at
    due = deadlines(terms, starts_at, zone)
    last_at = due[-1].until_at if due else starts_at
    return last_at if until_at is None else max(until_at, last_at)


def hand_on_until(terms: LeavingTerms, starts_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Until when a place may be handed on to somebody else, None where it may not."""
    if terms.hand_on_before is None:
        return None
    return cutoff(terms.hand_on_before, terms.hand_on_unit, starts_at, zone, terms.quiet_hours)


def why_not_leave(facts: LeavingFacts, now: datetime) -> list[Reason]:
    """Every reason against leaving this seat, the weightiest first; late is no reason."""
    return [*_seat_reasons(facts, now), *_terms_reasons(facts)]


def most_percent_after(facts: LeavingFacts, now: datetime) -> int:
    """What the seat that takes this one's place may give back at most."""
    if not facts.terms.tiers:
        return facts.most_percent
    return percent_in_time(facts, now)


def capped(terms: LeavingTerms, most_percent: int) -> LeavingTerms:
    """The terms of a seat that was exchanged, to be shown: no step gives more back than that."""
    tiers = tuple(
        msgspec.structs.replace(tier, percent=min(tier.percent, most_percent))
        for tier in terms.tiers
    )
    return msgspec.structs.replace(terms, tiers=tiers)


def why_not_end(facts: LeavingFacts, now: datetime) -> list[Reason]:
    """What stands against it even for staff, whom the terms do not bind."""
    return _seat_reasons(facts, now)


def why_not_move_seat(facts: LeavingFacts, now: datetime) -> list[Reason]:
    """Every reason against exchanging this seat for one in another session of the service."""
    reasons = _seat_reasons(facts, now)
    if reasons or facts.is_penalty_free:
        return reasons
    until_at = moves_until(facts.terms, facts.starts_at, facts.zone)
    if until_at is None:
        return [
            Reason(
                ReasonCode.MOVES_NOT_ALLOWED,
                _("This date cannot be exchanged for another one. Please contact the business."),
                _("The terms this was bought under do not let guests exchange dates."),
                _("Move the seat yourself, from the session's roster."),
            )
        ]
    if now > until_at:
        return [
            Reason(
                ReasonCode.TOO_LATE_TO_MOVE,
                _("It is too late to exchange this date. Please contact the business."),
                _("The time to exchange this date is over."),
                _("Move the seat yourself, from the session's roster."),
            )
        ]
    return []


def why_not_hand_on(facts: LeavingFacts, now: datetime) -> list[Reason]:
    """Every reason against giving this seat to somebody else."""
    if reasons := _seat_reasons(facts, now):
        return reasons
    until_at = hand_on_until(facts.terms, facts.starts_at, facts.zone)
    if until_at is None:
        return [
            Reason(
                ReasonCode.HANDING_ON_NOT_ALLOWED,
                _("This place cannot be handed on here. Please contact the business."),
                _("The terms this was bought under do not let guests hand their place on."),
                _("Hand the place on yourself, from the session's roster."),
            )
        ]
    if now > until_at:
        return [
            Reason(
                ReasonCode.TOO_LATE_TO_HAND_ON,
                _("It is too late to hand this place on. Please contact the business."),
                _("The time to hand this place on is over."),
                _("Hand the place on yourself, from the session's roster."),
            )
        ]
    return []


def _seat_reasons(facts: LeavingFacts, now: datetime) -> list[Reason]:
    if facts.seat is not SeatState.CONFIRMED:
        return [seat_gone(facts.seat)]
    if facts.session is not SessionState.SCHEDULED:
        return [off_reason(facts.session)]
    if facts.is_being_cancelled:
        return [seat_being_cancelled()]
    if now > facts.starts_at:
        started = _("This date has already started.")
        return [Reason(ReasonCode.STARTED, started, started, "")]
    return []


def _terms_reasons(facts: LeavingFacts) -> list[Reason]:
    if facts.is_penalty_free:
        return []
    if facts.is_whole_course:
        return [] if facts.terms.whole_course else [_course_not_allowed()]
    if facts.terms.may_cancel:
        return []
    return [
        Reason(
            ReasonCode.LEAVING_NOT_ALLOWED,
            _("This date cannot be cancelled here. Please contact the business."),
            _("The terms this was bought under do not let guests cancel by themselves."),
            _("Cancel the seat yourself, from the session's roster."),
        )
    ]


def _course_not_allowed() -> Reason:
    return Reason(
        ReasonCode.COURSE_NOT_ALLOWED,
        _("The business decides about leaving a whole course. Please ask for it."),
        _("The terms this was bought under do not let guests leave a whole course."),
        _("Cancel the purchase yourself."),
    )
