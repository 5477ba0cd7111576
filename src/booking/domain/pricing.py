"""What a series costs somebody who joins now, and how a price falls apart into seats."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from src.booking.domain.kinds import GapPolicy, JoinPolicy, SeriesPriceType, SessionState
from src.platform.localtime import to_local
from src.platform.money import round_half_up, split_by_largest_remainder

_A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSession:
    """A session of the series. `in_term`: it was part of it when the series was first published."""

    session_id: UUID
    starts_at: datetime
    state: SessionState
    capacity: int
    taken: int
    in_term: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesTerms:
    """How a series is sold.

    `base_sessions` is the number of sessions in the term when it was first published.
    `join_until_on` is the last local day of the join policy `until`.
    """

    price_type: SeriesPriceType
    price_minor: int
    base_sessions: int
    join_policy: JoinPolicy = JoinPolicy.BEFORE_START
    join_until_on: date | None = None
    gap_policy: GapPolicy = GapPolicy.BLOCK
    min_notice_minutes: int = 0


class SaleClosed(StrEnum):
    """Why nobody can join now."""

    ENDED = "ended"
    JOIN_CLOSED = "join_closed"
    FULL = "full"
    BASE_ZERO = "base_zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuote:
    """What one participant who joins now gets and pays; the lists are in the order of time.

    `included` are the sessions with a seat, `gaps` the full ones that are left out, `passed` and
    `cancelled` those that cannot be had. `price_minor` is 0 while `closed` says why not. Of the
    term as first published there are `remaining` of `base` for them, and `to_come` with full ones.
    """

    included: tuple[UUID, ...]
    gaps: tuple[UUID, ...]
    passed: tuple[UUID, ...]
    cancelled: tuple[UUID, ...]
    price_minor: int
    full_price_minor: int
    remaining: int
    to_come: int
    base: int
    closed: SaleClosed | None

    @property
    def struck(self) -> bool:
        """Whether the full price is shown crossed out beside the price."""
        return self.closed is None and self.price_minor < self.full_price_minor

    @property
    def asked_minor(self) -> int:
        """What is shown as the price; of what is sold out, what joining now would cost if each date
        to come had a place, and of what cannot be joined any more the whole term's.
        """
        if self.closed is SaleClosed.FULL:
            return prorate(self.full_price_minor, self.to_come, self.base)
        return self.price_minor if self.closed is None else self.full_price_minor

    def seat_shares_minor(self) -> list[int]:
        """The price over the included seats; earlier seats carry the odd units."""
        return seat_shares(self.price_minor, [1] * len(self.included))


def prorate(price_minor: int, remaining: int, base: int) -> int:
    """The price for `remaining` of `base` sessions, never above the price nor below 0."""
    if base <= 0:
        raise ValueError("a term without sessions has no price per session")
    return min(max(round_half_up(price_minor * remaining, base), 0), max(price_minor, 0))


def seat_shares(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Shares of the total for seats in session order, in proportion to their weights.

    Equal where every weight is 0, as when a paid series is made of free single sessions.
    """
    if not any(weights):
        weights = [1] * len(weights)
    return split_by_largest_remainder(total_minor, weights)


def drop_in_price_minor(
    session_minor: int | None, series_minor: int | None, service_minor: int | None
) -> int | None:
    """The price of one date alone: the session's, else the series', else the service's.

    None falls through to the next; 0 is a price and means free.
    """
    for price_minor in (session_minor, series_minor, service_minor):
        if price_minor is not None:
            return price_minor
    return None


def term_base(sessions: Iterable[SeriesSession]) -> int:
    """The base to store when a series is first published: all of its dates that take place."""
    return sum(session.state is SessionState.SCHEDULED for session in sessions)


def quote_series(
    terms: SeriesTerms,
    sessions: Sequence[SeriesSession],
    now: datetime,
    zone: ZoneInfo,
    *,
    party_size: int = 1,
) -> SeriesQuote:
    """What joining at `now` gives. At the exact second of a limit the guest is still in time.

    `sessions` are all of the series, past and cancelled ones too. Both numbers of the proration
    count the term as first published: dates added later are delivered too, but neither cheapen nor
    raise the price; dates cancelled before the purchase, or before the term was published, are in
    neither number.
    """
    ordered = sorted(sessions, key=lambda session: (session.starts_at, session.session_id))
    held = [s for s in ordered if s.state is SessionState.SCHEDULED]
    lost = [s for s in ordered if s.state is not SessionState.SCHEDULED]
    earliest_start_at = now + timedelta(minutes=terms.min_notice_minutes)
    upcoming = [s for s in held if s.starts_at >= earliest_start_at]
    full = [s for s in upcoming if s.capacity - s.taken < party_size]
    included = [s for s in upcoming if s.capacity - s.taken >= party_size]
    base = min(terms.base_sessions, sum(session.in_term for session in held))
    remaining = sum(session.in_term for session in included)
    closed = _closed(terms, upcoming, bool(full), remaining, base)
    if closed in (None, SaleClosed.FULL) and not _may_join(terms, held[0].starts_at, now, zone):
        closed = SaleClosed.JOIN_CLOSED
    return SeriesQuote(
        included=_ids(included),
        gaps=_ids(full),
        passed=_ids(s for s in held if s.starts_at < earliest_start_at),
        cancelled=_ids(lost),
        price_minor=0 if closed else prorate(_price_minor(terms), remaining, base),
        full_price_minor=_price_minor(terms),
        remaining=remaining,
        to_come=sum(session.in_term for session in upcoming),
        base=base,
        closed=closed,
    )


