"""Carrying out a cancellation: in chunks of customers, safe to run again at any point.

Each chunk is one transaction: seats are freed, their customers' events recorded and the progress
moved on together, so a killed worker repeats at most a chunk that left no trace. Seats that are
taken come first, checked-in ones among them, since they need nobody else. The holds follow: their
payment pages are expired at the processor, outside of any transaction, for as long as a run may
wait for it.
Source: docs/algorithms/cancelling.md.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

import structlog
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    select,
    update,
)

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.billing.settlement import expire_pages_for_orders
from src.booking.commands.cancel import CANCELLABLE, TAKEN, stopped_sessions
from src.booking.commands.cancel_marks import release_seats
from src.booking.commands.claims import give_back_seats
from src.booking.commands.holds import is_cancelled_by
from src.booking.commands.lapsed_credits import bring_back
from src.booking.commands.series_dates import lock_dates
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.states import sources_of
from src.booking.events import CancellationRequested, SeatsCancelled, SessionCancelled
from src.booking.jobs.cancel_credits import give_credits
from src.booking.jobs.cancel_fees import drop_fees_of_missed
from src.booking.jobs.cancel_money import Taken, give_money_back
from src.booking.jobs.cancel_revoke import revoke_credits
from src.booking.models import Booking, Cancellation, Seat, Session
from src.booking.queries.purchases import of_purchase, still_to_come
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.tenants.models import PerformerBusy

CHUNK_CUSTOMERS = 250
HOLDS_AT_ONCE = 10
RUN_SECONDS = 8
HOLDS_SECONDS = 8
WAIT_FOR_HOLDS_SECONDS = 15

log = structlog.get_logger(__name__)
_IDS = ARRAY(Uuid())


async def carry_out_cancellation(job: JobContext, event: CancellationRequested) -> None:
    """Frees seats, then closes holds, each for some seconds; hands the rest to its next run.

    A run ends well within a lease, however long the processor takes to answer. The next one is due
    since before this one began: seats are not to wait behind the mails about those that are free.
    """
    cancellation = await _begin(job, event.cancellation_id)
    if cancellation is None:
        async with job.unit_of_work(done=True):
            return
    began_at, freed = job.clock.now(), False
    while not freed:
        async with job.unit_of_work() as uow:
            freed = not await _free_chunk(uow, cancellation)
        if job.clock.now() >= began_at + timedelta(seconds=RUN_SECONDS):
            break
    if freed:
        await _close_holds(job, cancellation)
        async with job.unit_of_work() as uow:
            await revoke_credits(uow, cancellation)
    async with job.unit_of_work(done=True) as uow:
        if not (freed and await _finish(uow, cancellation)):
            now = uow.clock.now()
            has_more = await _next_customers(uow, cancellation, now)
            before_this = -1 - ceil((now - began_at).total_seconds())
            uow.record(event, delay_seconds=before_this if has_more else WAIT_FOR_HOLDS_SECONDS)


async def _begin(job: JobContext, cancellation_id: UUID) -> Cancellation | None:
    """The cancellation, now running; None when it was undone or is done already."""
    async with job.unit_of_work() as uow:
        await _wait_for_late_payment(uow, cancellation_id)
        begun = await uow.session.execute(
            update(Cancellation)
            .where(
                Cancellation.tenant_id == uow.tenant,
                Cancellation.id == cancellation_id,
                Cancellation.state.in_(["waiting", "running"]),
            )
            .values(state="running")
            .returning(Cancellation)
        )
        return begun.scalar_one_or_none()


async def _wait_for_late_payment(uow: UnitOfWork, cancellation_id: UUID) -> None:
    """Whoever brings a purchase back, or what completes it, holds its order: they are through, or
    see it cancelled.
    """
    bought = (
        select(Booking.order_id)
        .join(Cancellation, (Cancellation.tenant_id == Booking.tenant_id) & is_cancelled_by())
        .where(Cancellation.tenant_id == uow.tenant, Cancellation.id == cancellation_id)
    )
    await uow.session.execute(
        select(Order.id)
        .where(Order.tenant_id == uow.tenant, Order.id.in_(bought))
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )


async def _close_holds(job: JobContext, cancellation: Cancellation) -> None:
    """Expires the payment pages of orders in checkout; one that turns out paid is confirmed.

    A confirmed order's other seats stay; this session's share goes back, since its state says so.
    Each is tried once, several side by side; what takes too long is left for the next run.
    """
    tried: list[UUID] = []
    try:
        async with asyncio.timeout(HOLDS_SECONDS):
            while order_ids := await _open_orders(job, cancellation, tried):
                tried += order_ids
                await asyncio.gather(
                    *(
                        expire_pages_for_orders(job.services, job.tenant_id, [one])
                        for one in order_ids
                    )
                )
    except TimeoutError:
        log.warning("holds_not_closed_in_time", cancellation_id=str(cancellation.id))


async def _open_orders(
    job: JobContext, cancellation: Cancellation, tried: Sequence[UUID]
) -> Sequence[UUID]:
    """The next orders in checkout that this run has not tried."""
    async with job.unit_of_work() as uow:
        found = await uow.session.scalars(
            select(Seat.order_id)
            .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
            .where(
                Seat.tenant_id == uow.tenant,
                _in_scope(cancellation),
                Seat.state == str(SeatState.HELD),
                Seat.order_id.not_in(tried),
                Order.state == str(OrderState.OPEN),
            )
            .distinct()
            .limit(HOLDS_AT_ONCE)
        )
        return found.all()


def _in_scope(cancellation: Cancellation) -> ColumnElement[bool]:
    match cancellation.scope:
        case "session":
            return Seat.session_id == cancellation.subject_id
        case "series" | "dates":
            stopped = bindparam(None, cancellation.session_ids, type_=_IDS)
            return Seat.session_id == any_(stopped)
        case "seats":
            return Seat.cancellation_id == cancellation.id
        case _:
            return of_purchase(cancellation.subject_id)


async def _free_chunk(uow: UnitOfWork, cancellation: Cancellation) -> bool:
    """Frees the seats of the next customers; False when there is none left.

    Those that another run has freed meanwhile are its own: they are neither told nor counted again.
    """
    now = uow.clock.now()
    customers = await _next_customers(uow, cancellation, now)
    if not customers:
        return False
    seats = await _lock_seats(uow, cancellation, customers, now)
    if not seats:
        return True
    await _mark_cancelled(uow, cancellation, seats, now)
    await give_money_back(uow, cancellation, seats)
    coming = await give_credits(uow, cancellation, seats)
    _tell(uow, cancellation, seats)
    await _progress(uow, cancellation, seats)
    if not stopped_sessions(cancellation):
        await wake_waitlists(uow, {seat.session_id for seat in seats})
    await uow.settle()
    await give_back_seats(uow, Counter(seat.session_id for seat in seats))
    await bring_back(uow, coming)
    return True


async def _next_customers(
    uow: UnitOfWork, cancellation: Cancellation, now: datetime
) -> Sequence[UUID]:
    found = await uow.session.scalars(
        select(Booking.customer_id)
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            _in_scope(cancellation),
            Seat.state.in_(TAKEN),
            *_not_started(cancellation, now),
        )
        .distinct()
        .order_by(Booking.customer_id)
        .limit(CHUNK_CUSTOMERS)
    )
    return found.all()


def _not_started(cancellation: Cancellation, now: datetime) -> list[ColumnElement[bool]]:
    """A purchase loses only what has not begun and nobody is ticked for; the cancelling of dates
    reaches all of them, and that of seats those that were asked for in time.
    """
    return still_to_come(now) if cancellation.scope == "purchase" else []


async def _lock_seats(
    uow: UnitOfWork, cancellation: Cancellation, customers: Sequence[UUID], now: datetime
) -> list[Taken]:
    """The customers' seats; orders are locked by id first, then the seats."""
    theirs = Booking.customer_id == any_(bindparam(None, customers, type_=_IDS))
    # Looked up apart: within the lock's own statement a server that has not yet counted the rows of
    # a course just sold goes through all of its seats again for each of the orders.
    order_ids = await uow.session.scalars(
        select(Booking.order_id)
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .where(
            Booking.tenant_id == uow.tenant,
            theirs,
            _in_scope(cancellation),
        )
        .distinct()
    )
    await uow.session.execute(
        select(Order.id)
        .where(
            Order.tenant_id == uow.tenant,
            Order.id == any_(bindparam(None, list(order_ids), type_=_IDS)),
        )
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )
    found = await uow.session.execute(
        select(
            Seat.id,
            Seat.session_id,
            Seat.order_id,
            Seat.share_minor,
            Booking.customer_id,
            Seat.credit_lot_id,
        )
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            theirs,
            _in_scope(cancellation),
            Seat.state.in_(TAKEN),
            *_not_started(cancellation, now),
        )
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(of=Seat, key_share=True)
    )
    return [Taken(*row) for row in found]


