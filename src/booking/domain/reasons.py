"""The reasons against a booking or a publication, and the words for those without numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from src.booking.domain.kinds import SessionState
from src.booking.domain.pricing import SaleClosed
from src.platform.i18n import _, ngettext


class ReasonCode(StrEnum):
    NOT_CONFIRMED = "not_confirmed"
    BUSINESS_CLOSED = "business_closed"
    PLAN_LACKS_GROUPS = "plan_lacks_groups"
    PLAN_LACKS_SERIES = "plan_lacks_series"
    PLAN_LACKS_APPOINTMENTS = "plan_lacks_appointments"
    MONTHLY_LIMIT = "monthly_limit"
    ESTABLISHED_ONLY = "established_only"
    SERVICE_INACTIVE = "service_inactive"
    SERVICE_HIDDEN = "service_hidden"
    SERVICE_UNLISTED = "service_unlisted"
    NO_DATES = "no_dates"
    NO_GIVERS = "no_givers"
    NO_HOURS = "no_hours"
    NO_SERIES_ON_SALE = "no_series_on_sale"
    NOT_SOLD_SINGLY = "not_sold_singly"
    NOT_SOLD_AS_SERIES = "not_sold_as_series"
    SERIES_NOT_ON_SALE = "series_not_on_sale"
    DROP_IN_NOT_ALLOWED = "drop_in_not_allowed"
    DROP_IN_NOT_OPEN = "drop_in_not_open"
    CREDIT_ONLY = "credit_only"
    CREDITS_NOT_TAKEN = "credits_not_taken"
    CREDITS_PENDING = "credits_pending"
    CREDITS_VOID = "credits_void"
    CREDITS_REFUNDED = "credits_refunded"
    CREDITS_EXPIRED = "credits_expired"
    CREDITS_USED_UP = "credits_used_up"
    CREDITS_OUT_OF_SCOPE = "credits_out_of_scope"
    CREDITS_NOT_FOR_THEM = "credits_not_for_them"
    CREDITS_TOO_FEW = "credits_too_few"
    CREDITS_STARTS_AFTER_EXPIRY = "credits_starts_after_expiry"
    CANCELLED = "cancelled"
    NOT_JUST_NOW = "not_just_now"
    ANOTHERS_APPOINTMENT = "anothers_appointment"
    TIME_TAKEN = "time_taken"
    STARTED = "started"
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"
    PARTY_TOO_BIG = "party_too_big"
    FULL = "full"
    PAYMENTS_NOT_READY = "payments_not_ready"
    SERIES_INACTIVE = "series_inactive"
    SERIES_HIDDEN = "series_hidden"
    SERIES_UNLISTED = "series_unlisted"
    SERIES_NOT_PUBLISHED = "series_not_published"
    SERIES_ENDED = "series_ended"
    JOIN_CLOSED = "join_closed"
    BASE_ZERO = "base_zero"
    NO_UPCOMING_SESSION = "no_upcoming_session"
    MIXED_SERVICES = "mixed_services"
    SEAT_NOT_CONFIRMED = "seat_not_confirmed"
    LEAVING_NOT_ALLOWED = "leaving_not_allowed"
    COURSE_NOT_ALLOWED = "course_not_allowed"
    MOVES_NOT_ALLOWED = "moves_not_allowed"
    TOO_LATE_TO_MOVE = "too_late_to_move"
    SWAPS_NOT_ALLOWED = "swaps_not_allowed"
    TOO_LATE_TO_SWAP = "too_late_to_swap"
    NOT_PAID = "not_paid"
    HANDING_ON_NOT_ALLOWED = "handing_on_not_allowed"
    TOO_LATE_TO_HAND_ON = "too_late_to_hand_on"
    ALREADY_IN_IT = "already_in_it"
    OTHER_SERVICE = "other_service"
    SAME_DATE = "same_date"
    HAS_SEAT_THERE = "has_seat_there"
    COSTS_MORE = "costs_more"
    NOT_OFFERED = "not_offered"
    SESSION_IN_ANOTHER_SERIES = "session_in_another_series"
    PRICE_MISSING = "price_missing"
    BEING_CANCELLED = "being_cancelled"


@dataclass(frozen=True, slots=True)
class Reason:
    """`guest_sentence` tells a stranger nothing about the business's plan, money or settings.

    `mend` tells the owner what to do; it is empty where nothing can be done.
    """

    code: ReasonCode
    guest_sentence: str
    owner_sentence: str
    mend: str


def guest_sentence(reasons: Sequence[Reason]) -> str:
    """The one sentence a guest reads: the weightiest reason's."""
    return reasons[0].guest_sentence


