"""Swapping a place for one of another course: the credit it brings pays the new one at once.

Everything that leaving, getting a credit and spending it would do happens in one transaction, so
that nobody is ever without a place, and the new one carries what the credit would: left in time, it
gives the same credit back, with the end it had.
Source: docs/algorithms/refund-policies.md.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, select, update

from src.billing.commands.credits import (
    GUEST,
    Author,
    claim_credits,
    give_back_credits,
    insert_redemptions,
    insert_restorations,
)
from src.billing.commands.orders import NewOrder, insert_order, lock_order
from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.commands.book_checks import lines_of
from src.booking.commands.book_rows import insert_booking
from src.booking.commands.claims import SeatsGone, exchange_seats
from src.booking.commands.exchange import MoveSeats, earliest_start, new_seat_row
from src.booking.commands.leave import lock_own_seats
from src.booking.commands.seat_credits import insert_seat_credits
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.exchange import no_room
from src.booking.domain.kinds import SeatState
from src.booking.domain.quotes import PaidByCredits, Quote
from src.booking.domain.reasons import Reason, guest_sentence
from src.booking.errors import DatesChanged
from src.booking.events import SWAP, SeatsMoved
from src.booking.models import Seat
from src.booking.queries.handing_on import who_sits_after
from src.booking.queries.offer_facts import quote_of_session
from src.booking.queries.offers import SessionOffer, get_session_offer
from src.booking.queries.sold_terms import find_sold_terms
from src.booking.queries.swap_facts import (
    Swapped,
    against_coming,
    against_giving_up,
    find_swapped,
    find_who_is_there,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext, TenantSnapshot

SEATS = cast(Table, Seat.__table__)


class NotSwappable(Conflict):
    """A place cannot be swapped; `reasons` say why and how to mend it."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(guest_sentence(reasons), code=str(reasons[0].code))
        self.reasons = tuple(reasons)


class SwapDone(msgspec.Struct, frozen=True, kw_only=True):
    """The order that the new places are of, and their ids."""

    order_id: UUID
    seat_ids: list[UUID]


async def swap_seats(
    uow: UnitOfWork, tenant: TenantSnapshot, cmd: MoveSeats, author: Author = GUEST
) -> SwapDone:
    """Swaps all of the seats or none. Counts no booking of the month.

    Sent again it changes nothing, and returns the same. Whoever calls it for staff has checked
    their role, and says with `author` who it was.
    Raises: NotFound, NotSwappable, DatesChanged when the session was moved since it was shown.
    """
    order = await lock_order(uow, cmd.order_id)
    own = await lock_own_seats(uow, cmd.order_id, cmd.seat_ids)
    if not own or {one.seat.id for one in own} != set(cmd.seat_ids):
        raise NotFound(_("There is no such booking."))
    if done := await _swapped_before(uow, cmd):
        return done
    offer = await get_session_offer(uow, cmd.session_id)
    swapped = await find_swapped(uow, tenant, own)
    reasons = await why_not_swap_for(uow, tenant, swapped, offer, cmd)
    if reasons:
        raise NotSwappable(reasons)
    if cmd.seen_sequence not in (None, offer.session.sequence):
        raise DatesChanged(_("That date has just changed. Please look at it again."))
    return await _swap(uow, tenant, order, swapped, offer, cmd, author)


async def swap_by_staff(uow: UnitOfWork, ctx: RequestContext, cmd: MoveSeats) -> SwapDone:
    """`swap_seats`, with who did it in the log, once. Raises: what that raises."""
    booking_id = await uow.session.scalar(
        select(Seat.booking_id).where(Seat.tenant_id == uow.tenant, Seat.id == cmd.seat_ids[0])
    )
    if booking_id is not None and await _swapped_before(uow, cmd) is None:
        said = {"session": str(cmd.session_id), "seats": sorted(map(str, cmd.seat_ids))}
        await audit(uow, ctx, "booking.seat_swapped", "booking", booking_id, **said)
    return await swap_seats(uow, ctx.here, cmd, Author.of_staff(ctx.actor, cmd.why))


async def why_not_swap_for(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    swapped: Sequence[Swapped],
    offer: SessionOffer,
    cmd: MoveSeats,
) -> list[Reason]:
    """Every reason against, of the places given up and then of the date."""
    now = uow.clock.now()
    reasons = against_giving_up(tenant, swapped, now, cmd.by)
    if reasons:
        return reasons
    own = [one.own for one in swapped]
    is_there = bool(await find_who_is_there(uow, own, [offer.session.id]))
    return against_coming(tenant, swapped, offer, now, is_there=is_there, by=cmd.by)