async def _mark_cancelled(
    uow: UnitOfWork,
    cancellation: Cancellation,
    seats: Sequence[Taken],
    now: datetime,
) -> None:
    seat_ids = bindparam(None, [seat.id for seat in seats], type_=_IDS)
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id == any_(seat_ids))
        .values(
            state=str(SeatState.CANCELLED),
            sequence=Seat.sequence + 1,
            changed_at=now,
            changed_by="staff",
            changed_why=cancellation.reason,
            # Whatever it was marked for: this is what freed it, and where its history leads.
            cancellation_id=cancellation.id,
        )
        .execution_options(synchronize_session=False)
    )


def _tell(uow: UnitOfWork, cancellation: Cancellation, seats: Sequence[Taken]) -> None:
    """One event, and so one mail, per customer, however many seats and orders it is."""
    by_customer: dict[UUID, list[UUID]] = defaultdict(list)
    for seat in seats:
        by_customer[seat.customer_id].append(seat.id)
    for customer_id, seat_ids in by_customer.items():
        uow.record(
            SeatsCancelled(
                cancellation_id=cancellation.id, customer_id=customer_id, seat_ids=seat_ids
            )
        )


async def _progress(uow: UnitOfWork, cancellation: Cancellation, seats: Sequence[Taken]) -> None:
    """Who paid after the request was not in the total, and is added to it when reached."""
    done = Cancellation.done + len({seat.customer_id for seat in seats})
    await uow.session.execute(
        update(Cancellation)
        .where(Cancellation.tenant_id == uow.tenant, Cancellation.id == cancellation.id)
        .values(
            done=done,
            total=func.greatest(Cancellation.total, done),
            seats_freed=Cancellation.seats_freed + len(seats),
        )
        .execution_options(synchronize_session=False)
    )


