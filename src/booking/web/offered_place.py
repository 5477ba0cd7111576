"""What the booking form makes of the link of somebody who was offered a place."""

from uuid import UUID

import msgspec

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.commands.waitlist_take import held_by_offer
from src.booking.domain.quotes import SubjectKind
from src.booking.models import WaitlistOffer
from src.booking.queries.waiting import find_live_offer, find_taken_offer, get_entry
from src.booking.waitlist_links import entry_behind
from src.platform.db.uow import UnitOfWork
from src.platform.errors import DomainError
from src.platform.services import Services
from src.tenants.context import RequestContext


class OfferedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """`held` is the live offer's, by session; `typed` is what is known of who was offered it. An
    offer that was taken holds nothing, and is handed on to the order that replaces the first;
    `taken_by` is that order while it stands.
    """

    offer_id: UUID | None = None
    taken_by: UUID | None = None
    held: dict[UUID, int] = msgspec.field(default_factory=dict)
    size: int = 1
    typed: dict[str, object] = msgspec.field(default_factory=dict)


NO_PLACE = OfferedPlace()


async def offered_place(
    services: Services, ctx: RequestContext, kind: SubjectKind, subject_id: UUID, token: str
) -> OfferedPlace:
    """A link that is broken, of something else or whose offer is over, books like no link at all:
    its own page says what became of the offer.
    """
    if not token:
        return NO_PLACE
    try:
        entry_id = entry_behind(services.settings, token, ctx.here.id, services.clock.now())
        async with services.uow_factory(ctx.here.id) as uow:
            entry = await get_entry(uow, entry_id)
            if subject_id != (entry.session_id if kind == "session" else entry.series_id):
                return NO_PLACE
            if entry.for_booking_id is not None:
                # Its price and its people are that booking's: its own page takes it.
                return NO_PLACE
            typed = {"name": entry.name, "email": entry.address, "size": entry.party_size}
            offer = await find_live_offer(uow, entry_id)
            if offer is None:
                taken = await find_taken_offer(uow, entry_id)
                if taken is None:
                    return OfferedPlace(typed=typed)
                taken_by = await _standing_order(uow, taken)
                return OfferedPlace(offer_id=taken.id, taken_by=taken_by, typed=typed)
            held = await held_by_offer(uow, offer.id)
            size = entry.party_size
            return OfferedPlace(offer_id=offer.id, held=held, size=size, typed=typed)
    except DomainError:
        return NO_PLACE


async def _standing_order(uow: UnitOfWork, offer: WaitlistOffer) -> UUID | None:
    if offer.order_id is None:
        return None
    order = await uow.session.get_one(Order, (uow.tenant, offer.order_id))
    return order.id if order.state in (OrderState.OPEN, OrderState.CONFIRMED) else None