async def _swap(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    order: Order,
    swapped: Sequence[Swapped],
    offer: SessionOffer,
    cmd: MoveSeats,
    author: Author,
) -> SwapDone:
    now = uow.clock.now()
    new = [one.new for one in swapped if one.new is not None]
    lot_of = insert_seat_credits(uow, new, order.currency, author)
    lot_of |= {one.own.seat.id: lot for one in swapped if (lot := one.own.seat.credit_lot_id)}
    quote = await _quote(uow, tenant, offer, swapped, lot_of)
    made = await insert_order(uow, _order(tenant, order, quote, offer, cmd), month=None, now=now)
    said = {"answers": [], "person_answers": {}, "note": ""}
    booking_id = insert_booking(uow, quote, made, said, None, now)
    sits = await who_sits_after(uow, [one.own.seat for one in swapped])
    rows = [
        {
            **new_seat_row(uow, tenant, one.own, sits[one.own.seat.id], offer.session, cmd),
            **_by_credit(made.id, booking_id, lot_of[one.own.seat.id]),
        }
        for one in swapped
    ]
    uow.insert(SEATS, rows)
    given_back = _write_ledger(uow, order, made, swapped, rows, author, now)
    await _mark(uow, cmd)
    seat_ids = [cast(UUID, row["id"]) for row in rows]
    uow.record(SeatsMoved(order_id=made.id, seat_ids=seat_ids, by=cmd.by, why=cmd.why))
    freed = Counter(one.own.seat.session_id for one in swapped)
    await wake_waitlists(uow, freed)
    await uow.settle()
    try:
        earliest = earliest_start(uow, offer, cmd)
        await exchange_seats(uow, freed, cmd.session_id, earliest=earliest)
    except SeatsGone:
        raise NotSwappable([no_room()]) from None
    await give_back_credits(uow, given_back)
    needed_until = max(now, offer.session.starts_at)
    for lot_id, count in sorted(Counter(lot_of.values()).items()):
        await claim_credits(uow, lot_id, order.customer_id, count, needed_until=needed_until)
    return SwapDone(order_id=made.id, seat_ids=seat_ids)


async def _quote(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    offer: SessionOffer,
    swapped: Sequence[Swapped],
    lot_of: dict[UUID, UUID],
) -> Quote:
    """The date for credits, under the terms that it is sold under to whoever pays with one."""
    first = swapped[0]
    name = first.lot.name if first.lot is not None else ""
    paid = PaidByCredits(lot_of[first.own.seat.id], name, 1, is_given_back=True)
    quote = quote_of_session(offer, len(swapped)).by_credits(paid)
    sold = await find_sold_terms(uow, tenant, offer.service, offer.series)
    return sold.quoted(quote)


def _order(
    tenant: TenantSnapshot, order: Order, quote: Quote, offer: SessionOffer, cmd: MoveSeats
) -> NewOrder:
    """For the same guest; nobody else's form can have made it."""
    token = f"swap:{min(cmd.seat_ids)}"
    return NewOrder(
        order_id=new_id(),
        customer_id=order.customer_id,
        payment_mode=PaymentMode.CREDIT,
        currency=order.currency,
        lines=lines_of(quote, tenant, offer.session.starts_at),
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        guest_phone=order.guest_phone,
        form_token=token,
        fingerprint=token,
        source=SWAP,
        locale=order.locale,
    )


def _by_credit(order_id: UUID, booking_id: UUID, lot_id: UUID) -> dict[str, Any]:
    """What a new seat has of the new order, and not of the seat whose place it takes."""
    return {
        "order_id": order_id,
        "booking_id": booking_id,
        "share_minor": 0,
        "tier": "",
        "credit_lot_id": lot_id,
        "most_percent": 100,
        "may_leave_free": False,
    }


def _write_ledger(
    uow: UnitOfWork,
    order: Order,
    made: Order,
    swapped: Sequence[Swapped],
    rows: Sequence[dict[str, Any]],
    author: Author,
    now: datetime,
) -> Counter[UUID]:
    """Each old place that a credit paid gives it back, and each new one takes one. Returns how many
    go back to which lot.
    """
    given_back: Counter[UUID] = Counter()
    for one, row in zip(swapped, rows, strict=True):
        paid_by = one.own.seat.credit_lot_id
        if paid_by is not None:
            insert_restorations(uow, {paid_by: [one.own.seat.id]}, order.id, author, now)
            given_back[paid_by] += 1
        insert_redemptions(uow, row["credit_lot_id"], [row["id"]], made.id, author, now)
    return given_back


async def _mark(uow: UnitOfWork, cmd: MoveSeats) -> None:
    """Their shares stay on them: what came back of each is the credit that pays the new place."""
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(cmd.seat_ids))
        .values(
            state=str(SeatState.SWAPPED),
            returned_as="credit",
            changed_at=uow.clock.now(),
            changed_by=cmd.by,
            changed_why=cmd.why,
        )
        .execution_options(synchronize_session=False)
    )


async def _swapped_before(uow: UnitOfWork, cmd: MoveSeats) -> SwapDone | None:
    """The places that took these ones' in the session already, all of them."""
    found = await uow.session.execute(
        select(Seat.id, Seat.order_id)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.replaces_id.in_(cmd.seat_ids),
            Seat.session_id == cmd.session_id,
        )
        .order_by(Seat.id)
    )
    rows = found.all()
    if len(rows) != len(set(cmd.seat_ids)) or not rows:
        return None
    return SwapDone(order_id=rows[0][1], seat_ids=[row[0] for row in rows])
