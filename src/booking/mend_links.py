"""Where in the dashboard a reason is mended: the address behind its remedy."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from src.billing.domain.coupons import CouponReason, CouponReasonCode
from src.booking.domain.reasons import Reason, ReasonCode
from src.booking.views.customers import WhyLine

_AT_PLAN = frozenset(
    {
        ReasonCode.BUSINESS_CLOSED,
        ReasonCode.PLAN_LACKS_GROUPS,
        ReasonCode.PLAN_LACKS_SERIES,
        ReasonCode.PLAN_LACKS_APPOINTMENTS,
        ReasonCode.MONTHLY_LIMIT,
    }
)
_AT_SERVICE = frozenset(
    {
        ReasonCode.SERVICE_INACTIVE,
        ReasonCode.NO_GIVERS,
        ReasonCode.SERVICE_HIDDEN,
        ReasonCode.SERVICE_UNLISTED,
        ReasonCode.NOT_SOLD_SINGLY,
        ReasonCode.NOT_SOLD_AS_SERIES,
        ReasonCode.TOO_LATE,
        ReasonCode.TOO_EARLY,
        ReasonCode.PARTY_TOO_BIG,
    }
)
_AT_DROP_IN = frozenset(
    {ReasonCode.DROP_IN_NOT_ALLOWED, ReasonCode.DROP_IN_NOT_OPEN, ReasonCode.CREDIT_ONLY}
)
_AT_SERIES = frozenset(
    {
        ReasonCode.SERIES_NOT_ON_SALE,
        ReasonCode.SERIES_INACTIVE,
        ReasonCode.SERIES_NOT_PUBLISHED,
        ReasonCode.SERIES_ENDED,
    }
)
_AT_ROSTER = frozenset(
    {
        ReasonCode.NOT_JUST_NOW,
        ReasonCode.LEAVING_NOT_ALLOWED,
        ReasonCode.MOVES_NOT_ALLOWED,
        ReasonCode.TOO_LATE_TO_MOVE,
        ReasonCode.NOT_OFFERED,
        ReasonCode.COSTS_MORE,
    }
)
"""What staff do by themselves on the session's page, whatever binds the guest."""
_AT_SERIES_EDITOR = frozenset(
    {
        ReasonCode.SERIES_HIDDEN,
        ReasonCode.SERIES_UNLISTED,
        ReasonCode.JOIN_CLOSED,
        ReasonCode.BASE_ZERO,
        ReasonCode.NO_UPCOMING_SESSION,
        ReasonCode.MIXED_SERVICES,
        ReasonCode.SESSION_IN_ANOTHER_SERIES,
        ReasonCode.PRICE_MISSING,
    }
)


class Subject(NamedTuple):
    """What the reasons are about, with its business's address in the dashboard."""

    base: str
    service_id: UUID
    session_id: UUID | None = None
    series_id: UUID | None = None
    booking_id: UUID | None = None


def why_lines(reasons: Sequence[Reason], subject: Subject) -> list[WhyLine]:
    """For the owner: each reason with its remedy and the page where that is done."""
    return [
        WhyLine(
            sentence=reason.owner_sentence,
            mend=reason.mend,
            href=mend_href(reason.code, subject) if reason.mend else "",
        )
        for reason in reasons
    ]


def mend_href(code: ReasonCode, subject: Subject) -> str:
    """Empty where no page of the dashboard mends it."""
    if code in _AT_PLAN:
        return f"{subject.base}/plan"
    if code is ReasonCode.ESTABLISHED_ONLY:
        return f"{subject.base}/collections"
    if code is ReasonCode.PAYMENTS_NOT_READY:
        return f"{subject.base}/payments"
    if code in _AT_SERVICE:
        return f"{subject.base}/services/{subject.service_id}/edit"
    if code is ReasonCode.NO_HOURS:
        return f"{subject.base}/settings/performers"
    if code is ReasonCode.NO_DATES:
        return f"{subject.base}/services/{subject.service_id}/sessions"
    if code is ReasonCode.NO_SERIES_ON_SALE:
        return f"{subject.base}/services/{subject.service_id}/series"
    return _at_subject(code, subject)


def _at_subject(code: ReasonCode, subject: Subject) -> str:
    session = f"{subject.base}/sessions/{subject.session_id}"
    series = f"{subject.base}/series/{subject.series_id}"
    if code is ReasonCode.COURSE_NOT_ALLOWED and subject.booking_id is not None:
        return f"{subject.base}/bookings/{subject.booking_id}/cancel"
    if subject.session_id is not None:
        if code in _AT_ROSTER:
            return session
        if code in _AT_DROP_IN:
            return f"{session}/drop-in"
        if code is ReasonCode.FULL:
            return f"{session}/edit"
    if subject.series_id is None:
        return ""
    if code in _AT_SERIES or code is ReasonCode.FULL:
        return series
    return f"{series}/edit" if code in _AT_SERIES_EDITOR else ""


def coupon_lines(
    reasons: Sequence[CouponReason], base: str, coupon_id: UUID | None
) -> list[WhyLine]:
    """The same of a code; `coupon_id` is None for one that there is not."""

    def href(reason: CouponReason) -> str:
        if not reason.mend:
            return ""
        if reason.code is CouponReasonCode.PLAN_LACKS_COUPONS:
            return f"{base}/plan"
        return "" if coupon_id is None else f"{base}/coupons/{coupon_id}/edit"

    return [WhyLine(sentence=one.owner_sentence, mend=one.mend, href=href(one)) for one in reasons]
