"""The dates that a purchase lacks, as its guest sees them: to wait for, waited for, or had."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from src.billing.models import Order
from src.booking.domain.bookable import BusinessFacts
from src.booking.domain.gaps import gaps_from
from src.booking.domain.kinds import SessionState
from src.booking.domain.states import LIVE_SEATS
from src.booking.domain.waiting import why_nobody
from src.booking.guest_links import booking_path, may_lead_on
from src.booking.models import Booking, Seat, WaitlistEntry
from src.booking.queries.completing import Completing, Wanted, find_completing
from src.booking.queries.decide import business_now
from src.booking.queries.offered_price import OfferedPrice
from src.booking.queries.waiting import STANDS, terms_of
from src.booking.views.guest import MissingDate
from src.booking.waitlist_links import waitlist_path
from src.booking.waitlist_words import offered_price_words
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

LIVE = [str(state) for state in LIVE_SEATS]


async def list_missing(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, bookings: Collection[Booking]
) -> dict[UUID, list[MissingDate]]:
    """By booking, the dates to come that it was sold without, in order of time. One that nobody of
    it can still get is left out, unless they have it by now and may see the booking that it is in.
    """
    wanted = [(one.id, session_id) for one in bookings for session_id in gaps_from(one.gaps).shares]
    found = await find_completing(uow, tenant, wanted)
    if not found:
        return {}
    now = uow.clock.now()
    business = await business_now(uow, tenant, now)
    entries, had = await _entries(uow, wanted), await _had(uow, wanted)
    missing: dict[UUID, list[MissingDate]] = defaultdict(list)
    for which, one in sorted(found.items(), key=lambda item: item[1].session.starts_at):
        state, href = _open_or_closed(one, tenant, business, now), ""
        if which in had and not one.is_needed:
            if may_lead_on(one.order, had[which]):
                state, href = "had", booking_path(settings, tenant.slug, had[which])
        elif which in entries and one.is_needed:
            entry = entries[which]
            state, href = entry.state, waitlist_path(settings, tenant.slug, entry)
        if _is_coming(one, now) and (one.is_needed or href):
            missing[which[0]].append(_date(tenant, one, state, href))
    return missing


def _is_coming(one: Completing, now: datetime) -> bool:
    return one.session.state == SessionState.SCHEDULED and one.session.starts_at > now


def _open_or_closed(
    one: Completing, tenant: TenantSnapshot, business: BusinessFacts, now: datetime
) -> str:
    """Whether it can be waited for."""
    terms = terms_of(tenant, one.service)
    against = why_nobody(one.waits(business, now), len(one.missing), terms, now)
    return "open" if against is None else "closed"


def _date(tenant: TenantSnapshot, one: Completing, state: str, href: str) -> MissingDate:
    price = OfferedPrice(one.total_minor) if one.is_needed else None
    return MissingDate(
        session_id=one.session.id,
        title=one.session.title,
        size=len(one.missing),
        starts_at=one.session.starts_at,
        ends_at=one.session.ends_at,
        state=state,
        href=href,
        price=offered_price_words(price, tenant.currency),
    )


async def _entries(uow: UnitOfWork, wanted: Collection[Wanted]) -> dict[Wanted, WaitlistEntry]:
    """Those by which the purchases' guests wait; not at an address that was corrected since."""
    found = await uow.session.scalars(
        select(WaitlistEntry)
        .join(
            Booking,
            (Booking.tenant_id == WaitlistEntry.tenant_id)
            & (Booking.id == WaitlistEntry.for_booking_id),
        )
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.for_booking_id.in_({booking_id for booking_id, _session in wanted}),
            WaitlistEntry.state.in_(STANDS),
            WaitlistEntry.address == Order.guest_email,
        )
    )
    return {
        (one.for_booking_id, one.session_id): one
        for one in found
        if one.for_booking_id is not None and one.session_id is not None
    }


async def _had(uow: UnitOfWork, wanted: Collection[Wanted]) -> dict[Wanted, Order]:
    """The orders by which the purchases have got what they lacked."""
    found = await uow.session.execute(
        select(Booking.completes_id, Seat.session_id, Order)
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(
            Booking.tenant_id == uow.tenant,
            Booking.completes_id.in_({booking_id for booking_id, _session in wanted}),
            Seat.state.in_(LIVE),
        )
    )
    return {(booking_id, session_id): order for booking_id, session_id, order in found}
