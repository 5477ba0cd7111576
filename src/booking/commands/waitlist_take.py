"""An offer of a waiting list becomes the hold, or the booking, of who was offered it.

In one statement the offer's places are given back and the booking's are taken: never both, never
neither. An offer that has ended meanwhile has none, and its guest books like anybody.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.commands.claims import claim_seats, turn_seats
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.quotes import Quote
from src.booking.domain.waiting import EntryState, OfferState
from src.booking.events import OfferFulfilled
from src.booking.models import WaitlistEntry, WaitlistOffer
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _


async def held_by_offer(uow: UnitOfWork, offer_id: UUID | None) -> dict[UUID, int]:
    """What the offer holds just now, by session; nothing without one, or once it has ended."""
    if offer_id is None:
        return {}
    offer = await uow.session.get(WaitlistOffer, (uow.tenant, offer_id))
    if offer is None or offer.expires_at < uow.clock.now():
        return {}
    return offer.held()


async def check_party(uow: UnitOfWork, offer_id: UUID | None, size: int) -> None:
    """An offer is for the people that its mail named; for more of them another one is made.

    Raises: Conflict.
    """
    if offer_id is None:
        return
    offer = await uow.session.get(WaitlistOffer, (uow.tenant, offer_id))
    if offer is not None and size > offer.places:
        raise Conflict(
            _("More of you lack this date by now. We look for places for all of you."),
            code="party_has_grown",
        )


async def claim_quoted(
    uow: UnitOfWork,
    quote: Quote,
    order_id: UUID,
    *,
    earliest: datetime,
    offer_id: UUID | None = None,
) -> None:
    """The last writes of a booking: its seats, in place of those of the offer that it takes up.

    Raises: SeatsGone.
    """
    held = {} if offer_id is None else await _take(uow, offer_id, order_id)
    series_id = quote.subject_id if quote.kind == "series" else None
    if held:
        wanted = dict.fromkeys(quote.session_ids, quote.party_size)
        unwanted = [one for one, places in held.items() if places > wanted.get(one, 0)]
        await wake_waitlists(uow, unwanted)
        await uow.settle()
        await turn_seats(uow, held, wanted, earliest=earliest, series_id=series_id)
        return
    await claim_seats(
        uow, sorted(quote.session_ids), quote.party_size, earliest=earliest, series_id=series_id
    )


async def _take(uow: UnitOfWork, offer_id: UUID, order_id: UUID) -> Mapping[UUID, int]:
    """Marks the live offer as taken by the order, its entry locked first. What it held."""
    now = uow.clock.now()
    entry_id = await uow.session.scalar(
        select(WaitlistEntry.id)
        .join(
            WaitlistOffer,
            (WaitlistOffer.tenant_id == WaitlistEntry.tenant_id)
            & (WaitlistOffer.entry_id == WaitlistEntry.id),
        )
        .where(WaitlistOffer.tenant_id == uow.tenant, WaitlistOffer.id == offer_id)
        .with_for_update(of=WaitlistEntry, key_share=True)
    )
    taken = await uow.session.execute(
        update(WaitlistOffer)
        .where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.id == offer_id,
            WaitlistOffer.state == str(OfferState.LIVE),
            WaitlistOffer.expires_at >= now,
        )
        .values(state=str(OfferState.TAKEN), ended_at=now, order_id=order_id)
        .returning(WaitlistOffer.session_ids, WaitlistOffer.places, WaitlistOffer.holds)
        .execution_options(synchronize_session=False)
    )
    row = taken.one_or_none()
    if row is None:
        await _hand_on(uow, offer_id, order_id)
        return {}
    await uow.session.execute(
        update(WaitlistEntry)
        .where(WaitlistEntry.tenant_id == uow.tenant, WaitlistEntry.id == entry_id)
        .values(state=str(EntryState.ACCEPTED), ended_at=now, ended_by="guest")
        .execution_options(synchronize_session=False)
    )
    return dict.fromkeys(row.session_ids, row.places) if row.holds else {}


async def _hand_on(uow: UnitOfWork, offer_id: UUID, order_id: UUID) -> None:
    """The guest who took the offer changed the form: the order that replaces the one they gave up
    stands for it. One that is held or confirmed keeps it.
    """
    stands = exists().where(
        Order.tenant_id == WaitlistOffer.tenant_id,
        Order.id == WaitlistOffer.order_id,
        Order.state.in_([str(OrderState.OPEN), str(OrderState.CONFIRMED)]),
    )
    await uow.session.execute(
        update(WaitlistOffer)
        .where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.id == offer_id,
            WaitlistOffer.state == str(OfferState.TAKEN),
            ~stands,
        )
        .values(order_id=order_id)
        .execution_options(synchronize_session=False)
    )


async def note_fulfilled(uow: UnitOfWork, order_ids: Sequence[UUID]) -> None:
    """Of these confirmed orders, those that were offers free their guests from other lists."""
    found = await uow.session.scalars(
        select(WaitlistOffer.order_id).where(
            WaitlistOffer.tenant_id == uow.tenant, WaitlistOffer.order_id.in_(order_ids)
        )
    )
    for order_id in found:
        if order_id is not None:
            uow.record(OfferFulfilled(order_id=order_id))
