"""What a guest who leaves a date gets back, until when, and whether they may leave by themselves.

The terms are set on a series, or on a service for what is sold singly, and kept with each booking
as they were when it was bought: a later change of them changes nothing for who has booked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.fees import FeeRule, fee_error, fee_minor
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.quiet_hours import QuietHours, days_before, hours_before, quiet_error
from src.booking.domain.reasons import Reason, ReasonCode, off_reason, seat_being_cancelled
from src.platform.i18n import _
from src.platform.money import round_half_up

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


class LeavingTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rules for leaving single dates.

    `tiers` come with the longest time first, and never give more back for less notice. Without
    any, nothing comes back, and nobody is late. `moves_before` is None where a date may not be
    exchanged for another, and `hand_on_before` where a place may not be handed on to somebody else.
    `whole_course`: a guest may leave all dates of a series at once. Of the time before a start,
    `quiet_hours` do not count. `late_fee` is asked of who leaves late, `no_show_fee` of who does
    not come. With `late_keeps_credit` a credit comes back late too.
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


def terms_errors(terms: LeavingTerms) -> dict[str, str]:
    """Sentences by field, those of a step at `tiers.<position>.<field>`; empty when the terms may
    be saved.
    """
    wrong: dict[str, str] = {}
    if len(terms.tiers) > MOST_TIERS:
        wrong["tiers"] = _("At most %(count)s steps are kept.", count=MOST_TIERS)
    for position, tier in enumerate(terms.tiers):
        if not 0 <= tier.percent <= 100:
            said = _("What comes back lies between 0 and 100 percent.")
            wrong[f"tiers.{position}.percent"] = said
        if not 0 <= tier.before <= LONGEST_BEFORE[tier.unit]:
            wrong[f"tiers.{position}.before"] = _("A step lies at most a year before the start.")
    for name, before, unit in (
        ("moves_before", terms.moves_before, terms.moves_unit),
        ("hand_on_before", terms.hand_on_before, terms.hand_on_unit),
    ):
        if before is not None and not 0 <= before <= LONGEST_BEFORE[unit]:
            wrong[name] = _("At most a year before the start.")
    if terms.quiet_hours is not None and (said := quiet_error(terms.quiet_hours)):
        wrong["quiet_hours"] = said
    for name, rule in (("late_fee", terms.late_fee), ("no_show_fee", terms.no_show_fee)):
        if rule is not None and (why := fee_error(rule)):
            wrong[name] = why
    return {**_order_errors(terms.tiers, has_quiet=terms.quiet_hours is not None), **wrong}


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
    """The part of the seat's share that comes back now; at the very second the guest wins."""
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
    return percent_back(facts, now)


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
        gone = _("This place is not yours any more, or has not been paid for yet.")
        return [Reason(ReasonCode.SEAT_NOT_CONFIRMED, gone, gone, "")]
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
