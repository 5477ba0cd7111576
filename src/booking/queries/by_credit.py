"""The credits that are to pay for a wish, and what they are held against."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.credits import LotFacts, LotSource
from src.billing.domain.lot_users import Comer
from src.billing.models import CreditLot
from src.billing.queries.lots import list_lots_to_pay, lot_facts, no_such_credits
from src.booking.domain.by_credit import (
    CreditFacts,
    for_party,
    takes_credits,
    target_of,
    why_not_by_credit,
)
from src.booking.domain.quotes import PaidByCredits, Quote
from src.booking.domain.reasons import Reason
from src.booking.models import Seat, Series, Service, Session
from src.booking.queries.drop_in import rules_of
from src.booking.queries.offer_facts import quote_of_session
from src.booking.queries.offers import SeriesOffer, SessionOffer
from src.platform.db.uow import UnitOfWork


async def get_own_lot(uow: UnitOfWork, customer_id: UUID, lot_id: UUID) -> LotFacts:
    """The customer's own lot. Raises: NotFound, for anybody else's too."""
    lots = await list_lots_to_pay(uow, customer_id)
    lot = next((one for one in lots if one.id == lot_id), None)
    if lot is None:
        raise no_such_credits()
    return lot


def session_by_credit(
    offer: SessionOffer,
    quote: Quote,
    lot: LotFacts,
    now: datetime,
    party: Sequence[Comer] | None = None,
) -> tuple[Quote, list[Reason]]:
    """The quote of a single date for credits of the lot, and what stands against it."""
    facts = for_party(credit_facts_of_session(offer, quote, lot), party, now)
    return _by_credit(quote, facts.lot), why_not_by_credit(facts, now)


def series_by_credit(
    offer: SeriesOffer,
    quote: Quote,
    lot: LotFacts,
    now: datetime,
    party: Sequence[Comer] | None = None,
) -> tuple[Quote, list[Reason]]:
    """The quote of all dates that are left for credits of the lot, and what stands against it."""
    facts = for_party(credit_facts_of_series(offer, quote, lot), party, now)
    return _by_credit(quote, facts.lot), why_not_by_credit(facts, now)


def credit_facts_of_session(offer: SessionOffer, quote: Quote, lot: LotFacts) -> CreditFacts:
    tags = tags_of(offer.service, offer.series, offer.session)
    return CreditFacts(
        lot=lot,
        target=target_of(quote, tags, offer.session.starts_at),
        needed=quote.credits_needed,
        is_taken=takes_credits(rules_of(offer)),
        is_free=quote.full_minor == 0,
    )


def credit_facts_of_series(offer: SeriesOffer, quote: Quote, lot: LotFacts) -> CreditFacts:
    included = set(quote.session_ids)
    starts = [run.starts_at for run in offer.sessions if run.id in included]
    last_starts_at = max(starts, default=datetime.max.replace(tzinfo=lot.created_at.tzinfo))
    return CreditFacts(
        lot=lot,
        target=target_of(quote, tags_of(offer.service, offer.series), last_starts_at),
        needed=quote.credits_needed,
        is_taken=offer.series.takes_credits,
        is_free=quote.full_minor == 0,
    )


def tags_of(
    service: Service, series: Series | None = None, session: Session | None = None
) -> frozenset[str]:
    """All words by which credits find a date."""
    things = (service, series, session)
    return frozenset(tag for thing in things if thing is not None for tag in thing.tags)


def _by_credit(quote: Quote, lot: LotFacts) -> Quote:
    """Coupons are for money: a quote for credits has none."""
    is_given_back = lot.source is LotSource.SEAT
    paid = PaidByCredits(lot.id, lot.name, lot.balance, is_given_back, lot.users, lot.parts)
    return replace(quote, coupon=None).by_credits(paid)


async def find_lot_that_paid(uow: UnitOfWork, seats: Sequence[Seat]) -> LotFacts | None:
    """Where the credits of these seats of one order came from; None where none paid them."""
    lot_ids = {seat.credit_lot_id for seat in seats if seat.credit_lot_id is not None}
    lot = await uow.session.scalar(
        select(CreditLot)
        .where(CreditLot.tenant_id == uow.tenant, CreditLot.id.in_(lot_ids))
        .order_by(CreditLot.expires_at)
        .limit(1)
    )
    return None if lot is None else lot_facts(lot)


def why_credits_stay(
    offer: SessionOffer, lot: LotFacts | None, count: int, now: datetime
) -> list[Reason]:
    """Every reason against taking `count` credits of the lot along to another date: they would be
    good for it, and last until then, were they still in the lot.
    """
    if lot is None:
        return []
    quote = quote_of_session(offer, count)
    facts = replace(
        credit_facts_of_session(offer, quote, replace(lot, balance=lot.balance + count)),
        is_taken=True,
        is_free=False,
    )
    return why_not_by_credit(facts, now)