def last_start_to_join(
    terms: SeriesTerms, sessions: Sequence[SeriesSession], now: datetime, zone: ZoneInfo
) -> datetime | None:
    """The start of the last date before which the series can be bought, once those before it have
    begun; None where it cannot be bought any more.
    """
    held = sorted(s.starts_at for s in sessions if s.state is SessionState.SCHEDULED)
    in_term = {s.starts_at for s in sessions if s.in_term}
    earliest_start_at = now + timedelta(minutes=terms.min_notice_minutes)
    last, begun_at = None, now
    for starts_at in held:
        if starts_at < earliest_start_at:
            continue
        if starts_at in in_term and _may_join(terms, held[0], begun_at, zone):
            last = starts_at
        # From its minimum notice on it is none of the dates that a buyer gets.
        begun_at = starts_at - timedelta(minutes=terms.min_notice_minutes) + _A_SECOND
    return last


def cancelled_in(sessions: Iterable[SeriesSession], lost: Collection[UUID]) -> list[SeriesSession]:
    """The series as it is once these of its sessions are cancelled."""
    return [
        replace(one, state=SessionState.CANCELLED) if one.session_id in lost else one
        for one in sessions
    ]


class SeatsToSell(NamedTuple):
    """How many more can buy a series, each with a seat on every date that it is sold with; the
    `full` ones are those that it is sold without.
    """

    left: int
    full: tuple[UUID, ...] = ()


def seats_to_sell(
    terms: SeriesTerms, sessions: Iterable[SeriesSession], now: datetime
) -> SeatsToSell | None:
    """None where no date is to come."""
    upcoming = _upcoming(terms, sessions, now)
    open_ones = [one for one in upcoming if one.capacity > one.taken]
    # Dates that joined later have no price of their own, so that alone they are not sold.
    if terms.gap_policy is GapPolicy.BLOCK or not any(one.in_term for one in open_ones):
        open_ones = upcoming
    if not upcoming:
        return None
    left = min(one.capacity - one.taken for one in open_ones)
    return SeatsToSell(left, _ids(one for one in upcoming if one not in open_ones))


def largest_party(terms: SeriesTerms, sessions: Iterable[SeriesSession], now: datetime) -> int:
    """How many could join together for all that seats say; with gaps, the date with the most of
    them counts.
    """
    upcoming = _upcoming(terms, sessions, now)
    if terms.gap_policy is GapPolicy.BLOCK:
        return min((session.capacity - session.taken for session in upcoming), default=0)
    lefts = (session.capacity - session.taken for session in upcoming if session.in_term)
    return max(lefts, default=0)


def _upcoming(
    terms: SeriesTerms, sessions: Iterable[SeriesSession], now: datetime
) -> list[SeriesSession]:
    earliest_start_at = now + timedelta(minutes=terms.min_notice_minutes)
    return [
        session
        for session in sessions
        if session.state is SessionState.SCHEDULED and session.starts_at >= earliest_start_at
    ]


def _closed(
    terms: SeriesTerms, upcoming: Sequence[SeriesSession], full: bool, remaining: int, base: int
) -> SaleClosed | None:
    """The sale's own reasons; `full` says that a coming session lacks seats for the party."""
    if not any(session.in_term for session in upcoming):
        return SaleClosed.ENDED
    if base <= 0:
        return SaleClosed.BASE_ZERO
    if remaining == 0 or (full and terms.gap_policy is GapPolicy.BLOCK):
        return SaleClosed.FULL
    return None


def _may_join(terms: SeriesTerms, first_starts_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    if terms.join_policy is JoinPolicy.ANY_TIME:
        return True
    if terms.join_policy is JoinPolicy.UNTIL and terms.join_until_on is not None:
        return to_local(now, zone).date() <= terms.join_until_on
    return now + timedelta(minutes=terms.min_notice_minutes) <= first_starts_at


def _price_minor(terms: SeriesTerms) -> int:
    return 0 if terms.price_type is SeriesPriceType.FREE else terms.price_minor


def _ids(sessions: Iterable[SeriesSession]) -> tuple[UUID, ...]:
    return tuple(session.session_id for session in sessions)
