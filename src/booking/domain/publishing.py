"""Whether a series may be put on sale, and whether guests find what is.

Every reason against it comes with a remedy, as owners read it on the page of the series, the
service or the date.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from src.booking.domain.bookable import (
    BusinessFacts,
    SeriesFacts,
    ServiceFacts,
    SessionFacts,
    why_not_bookable_series,
    why_not_bookable_session,
    why_not_offered,
)
from src.booking.domain.kinds import SalesMode, SeriesPriceType, SessionState, Visibility
from src.booking.domain.reasons import (
    Reason,
    ReasonCode,
    base_zero,
    being_cancelled,
    mixed_services,
    no_dates,
    no_givers,
    no_hours,
    no_series_on_sale,
    no_upcoming_session,
    price_missing,
    series_off_sale,
    series_unlisted,
    service_unlisted,
)
from src.platform.i18n import _


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedSession:
    """A session that a series is to have; `other_series_title` names the one it is in already."""

    service_id: UUID
    state: SessionState
    starts_at: datetime
    other_series_title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFacts:
    """A series that its owner wants to put on sale.

    `is_first`: its term, and with it what is worked out by it, would be fixed for good.
    """

    service_id: UUID
    sessions: Sequence[AttachedSession]
    price_type: SeriesPriceType
    price_minor: int | None
    is_first: bool = False


class Seen(StrEnum):
    """How a guest who looks at the business's public page comes upon something; `WITH_SERIES` is a
    date that can be booked with its series, though not alone at present, `KEPT` is for established
    customers only.
    """

    BOOKABLE = "bookable"
    SOLD_OUT = "sold_out"
    NOT_BOOKABLE = "not_bookable"
    WITH_SERIES = "with_series"
    KEPT = "kept"
    BY_LINK = "by_link"
    UNSEEN = "unseen"


_UNSEEN = frozenset(
    {
        ReasonCode.PLAN_LACKS_GROUPS,
        ReasonCode.PLAN_LACKS_APPOINTMENTS,
        ReasonCode.NO_GIVERS,
        ReasonCode.PLAN_LACKS_SERIES,
        ReasonCode.SERVICE_INACTIVE,
        ReasonCode.SERVICE_HIDDEN,
        ReasonCode.NOT_SOLD_AS_SERIES,
        ReasonCode.SERIES_NOT_ON_SALE,
        ReasonCode.SERIES_NOT_PUBLISHED,
        ReasonCode.SERIES_INACTIVE,
        ReasonCode.SERIES_HIDDEN,
        ReasonCode.SERIES_ENDED,
        ReasonCode.JOIN_CLOSED,
        ReasonCode.BASE_ZERO,
    }
)
_BY_LINK = frozenset({ReasonCode.SERVICE_UNLISTED, ReasonCode.SERIES_UNLISTED})
_SOLD_WITH_ITS_SERIES = frozenset({ReasonCode.NOT_SOLD_SINGLY, ReasonCode.DROP_IN_NOT_ALLOWED})
_AGAINST_SINGLE_PLACES = frozenset(
    {ReasonCode.DROP_IN_NOT_OPEN, ReasonCode.CREDIT_ONLY, ReasonCode.PAYMENTS_NOT_READY}
)


def why_not_publishable_series(facts: PublishFacts, now: datetime) -> list[Reason]:
    """Every reason against putting the series on sale; all of them speak to the owner."""
    live = [session for session in facts.sessions if session.state is SessionState.SCHEDULED]
    reasons: list[Reason] = []
    if not live:
        reasons.append(base_zero())
    elif not any(session.starts_at >= now for session in live):
        reasons.append(no_upcoming_session())
    if any(session.service_id != facts.service_id for session in facts.sessions):
        reasons.append(mixed_services())
    reasons.extend(_in_another_series(facts.sessions))
    if facts.is_first and any(s.state is SessionState.CANCELLING for s in facts.sessions):
        reasons.append(being_cancelled())
    if facts.price_type is not SeriesPriceType.FREE and not facts.price_minor:
        reasons.append(price_missing())
    return reasons


def why_not_found_service(
    business: BusinessFacts,
    service: ServiceFacts,
    *,
    pays_online: bool,
    has_dates: bool,
    has_series: bool,
) -> list[Reason]:
    """Why guests do not find the service, or nothing to book of it, whatever stands against each of
    its dates. `has_dates`: some are to come; `has_series`: some of them are of a series on sale.
    `pays_online`: single dates cost money that is paid on the payment page.
    """
    reasons = why_not_offered(business, service, pays_online=pays_online)
    reasons.extend(why_unlisted(service.visibility))
    if not has_dates:
        reasons.append(no_dates())
    elif service.sales_mode is SalesMode.SERIES and not has_series:
        reasons.append(no_series_on_sale())
    return reasons


def why_not_found_appointment(
    business: BusinessFacts,
    service: ServiceFacts,
    *,
    pays_online: bool,
    has_givers: bool,
    has_hours: bool,
) -> list[Reason]:
    """Why guests do not find a service by appointment, or no time to book of it. `has_givers`:
    somebody who is not put aside gives it; `has_hours`: one of them is ever there.
    """
    reasons = why_not_offered(business, service, pays_online=pays_online)
    reasons.extend(why_unlisted(service.visibility))
    if not has_givers:
        reasons.append(no_givers())
    elif not has_hours:
        reasons.append(no_hours())
    return reasons


def why_not_found_series(facts: SeriesFacts, now: datetime) -> list[Reason]:
    """Why guests do not find it, or cannot buy it."""
    unlisted = why_unlisted(facts.service.visibility, facts.visibility)
    return [*why_not_bookable_series(facts, now), *unlisted]


def why_not_found_session(
    facts: SessionFacts, series: Visibility | None, now: datetime
) -> list[Reason]:
    """Why guests do not find a date to come, or cannot book it; that it is sold with its series
    only is no such reason. `series` says who sees that one, None for a date of no series.
    """
    if facts.state is not SessionState.SCHEDULED or now > facts.starts_at:
        return []
    reasons = why_not_bookable_session(facts, now)
    if facts.in_series:
        reasons = [one for one in reasons if one.code not in _SOLD_WITH_ITS_SERIES]
        if not facts.series_on_sale:
            off = [one for one in reasons if one.code is not ReasonCode.SERIES_NOT_ON_SALE]
            reasons = [*off, series_off_sale()]
    return [*reasons, *why_unlisted(facts.service.visibility, series)]


def how_session_seen(reasons: Sequence[Reason], of_series: Sequence[Reason]) -> Seen:
    """By what stands against it, and against the series that it is sold with."""
    seen = how_seen(reasons)
    only_alone = {reason.code for reason in reasons} <= _AGAINST_SINGLE_PLACES
    is_sold_on = seen is Seen.NOT_BOOKABLE and only_alone and not of_series
    return Seen.WITH_SERIES if is_sold_on else seen


def how_service_seen(offers: Iterable[Sequence[Reason]]) -> Seen:
    """How guests see a service against which nothing stands, by what stands against each series and
    each single date of it: it is on the public page, and whatever can be booked there makes it
    bookable.
    """
    found = {how_seen(reasons) for reasons in offers}
    seen = (Seen.BOOKABLE, Seen.SOLD_OUT)
    return next((one for one in seen if one in found), Seen.NOT_BOOKABLE)


def why_unlisted(service: Visibility, series: Visibility | None = None) -> list[Reason]:
    """What keeps something that can be booked by its link off the public page."""
    reasons = [service_unlisted()] if service is Visibility.UNLISTED else []
    return [*reasons, series_unlisted()] if series is Visibility.UNLISTED else reasons


def how_seen(reasons: Sequence[Reason]) -> Seen:
    """By all that stands against it."""
    codes = {reason.code for reason in reasons}
    if codes & _UNSEEN:
        return Seen.UNSEEN
    if ReasonCode.ESTABLISHED_ONLY in codes:
        return Seen.KEPT
    if codes & _BY_LINK:
        return Seen.BY_LINK
    if not codes:
        return Seen.BOOKABLE
    return Seen.SOLD_OUT if codes == {ReasonCode.FULL} else Seen.NOT_BOOKABLE


def _in_another_series(sessions: Iterable[AttachedSession]) -> list[Reason]:
    """One reason for each series that already has some of the sessions."""
    titles = dict.fromkeys(s.other_series_title for s in sessions if s.other_series_title)
    return [
        Reason(
            ReasonCode.SESSION_IN_ANOTHER_SERIES,
            _("This series is not on sale."),
            _("A date is already part of the series “%(title)s”.", title=title),
            _("Take the date out of one of the two series."),
        )
        for title in titles
    ]
