"""What confirming, releasing and reacquiring mean for an order's seats.

Billing calls these with the order's row locked; seats are locked next, by (session, id), and
sessions after them, by id.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, any_, exists, func, select, update
from sqlalchemy.orm import aliased

from src.billing.domain.kinds import GIVEN_UP_WHY, RELEASED_WHY, OrderState
from src.billing.lines import Fate, LineKind, Undeliverable
from src.billing.models import Order
from src.booking.commands.claims import SeatsGone, claim_seats, give_back_seats
from src.booking.commands.hand_back import mark_handed_back
from src.booking.commands.seat_returns import mark_returned
from src.booking.commands.slots import SlotTaken, reopen_slots
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.kinds import By, SeatState, SessionState
from src.booking.domain.states import LIVE_SEATS, WAIVED_SEATS
from src.booking.events import HeldPlacesCancelled
from src.booking.guest_links import booking_path
from src.booking.models import Booking, Cancellation, Seat, Session
from src.booking.queries.fate import fate_of_seats
from src.booking.queries.held import is_told_until
from src.booking.queries.purchases import is_standing
from src.booking.queries.sold_now import (
    list_dates_sold_by_tier,
    list_dates_sold_now,
    list_sold_to_guest,
)
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

CHANGING_SECONDS = 5


class SeatLines(LineKind):
    """Lines of kinds `session` and `series`: both are nothing but seats."""

    async def list_undeliverable(self, uow: UnitOfWork, order: Order) -> Sequence[Undeliverable]:
        """Seats of sessions that are cancelled, or whose seats are being freed.

        One whose cancellation can still be undone is not: its seat is confirmed, and freed like
        any other if the cancellation goes on.
        """
        found = await uow.session.execute(
            select(Seat.id, Seat.share_minor)
            .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
            .where(
                Seat.tenant_id == uow.tenant,
                Seat.order_id == order.id,
                Seat.state == str(SeatState.HELD),
                _is_being_freed(uow.clock.now()),
            )
        )
        return [Undeliverable(row.id, row.share_minor) for row in found]

    async def is_being_cancelled(self, uow: UnitOfWork, order: Order) -> bool:
        """Seats of sessions that do not take place, or of a purchase that is being cancelled."""
        is_called_off = (Session.state != str(SessionState.SCHEDULED)) | _purchase_is_going()
        found = await uow.session.scalar(
            select(Seat.id)
            .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
            .where(
                Seat.tenant_id == uow.tenant,
                Seat.order_id == order.id,
                Seat.state == str(SeatState.HELD),
                is_called_off,
            )
            .limit(1)
        )
        return found is not None

    async def confirm(
        self, uow: UnitOfWork, order: Order, undeliverable: Sequence[Undeliverable], now: datetime
    ) -> None:
        seats = await lock_seats(uow, order.id, (SeatState.HELD,))
        ended = {part.part_id for part in undeliverable}
        kept = [seat.id for seat in seats if seat.id not in ended]
        lost = [seat for seat in seats if seat.id in ended]
        await _move(uow, kept, SeatState.CONFIRMED, "guest", "paid", now)
        await _move(uow, [s.id for s in lost], SeatState.CANCELLED, "system", "session", now)
        await mark_returned(uow, {seat.id: seat.share_minor for seat in lost})
        if lost:
            await wake_waitlists(uow, {seat.session_id for seat in lost})
            await uow.settle()
        await give_back_seats(uow, Counter(seat.session_id for seat in lost))

    async def release(self, uow: UnitOfWork, order: Order, why: str, now: datetime) -> None:
        """Whoever was mailed until when places are held hears that they are not, where a
        cancelling ends them, whatever the reason that was written down: the payment page's own end
        may be known before ours.
        """
        seats = await lock_seats(uow, order.id, (SeatState.HELD,))
        if is_told_until(order) and why not in (RELEASED_WHY, GIVEN_UP_WHY):
            await _tell_of_cancelled_hold(uow, order.id)
        await _move(uow, [seat.id for seat in seats], SeatState.EXPIRED, "system", why, now)
        # Who gives a hold up may be changing it, and takes its places again in a moment.
        delay = CHANGING_SECONDS if order.state == OrderState.CANCELLED else 0
        await wake_waitlists(uow, {seat.session_id for seat in seats}, delay_seconds=delay)
        await uow.settle()
        await give_back_seats(uow, Counter(seat.session_id for seat in seats))

    def waived_minor(self) -> ColumnElement[int]:
        """The shares of the order's seats that were cancelled in time, or by the business.

        Who had left late owes nothing either once the business has called the date off. A share
        that lies in a credit is still to be paid, unless a credit had paid it.
        """
        seat, session = aliased(Seat), aliased(Session)
        return (
            select(func.coalesce(func.sum(seat.share_minor), 0))
            .join(session, (session.tenant_id == seat.tenant_id) & (session.id == seat.session_id))
            .where(
                seat.tenant_id == Order.tenant_id,
                seat.order_id == Order.id,
                seat.state.in_([str(state) for state in WAIVED_SEATS])
                | (
                    (seat.state == str(SeatState.LATE_CANCELLED))
                    & (session.state == str(SessionState.CANCELLED))
                ),
                (seat.returned_as.is_distinct_from("credit")) | seat.credit_lot_id.is_not(None),
            )
            .correlate(Order)
            .scalar_subquery()
        )

    def stands(self) -> ColumnElement[bool]:
        """Asked for beside other seats as well, so that the table has another name here."""
        seat = aliased(Seat)
        return (
            exists()
            .where(
                seat.tenant_id == Order.tenant_id,
                seat.order_id == Order.id,
                is_standing(seat),
            )
            .correlate(Order)
        )

    async def fate(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Fate:
        return await fate_of_seats(uow, order_id, zone)

    async def starts_at(self, uow: UnitOfWork, order: Order) -> datetime | None:
        """The first date of what is held or taken."""
        found: datetime | None = await uow.session.scalar(
            select(func.min(Session.starts_at))
            .join(Seat, (Seat.tenant_id == Session.tenant_id) & (Seat.session_id == Session.id))
            .where(
                Session.tenant_id == uow.tenant,
                Seat.order_id == order.id,
                Seat.state.in_([str(state) for state in LIVE_SEATS]),
            )
        )
        return found

    def guest_path(self, settings: Settings, slug: str, order: Order) -> str:
        return booking_path(settings, slug, order)

    async def list_sold_now(
        self, uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
    ) -> Mapping[UUID, Sequence[str]]:
        return await list_dates_sold_now(uow, order_ids, tenant)

    async def list_sold_by_tier(
        self, uow: UnitOfWork, order_id: UUID, tenant: TenantSnapshot
    ) -> Mapping[str, Sequence[str]]:
        return await list_dates_sold_by_tier(uow, order_id, tenant)

    async def names(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Sequence[str]:
        return await list_sold_to_guest(uow, order_id, zone)

    async def note_handed_back(self, uow: UnitOfWork, subject_id: UUID, now: datetime) -> None:
        await mark_handed_back(uow, subject_id, now)

    async def reacquire(self, uow: UnitOfWork, order: Order, now: datetime) -> bool:
        """All of it or none. A session that has started meanwhile is still owed and still given.

        Raises: IntegrityError where somebody has a place in it by another booking.
        """
        seats = await lock_seats(uow, order.id, (SeatState.EXPIRED,))
        if not seats or await _purchase_is_cancelled(uow, seats[0].booking_id):
            return False
        per_session = Counter(seat.session_id for seat in seats)
        await _move(uow, [s.id for s in seats], SeatState.CONFIRMED, "guest", "paid late", now)
        try:
            await reopen_slots(uow, sorted(per_session))
            await claim_seats(
                uow, sorted(per_session), max(per_session.values()), earliest=order.created_at
            )
        except (SeatsGone, SlotTaken):
            return False
        return True


async def _tell_of_cancelled_hold(uow: UnitOfWork, order_id: UUID) -> None:
    found = await uow.session.execute(
        select(Cancellation.id, Seat.id)
        .select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(
            Cancellation,
            (Cancellation.tenant_id == Seat.tenant_id)
            & (
                (Cancellation.subject_id == Seat.session_id)
                | (Seat.session_id == any_(Cancellation.session_ids))
                | is_cancelled_by()
            ),
        )
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id == order_id,
            Seat.state == str(SeatState.HELD),
            Cancellation.state == "running",
            Cancellation.scope != "seats",
        )
    )
    rows = found.all()
    if rows:
        uow.record(
            HeldPlacesCancelled(
                order_id=order_id,
                cancellation_ids=sorted({cancellation_id for cancellation_id, _seat in rows}),
                seat_ids=sorted({seat_id for _cancellation, seat_id in rows}),
            )
        )


async def _purchase_is_cancelled(uow: UnitOfWork, booking_id: UUID) -> bool:
    """Whether staff have cancelled the purchase, or the one that it completes, and did not take it
    back in time.
    """
    found = await uow.session.scalar(
        select(Cancellation.id)
        .join(Booking, (Booking.tenant_id == Cancellation.tenant_id) & is_cancelled_by())
        .where(
            Cancellation.tenant_id == uow.tenant,
            Booking.id == booking_id,
            Cancellation.scope == "purchase",
            Cancellation.state.in_(["running", "done"]),
        )
        .limit(1)
    )
    return found is not None


def is_cancelled_by() -> ColumnElement[bool]:
    """Whether the cancelling of a purchase is that of the booking, or of the one it completes."""
    return Cancellation.subject_id.in_([Booking.id, Booking.completes_id])


async def lock_seats(
    uow: UnitOfWork, order_id: UUID, states: Sequence[SeatState]
) -> Sequence[Seat]:
    """The order's seats in those states, locked by (session, id)."""
    found = await uow.session.scalars(
        select(Seat)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id == order_id,
            Seat.state.in_([str(state) for state in states]),
        )
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


