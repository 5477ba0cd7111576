"""Whether a seat may be exchanged for one in another session, and what it becomes there.

Whether the old seat may be given up is `leaving.why_not_move_seat`; this is about the new one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from src.booking.domain.kinds import SessionState
from src.booking.domain.leaving import LeavingTerms, deadlines
from src.booking.domain.reasons import Reason, ReasonCode, not_at_present, off_reason
from src.booking.domain.refund_policy import Gives
from src.platform.i18n import _


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """A session that `wanted` people of a booking want to come to instead.

    `is_offered`: guests may be sent there. `price_minor` is what a single entry costs there,
    `worth_minor` what it costs where they come from, or what they paid, if that is more.
    """

    state: SessionState
    starts_at: datetime
    left: int
    wanted: int
    price_minor: int
    worth_minor: int
    is_open: bool = True
    is_offered: bool = True
    is_same_service: bool = True
    is_same_date: bool = False
    has_seat_there: bool = False
    min_notice_minutes: int = 0


def for_staff(facts: TargetFacts) -> TargetFacts:
    """What binds guests and not staff is taken out; seats, time and service hold for all."""
    return replace(
        facts,
        is_open=True,
        is_offered=True,
        min_notice_minutes=0,
        worth_minor=max(facts.worth_minor, facts.price_minor),
    )


def why_not_take(facts: TargetFacts, now: datetime) -> list[Reason]:
    """Every reason against the new seat, the weightiest first."""
    return [*_offer_reasons(facts), *_date_reasons(facts, now), *_room_reasons(facts)]


def sequence_after(seat: int, session: int, new_session: int) -> int:
    """The new seat's own number of changes: its calendar entry's SEQUENCE, which is the sum of
    seat's and session's, has to be higher than that of the seat whose place it takes.
    """
    return max(seat + session + 1 - new_session, 0)


def no_room() -> Reason:
    return Reason(
        ReasonCode.FULL,
        _("This date has no room any more. Please choose another one."),
        _("The session has too few free seats."),
        _("Raise its capacity, or choose another session."),
    )


def _offer_reasons(facts: TargetFacts) -> list[Reason]:
    reasons: list[Reason] = []
    if not facts.is_open:
        reasons.append(
            Reason(
                ReasonCode.BUSINESS_CLOSED,
                not_at_present(),
                _("The business takes no bookings at present."),
                _("Move the seat yourself, from the session's roster."),
            )
        )
    if not facts.is_same_service:
        other = _("A place can only be exchanged for another date of the same service.")
        reasons.append(Reason(ReasonCode.OTHER_SERVICE, other, other, ""))
    elif not facts.is_offered:
        reasons.append(
            Reason(
                ReasonCode.NOT_OFFERED,
                _("This date is not on offer. Please choose another one."),
                _("The session is not on offer to guests who booked like this one."),
                _("Move the seat yourself, from the session's roster."),
            )
        )
    if facts.price_minor > facts.worth_minor:
        reasons.append(
            Reason(
                ReasonCode.COSTS_MORE,
                _("This date costs more than yours. Please contact the business."),
                _("A single entry costs more there, and an exchange moves no money."),
                _("Move the seat yourself, from the session's roster."),
            )
        )
    return reasons


def _date_reasons(facts: TargetFacts, now: datetime) -> list[Reason]:
    if facts.is_same_date:
        same = _("That is the date you have. Please choose another one.")
        return [Reason(ReasonCode.SAME_DATE, same, same, "")]
    if facts.state is not SessionState.SCHEDULED:
        return [off_reason(facts.state)]
    if now > facts.starts_at:
        started = _("This date has already started.")
        return [Reason(ReasonCode.STARTED, started, started, "")]
    if now + timedelta(minutes=facts.min_notice_minutes) > facts.starts_at:
        return [
            Reason(
                ReasonCode.TOO_LATE,
                _("It is too late for this date. Please choose another one."),
                _("The notice that bookings need is over."),
                _("Move the seat yourself, from the session's roster."),
            )
        ]
    return []


def _room_reasons(facts: TargetFacts) -> list[Reason]:
    if facts.has_seat_there:
        there = _("This person has a place on that date already.")
        return [Reason(ReasonCode.HAS_SEAT_THERE, there, there, "")]
    return [no_room()] if facts.left < facts.wanted else []


def may_bring_a_credit(
    terms: LeavingTerms, starts_at: datetime, zone: ZoneInfo, now: datetime
) -> bool:
    """Whether who paid with a credit can still give the place back in time to have it again."""
    if not terms.may_cancel or terms.gives is not Gives.CREDIT:
        return False
    due = deadlines(terms, starts_at, zone)
    return not terms.tiers or any(now <= one.until_at for one in due)
