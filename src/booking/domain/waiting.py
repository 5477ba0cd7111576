"""Who on a waiting list is offered a place that got free, until when, and why somebody is not.

One function answers for the list's job and for the owner who asks "why not me".
Source: docs/algorithms/waitlist.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.reasons import Reason
from src.platform.i18n import _
from src.platform.localtime import to_local, to_utc

MADE_CLOSES_BEFORE = timedelta(hours=1)
"""No change of the terms ends an offer that was made sooner than so long before its first date."""
LOOK_AT_LEAST_EVERY = timedelta(minutes=30)
"""How late a list may hear of a place that got free without a word, such as a reopened sale."""
OFFER_MINUTES = (15, 7 * 24 * 60)
LONGEST_PASS_HOURS = 24 * 30
CLOSING_MINUTES = (0, 7 * 24 * 60)
LAST_OFFER_MINUTES = (15, 7 * 24 * 60)
LONGEST_RUSH_HOURS = 24 * 7


class EntryState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    LEFT = "left"
    EXPIRED = "expired"
    REMOVED = "removed"
    CLOSED = "closed"


class OfferState(StrEnum):
    LIVE = "live"
    TAKEN = "taken"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


STANDING = frozenset({EntryState.WAITING, EntryState.OFFERED})
"""The states of who is on the list; the same set stands in the database's partial indexes."""


class WaitlistTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A service's rules. An offer lasts `offer_minutes`, of which the quiet hours, local hours from
    `quiet_from` up to `quiet_until`, are none; equal ones: no quiet hours.

    A party that is bigger than the places holds up those behind it for `pass_hours`, 0 for not at
    all, None for as long as it takes. Meanwhile anybody may book them, so by default it is 0.

    Offers end at the latest `closing_minutes` before the first date starts. From `rush_hours`
    before that on, everybody is told at once and the first to book has it, 0 for never; from
    `last_offer_minutes` before it on nothing is offered, since nobody could take it in time.
    """

    is_on: bool = True
    offer_minutes: int = 240
    quiet_from: int = 22
    quiet_until: int = 8
    pass_hours: int | None = 0
    closing_minutes: int = 60
    last_offer_minutes: int = 60
    rush_hours: int = 2

    def document(self) -> dict[str, Any]:
        """As they are stored: what is as by default is left out."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept


