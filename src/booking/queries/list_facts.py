"""What holds for the list of one session, or of one series, by the facts that bookings go by."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from src.booking.domain.bookable import (
    BusinessFacts,
    why_not_bookable_series,
    why_not_bookable_session,
)
from src.booking.domain.kinds import GapPolicy, SessionState
from src.booking.domain.reasons import Reason, ReasonCode
from src.booking.domain.waiting import ListFacts
from src.booking.models import Series, Service, Session
from src.booking.queries.offer_facts import quote_of_session, series_facts, session_facts
from src.booking.queries.offers import SeriesOffer, SessionOffer
from src.booking.queries.waitlist_times import closing_of, last_to_join


def session_list(offer: SessionOffer, business: BusinessFacts, now: datetime) -> ListFacts:
    """For whom the session is stands against single entries; see `keep_back`."""
    session, service = offer.session, offer.service
    quote = quote_of_session(offer, 1, payments_ready=business.payments_ready)
    facts = session_facts(offer, business, quote, admits=True)
    return ListFacts(
        session_ids=(session.id,) if is_coming(session, now) else (),
        closes_at=closing_of(service, session.starts_at),
        max_party=service.max_party,
        capacity=session.capacity,
        reasons=but_full(why_not_bookable_session(facts, now)),
    )


def series_list(offer: SeriesOffer, business: BusinessFacts, now: datetime) -> ListFacts:
    """As of a session."""
    service = offer.service
    coming = still_sold(service, offer.sessions, now)
    first_at = min((one.starts_at for one in coming), default=now)
    last_at = last_to_join(service, offer.series, offer.sessions, business.zone, now)
    has_gaps = sells_with_gaps(offer.series)
    return ListFacts(
        session_ids=tuple(one.id for one in coming),
        closes_at=closing_of(service, first_at),
        max_party=service.max_party,
        capacity=most_that_fit(coming, has_gaps=has_gaps),
        reasons=but_full(why_not_bookable_series(series_facts(offer, business, admits=True), now)),
        with_gaps=has_gaps,
        joins_close_at=None if last_at is None else closing_of(service, last_at),
    )


def still_sold(service: Service, runs: Sequence[Session], now: datetime) -> list[Session]:
    earliest_at = now + timedelta(minutes=service.min_notice_minutes)
    return [one for one in runs if is_coming(one, earliest_at)]


def sells_with_gaps(series: Series | None) -> bool:
    return series is not None and series.gap_policy == GapPolicy.SELL_WITH_GAPS


def most_that_fit(runs: Sequence[Session], *, has_gaps: bool) -> int:
    """How many there would be places for if nobody had booked: in each date, or in one."""
    fits = max if has_gaps else min
    return fits((run.capacity for run in runs), default=0)


def is_coming(session: Session, now: datetime) -> bool:
    return session.state == SessionState.SCHEDULED and session.starts_at > now


def but_full(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """That nothing is free is what a list is for."""
    return tuple(reason for reason in reasons if reason.code is not ReasonCode.FULL)
