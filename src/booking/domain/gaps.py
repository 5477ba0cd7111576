"""Dates that a course was sold without, what each costs who gets it later, and who may.

A series that sells with gaps leaves out what is full and takes nothing for it. What its buyer would
have paid for such a date is worked out at the sale and kept with the booking: later prices change
nothing about it.
Source: docs/algorithms/pricing.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from src.billing.domain.minimums import least_online_minor
from src.booking.domain.bookable import SessionFacts
from src.booking.domain.kinds import SalesMode, SeriesPriceType, Visibility
from src.booking.domain.pricing import prorate
from src.booking.domain.quotes import Person, Quote
from src.platform.money import round_half_up, split_by_largest_remainder


class Gaps(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The dates left out of one purchase: by session what one person pays for it, in minor units,
    by what their price was called. `pays` is how.
    """

    pays: SeriesPriceType = SeriesPriceType.FREE
    shares: dict[UUID, dict[str, int]] = {}

    def document(self) -> dict[str, Any]:
        """As they are stored; nothing where no date was left out."""
        if not self.shares:
            return {}
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept


def gaps_from(kept: object) -> Gaps:
    """As they are stored with a booking."""
    return msgspec.convert(kept or {}, Gaps)


def gaps_of(quote: Quote) -> Gaps:
    """What is kept with the booking. A coupon of a percentage holds for what is bought later, too;
    one of an amount comes off the sale alone, of which it may be more than the price: that rest is
    not given later.
    """
    coupon = quote.coupon
    percent = 0 if coupon is None or coupon.percent is None else coupon.percent
    shares = {
        session_id: {
            tier: minor - round_half_up(minor * percent, 100) for tier, minor in by_tier.items()
        }
        for session_id, by_tier in quote.gaps.items()
    }
    return Gaps(pays=quote.price_type, shares=shares)


def gap_shares_minor(
    price_minor: int, remaining: int, base: int, in_term: Sequence[bool]
) -> list[int]:
    """What each date that is left out would have cost one person, in order.

    Whoever gets all of them later has paid in all what the course costs without gaps. A date that
    is not of the term costs nothing, as it would have cost nothing with the course.
    """
    missed = sum(in_term)
    whole_minor = prorate(price_minor, remaining + missed, base)
    rest_minor = whole_minor - prorate(price_minor, remaining, base)
    shares = iter(split_by_largest_remainder(rest_minor, [1] * missed) if missed else [])
    return [next(shares) if counts else 0 for counts in in_term]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseFacts:
    """A purchase of a series, and one date that it was sold without.

    `comes` are the participants who still come to it (`still_comes`), in the order of the party,
    each with what their price was called; `there` those who have a live seat in the missing date.
    `is_in_series`: the date still belongs to the series. `is_cancelled`: staff have cancelled the
    purchase, and cannot undo it any more.
    """

    gaps: Gaps
    session_id: UUID
    is_confirmed: bool
    is_in_series: bool
    is_cancelled: bool
    comes: tuple[tuple[UUID, str], ...]
    there: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Missing:
    """One of the party who lacks the date, and what they pay for it, in minor units."""

    participant_id: UUID
    tier: str
    share_minor: int

    @property
    def person(self) -> Person:
        return Person(self.tier, self.share_minor)


def still_comes(starts_at: Sequence[datetime], ended_at: Sequence[datetime]) -> bool:
    """Whether somebody comes to a course, by when their live seats start, and when others of theirs
    were ended by them or by staff; a date that the business called off is none of these.

    Who has been to all their dates comes to another one; who left the last that they had, or all
    that was still to come, has ended it, however many were over by then.
    """
    return bool(starts_at) and (not ended_at or max(starts_at) > max(ended_at))


def who_lacks(facts: PurchaseFacts, currency: str) -> tuple[Missing, ...]:
    """Those of the party who may get the date and do not have it; nobody once the purchase has
    ended, or where it was not sold without this date.

    A sum that nobody can pay online is not asked for.
    """
    by_tier = facts.gaps.shares.get(facts.session_id)
    is_over = not facts.is_confirmed or facts.is_cancelled
    if by_tier is None or is_over or not facts.is_in_series:
        return ()
    lacking = [(one, tier) for one, tier in facts.comes if one not in facts.there]
    found = tuple(Missing(one, tier, by_tier.get(tier, 0)) for one, tier in lacking)
    total_minor = sum(one.share_minor for one in found)
    if facts.gaps.pays is SeriesPriceType.ONLINE and total_minor < least_online_minor(currency):
        return tuple(replace(one, share_minor=0) for one in found)
    return found


def session_for_buyer(facts: SessionFacts) -> SessionFacts:
    """The same session, asked for by who bought its series without it.

    Not bound by how dates are sold to others, alone or at all, nor by the month's bookings: the
    purchase counted as one, and this date is part of it. The plan, the clock and the seats hold.
    """
    service = replace(
        facts.service,
        visibility=Visibility.PUBLIC,
        sales_mode=SalesMode.BOTH,
        horizon_days=None,
        max_party_size=max(facts.service.max_party_size, facts.party_size),
    )
    return replace(
        facts,
        service=service,
        business=replace(facts.business, monthly_limit_reached=False),
        in_series=False,
        drop_in_opens_at=None,
        credit_only=False,
    )
