"""Waiting for a date that a course was sold without, and taking the place that is offered.

The purchase says who comes, what it costs and how it is paid; nobody types any of it again. What it
leads to is a booking of its own, of the same course and people, that completes the first.
Source: docs/algorithms/waitlist.md.
"""

from uuid import UUID

from sqlalchemy import select

from src.billing.models import Order
from src.booking.commands.book import BookCommand
from src.booking.commands.waitlist_said import note_said
from src.booking.domain.waiting import why_nobody
from src.booking.events import WaitlistJoined
from src.booking.models import Booking, WaitlistEntry, WaitlistOffer
from src.booking.queries.completing import completing_of, get_completing, no_longer_missing
from src.booking.queries.decide import business_now
from src.booking.queries.waiting import STANDS, get_entry, terms_of
from src.booking.waitlist_words import guest_refusal
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.context import TenantSnapshot


async def wait_for_missing(
    uow: UnitOfWork, tenant: TenantSnapshot, booking_id: UUID, session_id: UUID
) -> UUID:
    """Puts the purchase at the end of the date's list, for those of its party who lack it, and lets
    its guest have a mail. Also while there are places: then they are offered one at once.

    Who waits already stays where they are and has no second mail. Returns the entry.
    Raises: NotFound, and Conflict where waiting makes no sense.
    """
    now = uow.clock.now()
    found = await get_completing(uow, tenant, booking_id, session_id)
    facts = found.waits(await business_now(uow, tenant, now), now)
    against = why_nobody(facts, len(found.missing), terms_of(tenant, found.service), now)
    if against is not None:
        raise Conflict(guest_refusal(*against), code=f"waitlist_{against[0]}")
    order = found.order
    if not order.guest_email:
        raise Conflict(_("There is no e-mail address to write to. Please contact the business."))
    standing: UUID | None = await uow.session.scalar(
        select(WaitlistEntry.id).where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.for_booking_id == booking_id,
            WaitlistEntry.session_id == session_id,
            WaitlistEntry.state.in_(STANDS),
        )
    )
    if standing is not None:
        return standing
    entry = WaitlistEntry(
        tenant_id=uow.tenant,
        id=new_id(),
        session_id=session_id,
        for_booking_id=booking_id,
        address=order.guest_email,
        name=order.guest_name,
        locale=order.locale,
        party_size=len(found.missing),
        joined_at=now,
        queued_at=now,
        said={},
    )
    note_said(entry, [found.session])
    uow.session.add(entry)
    uow.record(WaitlistJoined(entry_id=entry.id, asked=0))
    return entry.id


async def wait_for_missing_of_order(
    uow: UnitOfWork, tenant: TenantSnapshot, order_id: UUID, session_id: UUID
) -> UUID:
    """`wait_for_missing` for who has the link of the order's booking."""
    booking_id = await uow.session.scalar(
        select(Booking.id).where(Booking.tenant_id == uow.tenant, Booking.order_id == order_id)
    )
    if booking_id is None:
        raise NotFound(_("There is no such booking."))
    return await wait_for_missing(uow, tenant, booking_id, session_id)


async def wait_for_missing_again(
    uow: UnitOfWork, tenant: TenantSnapshot, entry: WaitlistEntry
) -> UUID:
    """`wait_for_missing` for who has waited by this entry, which has ended."""
    found = (await completing_of(uow, tenant, [entry])).get(entry.id)
    if found is None or not found.is_needed:
        raise no_longer_missing()
    return await wait_for_missing(uow, tenant, found.booking.id, found.session.id)


async def command_of_offer(
    uow: UnitOfWork,
    entry_id: UUID,
    quoted_dates: str | None = None,
    quoted_minor: int | None = None,
) -> BookCommand:
    """The booking that takes the latest offer of an entry for a purchase, as its guest was shown
    it. The same whenever it is asked for: however often it is sent, it is booked once.

    Raises: NotFound where there is nothing to be taken.
    """
    entry = await get_entry(uow, entry_id)
    offer: WaitlistOffer | None = await uow.session.scalar(
        select(WaitlistOffer)
        .where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.entry_id == entry_id,
            WaitlistOffer.state.in_(["live", "taken"]),
        )
        .order_by(WaitlistOffer.made_at.desc(), WaitlistOffer.id.desc())
        .limit(1)
    )
    if offer is None or entry.for_booking_id is None or entry.session_id is None:
        raise NotFound(_("There is no such offer."))
    found = await uow.session.execute(
        select(Booking, Order)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(Booking.tenant_id == uow.tenant, Booking.id == entry.for_booking_id)
    )
    booking, order = found.one()
    if entry.address != order.guest_email:
        # It was corrected: the link went to the former one, which may be a stranger's.
        raise NotFound(_("There is no such offer."))
    return BookCommand(
        kind="session",
        subject_id=entry.session_id,
        party=("",),
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        guest_phone=order.guest_phone,
        form_token=f"completes-{offer.id}",
        consents=order.consents,
        quoted_dates=quoted_dates,
        quoted_minor=quoted_minor,
        locale=order.locale,
        customer_id=booking.customer_id,
        offer_id=offer.id,
        completes=booking.id,
    )