async def _finish(uow: UnitOfWork, cancellation: Cancellation) -> bool:
    """Ends the cancellation when no live seat is left; False while a hold is still undecided.

    Whom another cancellation was faster with is in its total no more. A purchase's seats that have
    begun meanwhile stay, and are free to be ticked.
    """
    if await _live_seats(uow, cancellation):
        return False
    now = uow.clock.now()
    if cancellation.scope == "purchase":
        await release_seats(uow, cancellation.id)
    await uow.session.execute(
        update(Cancellation)
        .where(Cancellation.tenant_id == uow.tenant, Cancellation.id == cancellation.id)
        .values(state="done", finished_at=now, total=Cancellation.done)
        .execution_options(synchronize_session=False)
    )
    stopped = stopped_sessions(cancellation)
    if stopped:
        await _close_sessions(uow, stopped, now)
    return True


async def _live_seats(uow: UnitOfWork, cancellation: Cancellation) -> int:
    """Holds, and seats that a payment confirmed while the job ran."""
    statement = (
        select(func.count())
        .select_from(Seat)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            _in_scope(cancellation),
            Seat.state.in_(CANCELLABLE),
            *_not_started(cancellation, uow.clock.now()),
        )
    )
    return await uow.session.scalar(statement) or 0


async def _close_sessions(uow: UnitOfWork, session_ids: set[UUID], now: datetime) -> None:
    """Their performers are free again, and the sessions are what they say they are."""
    await uow.session.execute(
        delete(PerformerBusy).where(
            PerformerBusy.tenant_id == uow.tenant,
            PerformerBusy.source == "session",
            PerformerBusy.source_id.in_(session_ids),
        )
    )
    for session_id in sorted(session_ids):
        uow.record(SessionCancelled(session_id=session_id))
    await drop_fees_of_missed(uow, session_ids)
    await uow.settle()
    await lock_dates(uow, session_ids)
    await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(session_ids),
            Session.state.in_(sources_of(SessionState.CANCELLED)),
        )
        .values(state=str(SessionState.CANCELLED), cancelled_at=now, sequence=Session.sequence + 1)
        .execution_options(synchronize_session=False)
    )
