"""What the guest of a booking may do by themselves, as its owner reads it."""

from datetime import datetime
from uuid import UUID

import msgspec

from src.booking.views.customers import WhyLine


class SeatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Of one place on a date to come: `leaving` says until when it may be left and what comes back,
    `fee` what is asked for leaving late, and `handing_on` until when it may be given to somebody
    else; all are empty where `why_not_leave` stands against it. `dates` are the next ones that it
    may be exchanged for, of which there are `more`; none where `why_not_exchange` says why.
    """

    session_id: UUID
    who: str
    starts_at: datetime
    ends_at: datetime
    title: str
    leaving: str
    fee: str
    handing_on: str
    why_not_leave: list[WhyLine]
    dates: list[tuple[datetime, datetime]]
    more: int
    why_not_exchange: list[WhyLine]


class GuestMay(msgspec.Struct, frozen=True, kw_only=True):
    """The next places to come, `unsaid` those behind them. `course` is about leaving a whole
    course: empty for a booking that is none, or that nothing is left of.
    """

    seats: list[SeatAnswer]
    unsaid: int
    course: str
    why_not_course: list[WhyLine]
