"""The rows of a booking and its seats, which nobody else waits for."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table

from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import Order
from src.booking.domain.gaps import gaps_of
from src.booking.domain.kinds import By, SeatState
from src.booking.domain.quotes import Quote
from src.booking.events import PaymentLinkPromised
from src.booking.models import Booking, Seat
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

BOOKINGS = cast(Table, Booking.__table__)
SEATS = cast(Table, Seat.__table__)


def insert_booking(
    uow: UnitOfWork,
    quote: Quote,
    order: Order,
    said: dict[str, Any],
    completes: UUID | None,
    now: datetime,
) -> UUID:
    """The booking of what is quoted, with the dates that it leaves out, and `said`, the columns of
    its answers and its note. `completes` is the one that it completes. Returns its id.
    """
    booking_id = new_id()
    is_series = quote.kind == "series"
    row = {
        "tenant_id": uow.tenant,
        "id": booking_id,
        "order_id": order.id,
        "customer_id": order.customer_id,
        "service_id": quote.service_id,
        "series_id": quote.subject_id if is_series else None,
        "session_id": None if is_series else quote.subject_id,
        "party_size": quote.party_size,
        **said,
        "leaving": quote.leaving.document(),
        "gaps": gaps_of(quote).document(),
        "completes_id": completes,
        "created_at": now,
    }
    uow.insert(BOOKINGS, [row])
    return booking_id


async def note_staff(
    uow: UnitOfWork, ctx: RequestContext, order: Order, booking_id: UUID, quote: Quote
) -> None:
    """Who booked, in the log; a held booking's guest gets the link by mail."""
    detail = {"title": quote.description, "booking": str(booking_id)}
    await audit(uow, ctx, "customer.booked", "customer", order.customer_id, **detail)
    if order.state == OrderState.OPEN and order.payment_mode == PaymentMode.ONLINE:
        uow.record(PaymentLinkPromised(order_id=order.id))


def insert_seats(
    uow: UnitOfWork,
    quote: Quote,
    order: Order,
    booking_id: UUID,
    participant_ids: list[UUID],
    now: datetime,
    by: By,
) -> list[UUID]:
    """One seat per session and participant, each with its share of the total, in that order.

    Returns their ids.
    """
    state = SeatState.HELD if order.state == OrderState.OPEN else SeatState.CONFIRMED
    runs = zip(quote.session_ids, quote.sequences, strict=True)
    tiers = [person.tier for person in quote.party]
    people = list(zip(participant_ids, tiers, strict=True))
    places = [(*run, *person) for run in runs for person in people]
    lots: list[UUID] | list[None] = [None] * len(places)
    if quote.credits is not None:
        lots = quote.credits.lots_of_seats(len(places))
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": uow.tenant,
            "id": new_id(),
            "booking_id": booking_id,
            "order_id": order.id,
            "session_id": session_id,
            "participant_id": participant_id,
            "state": str(state),
            "share_minor": share,
            "tier": tier,
            "returned_as": None,
            "returned_minor": 0,
            "sequence": 0,
            "sold_sequence": sequence,
            "told_sequence": sequence,
            "replaces_id": None,
            "calendar_id": None,
            "credit_lot_id": lot_id,
            "most_percent": 100,
            "changed_at": now,
            "changed_by": by,
            "changed_why": "",
        }
        for (session_id, sequence, participant_id, tier), share, lot_id in zip(
            places, quote.shares_minor(), lots, strict=True
        )
    ]
    uow.insert(SEATS, rows)
    return [row["id"] for row in rows]