def not_at_present() -> str:
    return _("This cannot be booked at present. Please contact the business.")


def opens_soon() -> str:
    return _("This page opens soon. Nothing can be booked yet.")


def off_reason(session: SessionState, mend: str = "") -> Reason:
    """Against a session that is not scheduled. While its cancelling can be undone no guest reads a
    word of it.
    """
    if session is SessionState.CANCELLING:
        return Reason(
            ReasonCode.NOT_JUST_NOW,
            not_just_now(),
            _("The session is being cancelled."),
            _("Undo the cancelling while that is possible, or publish a new session."),
        )
    if session is SessionState.VACATED:
        free = _("This appointment has been given up, and its time is free again.")
        return Reason(ReasonCode.CANCELLED, free, free, _("Book the time anew."))
    cancelled = _("This date has been cancelled.")
    return Reason(ReasonCode.CANCELLED, cancelled, cancelled, mend)


def established_only() -> Reason:
    """Against whoever is no established customer, or has not shown to be one."""
    return Reason(
        ReasonCode.ESTABLISHED_ONLY,
        _("This is for existing customers only."),
        _("It is kept for known customers, by the collections that it is in."),
        _("Mark the customer as known, or put it into a collection that is for everybody."),
    )


def time_taken() -> Reason:
    """Of an appointment's time that is offered no more."""
    return Reason(
        ReasonCode.TIME_TAKEN,
        _("This time is taken. Please choose another one."),
        _("Nobody who gives it has time then."),
        _("Choose another time, or change the hours of whoever gives it."),
    )


def time_is_present() -> Reason:
    """Of an appointment's own time, to which it is not moved."""
    return Reason(
        ReasonCode.TIME_TAKEN,
        _("This is the time that you have now. Please choose another one."),
        _("The appointment is at this time already."),
        _("Choose another time, or somebody else who gives it."),
    )


def seat_being_cancelled() -> Reason:
    """Against whatever else is to be done with a seat while its cancelling can be undone; no guest
    reads a word of that.
    """
    return Reason(
        ReasonCode.NOT_JUST_NOW,
        not_just_now(),
        _("This place is being cancelled."),
        _("Undo the cancelling while that is possible."),
    )


def not_just_now() -> str:
    return _("This is not possible just now. Please try again in a minute.")


def not_confirmed() -> Reason:
    return Reason(
        ReasonCode.NOT_CONFIRMED,
        opens_soon(),
        _("No owner has confirmed an e-mail address yet."),
        _("Follow the link in the e-mail that we sent you."),
    )


def series_off_sale() -> Reason:
    """Against a single date of a series that is not itself on sale."""
    return Reason(
        ReasonCode.SERIES_NOT_ON_SALE,
        _("This date is not on sale."),
        _("The session's series is not published, switched off or hidden."),
        _("Put the series on sale, or take the session out of it."),
    )


def credit_only() -> Reason:
    """Against a stranger, who has no credits of the business."""
    return Reason(
        ReasonCode.CREDIT_ONLY,
        _("This date can only be booked with credits."),
        _("Single places of this date are paid with credits only."),
        _("Allow another way to pay, or add the guest yourself."),
    )


