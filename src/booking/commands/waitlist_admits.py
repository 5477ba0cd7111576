"""Whether an offer of a waiting list lets its guest have what is kept for established customers."""

from uuid import UUID

from sqlalchemy import select

from src.booking.commands.waitlist_take import held_by_offer
from src.booking.models import WaitlistEntry, WaitlistOffer
from src.platform.db.uow import UnitOfWork
from src.tenants.queries.established import established_among


async def is_offered_to(uow: UnitOfWork, offer_id: UUID | None) -> bool:
    """Whether what is kept for established customers may be had by the offer: one that holds places
    stands, whoever has it, and any other is made to established customers.
    """
    if offer_id is None:
        return False
    if await held_by_offer(uow, offer_id):
        return True
    address = await uow.session.scalar(
        select(WaitlistEntry.address)
        .join(
            WaitlistOffer,
            (WaitlistOffer.tenant_id == WaitlistEntry.tenant_id)
            & (WaitlistOffer.entry_id == WaitlistEntry.id),
        )
        .where(WaitlistOffer.tenant_id == uow.tenant, WaitlistOffer.id == offer_id)
    )
    return address is not None and bool(await established_among(uow, {address}))
