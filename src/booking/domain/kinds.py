"""The closed sets of words that bookings, sessions and series are described in.

The values are what the database stores and the API shows, so a value never changes its meaning.
"""

from enum import StrEnum
from typing import Literal

By = Literal["guest", "staff", "system"]
"""Who did something to a seat. `staff` is the API too, `system` is no person."""


class ServiceKind(StrEnum):
    APPOINTMENT = "appointment"
    GROUP = "group"


class SessionMode(StrEnum):
    IN_PERSON = "in_person"
    ONLINE = "online"


class SessionState(StrEnum):
    """`vacated` is an appointment's time once nobody has a seat in it: nobody called it off."""

    SCHEDULED = "scheduled"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    VACATED = "vacated"


class SeatState(StrEnum):
    HELD = "held"
    CONFIRMED = "confirmed"
    ATTENDED = "attended"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    LATE_CANCELLED = "late_cancelled"
    SWAPPED = "swapped"
    EXPIRED = "expired"


class BookingState(StrEnum):
    """Derived from the seats of the booking, never chosen (see `states.booking_state`)."""

    HELD = "held"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class SalesMode(StrEnum):
    """How a group service is sold: its sessions one by one, as series, or both ways."""

    SINGLE = "single"
    SERIES = "series"
    BOTH = "both"


class SeriesPriceType(StrEnum):
    FREE = "free"
    ON_SITE = "on_site"
    ONLINE = "online"


class Visibility(StrEnum):
    """`public` is on the hub, `unlisted` is reached by its link, `hidden` by nobody."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    HIDDEN = "hidden"


class JoinPolicy(StrEnum):
    """Until when a series that has begun is still sold."""

    BEFORE_START = "before_start"
    ANY_TIME = "any_time"
    UNTIL = "until"


class GapPolicy(StrEnum):
    """What happens to a series when one of its remaining sessions is full."""

    BLOCK = "block"
    SELL_WITH_GAPS = "sell_with_gaps"


class FeedKind(StrEnum):
    """What a calendar feed follows: one booking, all that a customer books, what a member leads, or
    the whole business.
    """

    BOOKING = "booking"
    CUSTOMER = "customer"
    OWN = "own"
    BUSINESS = "business"


class DateScope(StrEnum):
    """What an act on one date reaches: it alone, those after it too, all still to come, or those
    that were chosen one by one.
    """

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"
    CHOSEN = "chosen"
