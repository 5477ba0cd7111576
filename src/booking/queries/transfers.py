"""Bank transfer as a way to pay for what can be paid online."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from src.billing.domain.transfers import TransferTerms, due_at, transfer_due_on
from src.billing.queries.payment_settings import find_transfer_terms
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.quotes import Quote
from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local


async def with_transfer(
    uow: UnitOfWork,
    quote: Quote,
    runs: Sequence[Session],
    way: PayWay | None,
    zone: ZoneInfo,
    *,
    by_staff: bool,
) -> Quote:
    """As `as_transfer`, by the business's terms as they are. Staff may take a transfer for what is
    to be paid in another way, too.
    """
    is_wanted = way is PayWay.TRANSFER
    if quote.full_minor == 0 or not (may_be_transferred(quote) or (by_staff and is_wanted)):
        return quote
    terms = await find_transfer_terms(uow)
    return as_transfer(quote, terms, runs, way, zone, uow.clock.now())


def may_be_transferred(quote: Quote) -> bool:
    """What can be paid online can be paid by bank transfer."""
    return PayWay.ONLINE in quote.ways


def due_day(until: datetime | None, zone: ZoneInfo) -> date | None:
    """The last day of a moment that a day ends with."""
    return None if until is None else to_local(until - timedelta(seconds=1), zone).date()


def as_transfer(
    quote: Quote,
    terms: TransferTerms | None,
    runs: Sequence[Session],
    way: PayWay | None,
    zone: ZoneInfo,
    now: datetime,
) -> Quote:
    """The quote with until when it may be paid by bank transfer, and paid so where that is the
    wanted `way`: unless the money would not be there before the first of the dates.
    """
    got = set(quote.session_ids)
    first_at = min((run.starts_at for run in runs if run.id in got), default=None)
    if terms is None or first_at is None:
        return quote
    due_on = transfer_due_on(terms, now, first_at, zone)
    if due_on is None:
        return quote
    quote = replace(quote, transfer_due_at=due_at(due_on, zone))
    if way is not PayWay.TRANSFER:
        return quote
    return replace(quote, by_transfer=True, price_type=SeriesPriceType.ONLINE)