def _is_being_freed(now: datetime) -> ColumnElement[bool]:
    """Whether a cancellation that can no longer be undone reaches the seat: its session's, or its
    purchase's, which leaves what has started.
    """
    runs = exists().where(
        Cancellation.tenant_id == Seat.tenant_id,
        Cancellation.state == "running",
        Cancellation.scope != "seats",
    )
    session_is_off = (Session.state == str(SessionState.CANCELLED)) | (
        (Session.state == str(SessionState.CANCELLING))
        & runs.where(
            (Cancellation.subject_id == Session.id) | (Session.id == any_(Cancellation.session_ids))
        )
    )
    purchase_is_off = runs.where(
        Booking.tenant_id == Seat.tenant_id,
        Booking.id == Seat.booking_id,
        is_cancelled_by(),
    )
    return session_is_off | (purchase_is_off & (Session.starts_at > now))


def _purchase_is_going() -> ColumnElement[bool]:
    """Whether the seat's purchase is being cancelled, even where that can still be undone."""
    return exists().where(
        Cancellation.tenant_id == Seat.tenant_id,
        Cancellation.scope == "purchase",
        Cancellation.state.in_(["waiting", "running"]),
        Booking.tenant_id == Seat.tenant_id,
        Booking.id == Seat.booking_id,
        is_cancelled_by(),
    )


async def _move(
    uow: UnitOfWork,
    seat_ids: Sequence[UUID],
    state: SeatState,
    by: By,
    why: str,
    now: datetime,
) -> None:
    if not seat_ids:
        return
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
        .values(state=str(state), changed_at=now, changed_by=by, changed_why=why)
        .execution_options(synchronize_session=False)
    )
