"""What a party that waits would pay for the places, as the booking form will say it."""

from typing import NamedTuple

from src.booking.models import WaitlistEntry, WaitlistOffer
from src.booking.queries.completing import completing_of
from src.booking.queries.offer_facts import quote_of_series, quote_of_session
from src.booking.queries.offers import count_as_free, get_series_offer, get_session_offer
from src.booking.queries.tiers import tiers_of_series, tiers_of_session
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class OfferedPrice(NamedTuple):
    """For the whole party, in minor units; `is_lowest` where it can choose among prices."""

    amount_minor: int
    is_lowest: bool = False


async def offered_price(
    uow: UnitOfWork, tenant: TenantSnapshot, entry: WaitlistEntry, offer: WaitlistOffer | None
) -> OfferedPrice | None:
    """By now, the places of the live offer counted as free; None for a series that nobody can join,
    which has no price. What completes a purchase costs what was kept with that.
    """
    size, now = entry.party_size, uow.clock.now()
    if entry.for_booking_id is not None:
        return await _price_of_missing(uow, tenant, entry)
    if entry.session_id is not None:
        one = await get_session_offer(uow, entry.session_id)
        quote = quote_of_session(one, size, payments_ready=tenant.payments_ready)
        tiers = tiers_of_session(one, now, tenant.zone)
    else:
        term = await get_series_offer(uow, entry.list_id)
        count_as_free(term.sessions, {} if offer is None else offer.held())
        quote = quote_of_series(term, tenant, size, now)
        tiers = tiers_of_series(term, now, tenant.zone, size)
    if not quote.session_ids:
        return None
    prices_minor = {quote.unit_minor, *(tier.price_minor for tier in tiers)}
    return OfferedPrice(min(prices_minor) * size, is_lowest=len(prices_minor) > 1)


async def _price_of_missing(
    uow: UnitOfWork, tenant: TenantSnapshot, entry: WaitlistEntry
) -> OfferedPrice | None:
    found = (await completing_of(uow, tenant, [entry])).get(entry.id)
    return OfferedPrice(found.total_minor) if found is not None and found.is_needed else None