class WhyNot(StrEnum):
    """Why an entry is not offered a place just now."""

    HAS_OFFER = "has_offer"
    SWITCHED_OFF = "switched_off"
    NOT_ON_SALE = "not_on_sale"
    PARTY_TOO_BIG = "party_too_big"
    NEVER_FITS = "never_fits"
    TOO_LATE = "too_late"
    NO_PLACE = "no_place"
    TOO_FEW_PLACES = "too_few_places"
    BEHIND_BIGGER_PARTY = "behind_bigger_party"
    NOT_WAITING = "not_waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One entry of a list, `list_id` being its session or series."""

    entry_id: UUID
    list_id: UUID
    size: int
    queued_at: datetime
    short_since: datetime | None = None
    has_offer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """What a list waits for: a place in each of `session_ids`, those to come, or `with_gaps` in as
    many of them as have one.

    `reasons` stand against anybody's booking it, that it is full left out; offers end at
    `closes_at`. A series that can be bought after its next dates have begun is waited for until
    `joins_close_at`, the closing before the last of those; None: until `closes_at`. More than
    `capacity` people never fit in, however many of them leave.
    """

    session_ids: tuple[UUID, ...]
    closes_at: datetime
    max_party: int
    capacity: int
    reasons: tuple[Reason, ...] = ()
    with_gaps: bool = False
    joins_close_at: datetime | None = None

    @property
    def biggest_party(self) -> int:
        """How many may wait together."""
        return min(self.max_party, self.capacity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """Places to offer in each of the sessions; without `holds` they are anybody's."""

    session_ids: tuple[UUID, ...]
    expires_at: datetime
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What became of one entry: an offer, or why not. `room` is how many places there are for it,
    `passes_at` when smaller parties go first, and `is_passed` whether they do by now.
    """

    entry: Waiting
    proposed: Proposed | None = None
    why: WhyNot | None = None
    reasons: tuple[Reason, ...] = ()
    room: int = 0
    passes_at: datetime | None = None
    is_passed: bool = False

    @property
    def is_short(self) -> bool:
        return self.why is WhyNot.TOO_FEW_PLACES


def waitlist_from(kept: object) -> WaitlistTerms:
    """The terms as they are stored."""
    return msgspec.convert(kept or {}, WaitlistTerms)


def waitlist_errors(terms: WaitlistTerms) -> dict[str, str]:
    """Sentences by field; empty when the terms may be saved."""
    errors: dict[str, str] = {}
    least, most = OFFER_MINUTES
    if not least <= terms.offer_minutes <= most:
        errors["offer_minutes"] = _("An offer lasts between 15 minutes and 7 days.")
    for name, hour in (("quiet_from", terms.quiet_from), ("quiet_until", terms.quiet_until)):
        if not 0 <= hour <= 23:
            errors[name] = _("Please give a full hour between 0 and 23.")
    if terms.pass_hours is not None and not 0 <= terms.pass_hours <= LONGEST_PASS_HOURS:
        errors["pass_hours"] = _("At most 30 days.")
    least, most = CLOSING_MINUTES
    if not least <= terms.closing_minutes <= most:
        errors["closing_minutes"] = _("Between none and 10,080 minutes, which are 7 days.")
    least, most = LAST_OFFER_MINUTES
    if not least <= terms.last_offer_minutes <= most:
        errors["last_offer_minutes"] = _("Between 15 and 10,080 minutes, which are 7 days.")
    if not 0 <= terms.rush_hours <= LONGEST_RUSH_HOURS:
        errors["rush_hours"] = _("At most 168 hours, which are 7 days.")
    return errors


def closes_at(first_starts_at: datetime, min_notice_minutes: int, terms: WaitlistTerms) -> datetime:
    """When offers of what starts then end at the latest."""
    return first_starts_at - timedelta(minutes=max(terms.closing_minutes, min_notice_minutes))


def made_closes_at(
    first_starts_at: datetime, min_notice_minutes: int, terms: WaitlistTerms
) -> datetime:
    """When an offer that was made ends at the latest, whatever the terms have become since: sooner
    ones end it an hour before the start, if it was to last longer.
    """
    closing = min(timedelta(minutes=terms.closing_minutes), MADE_CLOSES_BEFORE)
    return first_starts_at - max(closing, timedelta(minutes=min_notice_minutes))


def is_too_late(closing_at: datetime, now: datetime, terms: WaitlistTerms) -> bool:
    """Whether nothing is offered any more; at the exact second it still is."""
    return now > closing_at - timedelta(minutes=terms.last_offer_minutes)


def rush_begins_at(closing_at: datetime, terms: WaitlistTerms) -> datetime:
    """From when on everybody is told at once; with none, when offers end."""
    return closing_at - timedelta(hours=terms.rush_hours)


def is_rush(closing_at: datetime, now: datetime, terms: WaitlistTerms) -> bool:
    return terms.rush_hours > 0 and now >= rush_begins_at(closing_at, terms)


def offer_ends_at(
    now: datetime, terms: WaitlistTerms, closing_at: datetime, zone: ZoneInfo
) -> datetime:
    """The lifetime from now on without quiet hours on the zone's clocks, cut at the closing."""
    at, left = now, timedelta(minutes=terms.offer_minutes)
    while at < closing_at:
        local = to_local(at, zone)
        if _is_quiet(local, terms):
            at = to_utc(_next(local, terms.quiet_until), zone)
            continue
        stops_at = closing_at
        if terms.quiet_from != terms.quiet_until:
            stops_at = to_utc(_next(local, terms.quiet_from), zone)
        if at + left <= stops_at:
            return min(at + left, closing_at)
        left -= stops_at - at
        at = stops_at
    return closing_at


def facts_of(lists: Mapping[UUID, ListFacts], entry: Waiting) -> ListFacts:
    """Its own, where it completes a purchase; else its list's."""
    return lists.get(entry.entry_id) or lists[entry.list_id]


def weigh(
    queue: Sequence[Waiting],
    lists: Mapping[UUID, ListFacts],
    free: Mapping[UUID, int],
    terms: WaitlistTerms,
    now: datetime,
    zone: ZoneInfo,
) -> list[Weighed]:
    """What each entry is offered now, or why nothing, whoever waits longest first.

    Lists that share sessions, a series' and its single dates', are weighed together: `free` are the
    places of each session that nobody has, and an offer takes its own from those behind it. Who
    completes a purchase stands in the list of the date like others, and has facts in `lists` of
    their own, by their entry's id.
    """
    left, held_up, weighed = dict(free), set[UUID](), []
    for entry in sorted(queue, key=lambda one: (one.queued_at, one.entry_id)):
        one = _weigh_one(entry, facts_of(lists, entry), left, terms, now, zone)
        proposed = one.proposed
        if one.is_short and not one.is_passed:
            held_up.add(entry.list_id)
        elif proposed is not None and proposed.holds and entry.list_id in held_up:
            one = Weighed(entry=entry, why=WhyNot.BEHIND_BIGGER_PARTY, room=one.room)
        elif proposed is not None and proposed.holds:
            for session_id in proposed.session_ids:
                left[session_id] -= entry.size
        weighed.append(one)
    return weighed


def left_behind_queue(free: Mapping[UUID, int], weighed: Sequence[Weighed]) -> dict[UUID, int]:
    """The free places of each session, less those that the weighed would be offered for sure."""
    left = dict(free)
    for one in weighed:
        if one.proposed is not None and one.proposed.holds:
            for session_id in one.proposed.session_ids:
                left[session_id] -= one.entry.size
    return left


def why_nobody(
    facts: ListFacts, size: int, terms: WaitlistTerms, now: datetime
) -> tuple[WhyNot, tuple[Reason, ...]] | None:
    """What stands against offering places for so many, however many are free."""
    if not terms.is_on:
        return WhyNot.SWITCHED_OFF, ()
    if facts.reasons or not facts.session_ids:
        return WhyNot.NOT_ON_SALE, facts.reasons
    if size > facts.max_party:
        return WhyNot.PARTY_TOO_BIG, ()
    if size > facts.capacity:
        return WhyNot.NEVER_FITS, ()
    return (WhyNot.TOO_LATE, ()) if is_too_late(facts.closes_at, now, terms) else None


def why_no_waiting(
    facts: ListFacts, size: int, terms: WaitlistTerms, now: datetime
) -> tuple[WhyNot, tuple[Reason, ...]] | None:
    """What stands against joining the list for so many: that nothing can be offered any more, also
    once the dates that are too near have begun.
    """
    until_at = facts.joins_close_at or facts.closes_at
    return why_nobody(replace(facts, closes_at=until_at), size, terms, now)


def why_no_places(
    facts: ListFacts, size: int, terms: WaitlistTerms, free: Mapping[UUID, int], now: datetime
) -> tuple[WhyNot, tuple[Reason, ...]] | None:
    """What stands against offering so many places out of turn, of those that are free now."""
    against = why_nobody(facts, size, terms, now)
    if against is None and wanted_places(facts, size, free)[1] < size:
        return WhyNot.NO_PLACE, ()
    return against


def _weigh_one(
    entry: Waiting,
    facts: ListFacts,
    left: Mapping[UUID, int],
    terms: WaitlistTerms,
    now: datetime,
    zone: ZoneInfo,
) -> Weighed:
    if entry.has_offer:
        return Weighed(entry=entry, why=WhyNot.HAS_OFFER)
    against = why_nobody(facts, entry.size, terms, now)
    if against is not None:
        return Weighed(entry=entry, why=against[0], reasons=against[1])
    wanted, room = wanted_places(facts, entry.size, left)
    rushes = is_rush(facts.closes_at, now, terms)
    if room >= entry.size:
        ends_at = facts.closes_at if rushes else offer_ends_at(now, terms, facts.closes_at, zone)
        proposed = Proposed(session_ids=wanted, expires_at=ends_at, holds=not rushes)
        return Weighed(entry=entry, proposed=proposed, room=room)
    if room <= 0 or rushes:
        return Weighed(entry=entry, why=WhyNot.NO_PLACE, room=max(room, 0))
    passes_at = None
    if terms.pass_hours is not None:
        passes_at = (entry.short_since or now) + timedelta(hours=terms.pass_hours)
    return Weighed(
        entry=entry,
        why=WhyNot.TOO_FEW_PLACES,
        room=room,
        passes_at=passes_at,
        is_passed=passes_at is not None and passes_at <= now,
    )


def wanted_places(
    facts: ListFacts, size: int, left: Mapping[UUID, int]
) -> tuple[tuple[UUID, ...], int]:
    """The sessions that a party of that size is offered, and how many places each of them has."""
    if not facts.with_gaps:
        return facts.session_ids, min((left.get(one, 0) for one in facts.session_ids), default=0)
    fitting = tuple(one for one in facts.session_ids if left.get(one, 0) >= size)
    among = fitting or facts.session_ids
    pick = min if fitting else max
    return among, pick((left.get(one, 0) for one in among), default=0)


def _is_quiet(local: datetime, terms: WaitlistTerms) -> bool:
    begins, ends, hour = terms.quiet_from, terms.quiet_until, local.hour
    if begins <= ends:
        return begins <= hour < ends
    return hour >= begins or hour < ends


def _next(local: datetime, hour: int) -> datetime:
    """The next time the clock shows that full hour."""
    at = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return at if at > local else at + timedelta(days=1)