def closed_reason(closed: SaleClosed, left: int, *, is_told: bool = True) -> Reason:
    """Against joining a series; `left` is how many could come together at most, and `is_told`
    whether guests may read it.
    """
    if closed is SaleClosed.ENDED:
        return Reason(
            ReasonCode.SERIES_ENDED,
            _("This series has no dates left."),
            _("No date of the published term is still to come."),
            _("Publish the next dates as a new series."),
        )
    if closed is SaleClosed.JOIN_CLOSED:
        return Reason(
            ReasonCode.JOIN_CLOSED,
            _("This series can no longer be joined."),
            _("The join policy has closed the sale."),
            _("Let guests join later, or add the guest yourself."),
        )
    if closed is SaleClosed.FULL:
        return Reason(
            ReasonCode.FULL,
            _("This series is sold out.") if left <= 0 else _only_left(left, is_told=is_told),
            _("At least one of the dates still to come has too few seats."),
            _("Raise the seats of what is full, or sell it without the full dates."),
        )
    return base_zero()


def full_reason(left: int, *, is_told: bool = True) -> Reason:
    """Against more people than one date has seats left for; `is_told`: guests may read how many."""
    mend = _("Raise the session's capacity. Places on offer to its waiting list count as taken.")
    if left <= 0:
        gone = _("This date is sold out.")
        return Reason(ReasonCode.FULL, gone, gone, mend)
    guest, owner = _only_left(left, is_told=is_told), _only_left(left, is_told=True)
    return Reason(ReasonCode.FULL, guest, owner, mend)


def _only_left(left: int, *, is_told: bool) -> str:
    if not is_told:
        return _("There are not that many seats left.")
    return ngettext("Only one seat is left.", "Only %(num)s seats are left.", left)


def base_zero() -> Reason:
    return Reason(
        ReasonCode.BASE_ZERO,
        _("This series is not on sale."),
        _("The series has no date that takes place."),
        _("Choose at least one date that is to come."),
    )


def no_upcoming_session() -> Reason:
    return Reason(
        ReasonCode.NO_UPCOMING_SESSION,
        _("This series has no dates left."),
        _("All dates of the series have begun."),
        _("Choose at least one date that is to come."),
    )


def mixed_services() -> Reason:
    return Reason(
        ReasonCode.MIXED_SERVICES,
        _("This series is not on sale."),
        _("The series has dates of another service."),
        _("Take out the dates that belong to another service."),
    )


def being_cancelled() -> Reason:
    return Reason(
        ReasonCode.BEING_CANCELLED,
        _("This series is not on sale."),
        _("A date of the series is being cancelled, which can still be undone."),
        _("Wait a moment until it is cancelled, or undo it."),
    )


def price_missing() -> Reason:
    return Reason(
        ReasonCode.PRICE_MISSING,
        _("This series is not on sale."),
        _("The series is to be paid for, and has no price."),
        _("Enter a price, or make the series free."),
    )


def service_unlisted() -> Reason:
    """Against finding it on the public page; by its link it can be booked."""
    return Reason(
        ReasonCode.SERVICE_UNLISTED,
        not_at_present(),
        _("The service is unlisted, so it is not on your public page."),
        _("Make the service public."),
    )


def series_unlisted() -> Reason:
    """Against finding it on the public page; by its link it can be booked."""
    return Reason(
        ReasonCode.SERIES_UNLISTED,
        not_at_present(),
        _("The series is unlisted, so it is not on your public page."),
        _("Make the series public."),
    )


def no_dates() -> Reason:
    return Reason(
        ReasonCode.NO_DATES,
        not_at_present(),
        _("No date of it is to come."),
        _("Publish its next dates."),
    )


def no_givers() -> Reason:
    return Reason(
        ReasonCode.NO_GIVERS,
        not_at_present(),
        _("Nobody gives it."),
        _("Choose who gives it."),
    )


def no_hours() -> Reason:
    return Reason(
        ReasonCode.NO_HOURS,
        not_at_present(),
        _("Nobody who gives it has hours."),
        _("Set their hours."),
    )


def no_series_on_sale() -> Reason:
    return Reason(
        ReasonCode.NO_SERIES_ON_SALE,
        not_at_present(),
        _("It is sold as series only, and none is on sale."),
        _("Put a series on sale, or sell single dates too."),
    )
