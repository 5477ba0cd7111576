"""Seats that their guest leaves before their session.

Orders are locked first, then seats by (session, id). What comes back of a seat's share is written
on the seat and asked for as a refund in the same transaction; the session's places are freed last.
Source: docs/algorithms/leaving.md.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, update

from src.billing.commands.credits import GUEST
from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import FeeKind
from src.billing.models import Order
from src.billing.queries.refundable import list_refundable_minor
from src.billing.queries.unreturned import list_unreturned_minor
from src.booking.commands.ask_fees import Missed, ask_of
from src.booking.commands.claims import give_back_seats
from src.booking.commands.credit_returns import return_credits
from src.booking.commands.lapsed_credits import ComingBack, bring_back, find_lapsed
from src.booking.commands.leave_money import CameBack, give_back
from src.booking.commands.seat_credits import (
    Place,
    SeatCredit,
    insert_seat_credits,
    mark_credited,
    place_of,
    plan_credits,
)
from src.booking.commands.seat_returns import spread
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.leaving import (
    LeavingFacts,
    amount_back_minor,
    gives_credit,
    gives_own_credit_back,
    is_late,
    late_fee_minor,
    percent_back,
    terms_from,
    why_not_leave,
)
from src.booking.domain.moves import may_leave_free_because_moved
from src.booking.domain.reasons import Reason, guest_sentence
from src.booking.events import SeatsLeft
from src.booking.models import Booking, Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot


class NotLeavable(Conflict):
    """A seat cannot be left by its guest; `reasons` say why and how to mend it."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(guest_sentence(reasons), code=str(reasons[0].code))
        self.reasons = tuple(reasons)


class LessComesBack(Conflict):
    """A deadline passed, or money went back, between the page that promised an amount and its being
    sent.
    """

    code = "less_comes_back"

    def __init__(self) -> None:
        super().__init__(_("Less comes back by now. Please look again before you cancel."))


class FeeIsAsked(Conflict):
    """A deadline passed between a page that told of no fee and its being sent."""

    code = "fee_is_asked"

    def __init__(self) -> None:
        super().__init__(_("By now a fee is asked. Please look again before you cancel."))


@dataclass(frozen=True, slots=True)
class Promised:
    """What a guest was told comes back, minor units: for each seat alone, and at most together; and
    for which seats a credit does. `fee_minor` is what they were told is asked of them, None where
    nobody was told.
    """

    by_seat: Mapping[UUID, int]
    most_minor: int
    credits: frozenset[UUID] = frozenset()
    fee_minor: int | None = None


@dataclass(frozen=True, slots=True)
class OwnSeat:
    """A seat with what its rules need, its row locked."""

    seat: Seat
    session: Session
    booking: Booking


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a seat ends, what of its share comes back as money, and what fee is asked, minor units.

    The credit that paid it goes back to the lot `lot_id`, or where the business moved the date past
    its end, as a new one; with a `place` a new one is given for it.
    """

    own: OwnSeat
    state: SeatState
    back_minor: int = 0
    fee_minor: int = 0
    lot_id: UUID | None = None
    is_penalty_free: bool = False
    place: Place | None = None

    @property
    def seat(self) -> Seat:
        return self.own.seat


async def leave_dates(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    order_id: UUID,
    seat_ids: Sequence[UUID],
    promised: Promised | None = None,
    *,
    session_id: UUID | None = None,
) -> CameBack:
    """A guest leaves some of their own seats; late too, which frees them and returns nothing.

    Works whatever the tenant's plan or status is. Seats left before are passed over, so that a
    second press changes nothing. `promised` is what the guest was told: where less
    would come back by now, nothing is done. With `session_id` they are seats of that date.
    Returns what comes back.
    Raises: NotFound for a seat of another order or date, NotLeavable, LessComesBack.
    """
    order = await lock_order(uow, order_id)
    own = await lock_own_seats(uow, order_id, seat_ids)
    if {one.seat.id for one in own} != set(seat_ids):
        raise NotFound(_("There is no such booking."))
    if session_id is not None and any(one.session.id != session_id for one in own):
        raise NotFound(_("There is no such date in this booking."))
    left = {str(SeatState.CANCELLED), str(SeatState.LATE_CANCELLED)}
    standing = [one for one in own if one.seat.state not in left]
    endings = [_guests_ending(uow, tenant, one) for one in standing]
    return await _end_seats(uow, tenant, order, endings, promised or Promised({}, 0))


async def leave_course(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    order_id: UUID,
    promised: Promised | None = None,
) -> CameBack:
    """A guest leaves every date of their course that is still to come, each by its terms.

    A second press finds none left. Returns what comes back.
    Raises: NotLeavable where the terms do not allow it, LessComesBack.
    """
    order = await lock_order(uow, order_id)
    own = await lock_own_seats(uow, order_id)
    coming = [one for one in own if is_still_coming(one, uow.clock.now())]
    endings = [_guests_ending(uow, tenant, one, is_whole_course=True) for one in coming]
    return await _end_seats(uow, tenant, order, endings, promised or Promised({}, 0))


def is_still_coming(own: OwnSeat, now: datetime) -> bool:
    """Whether the seat stands and its session can still be left."""
    is_on = own.session.state == SessionState.SCHEDULED and now <= own.session.starts_at
    return own.seat.state == SeatState.CONFIRMED and is_on


async def _check_promise(
    uow: UnitOfWork,
    order_id: UUID,
    endings: Sequence[Ending],
    new: Sequence[SeatCredit],
    promised: Promised,
) -> None:
    """Seat by seat, and all of it: the business may have given money back meanwhile. Whether
    anything still pays for a credit is known only once its lot is locked, at the very end.

    Raises: LessComesBack, FeeIsAsked.
    """
    credited = {one.seat.id for one in endings if one.lot_id is not None}
    credited |= {credit.place.seat_id for credit in new}
    if not promised.credits.intersection(ending.seat.id for ending in endings) <= credited:
        raise LessComesBack
    fees_minor = sum(ending.fee_minor for ending in endings)
    if promised.fee_minor is not None and fees_minor > promised.fee_minor:
        raise FeeIsAsked
    told = [promised.by_seat.get(ending.seat.id, 0) for ending in endings]
    back = [ending.back_minor for ending in endings]
    if any(less < said for less, said in zip(back, told, strict=True)):
        raise LessComesBack
    told_minor = min(sum(told), promised.most_minor)
    if told_minor:
        refundable = (await list_refundable_minor(uow, [order_id])).get(order_id, 0)
        if min(sum(back), refundable) < told_minor:
            raise LessComesBack


def _guests_ending(
    uow: UnitOfWork, tenant: TenantSnapshot, own: OwnSeat, *, is_whole_course: bool = False
) -> Ending:
    """Raises: NotLeavable."""
    now = uow.clock.now()
    facts = facts_of_leaving(own, tenant, is_whole_course=is_whole_course)
    reasons = why_not_leave(facts, now)
    if reasons:
        raise NotLeavable(reasons)
    seat, place = own.seat, None
    if facts.terms.package is not None and gives_credit(facts, now):
        place = place_of(seat, own.booking, facts.terms.package)
    is_by_credit = seat.credit_lot_id is not None
    return Ending(
        own=own,
        state=SeatState.LATE_CANCELLED if is_late(facts, now) else SeatState.CANCELLED,
        back_minor=amount_back_minor(seat.share_minor, percent_back(facts, now)),
        fee_minor=late_fee_minor(facts, seat.share_minor, now, is_by_credit=is_by_credit),
        lot_id=seat.credit_lot_id if gives_own_credit_back(facts, now) else None,
        is_penalty_free=facts.is_penalty_free,
        place=place,
    )


def facts_of_leaving(
    own: OwnSeat, tenant: TenantSnapshot, *, is_whole_course: bool = False
) -> LeavingFacts:
    return LeavingFacts(
        terms=terms_from(own.booking.leaving),
        seat=SeatState(own.seat.state),
        session=SessionState(own.session.state),
        starts_at=own.session.starts_at,
        zone=tenant.zone,
        is_penalty_free=may_leave_free_because_moved(
            own.seat.sold_sequence,
            own.session.moved_sequence,
            is_marked=own.seat.may_leave_free,
        ),
        is_whole_course=is_whole_course and own.booking.series_id is not None,
        most_percent=own.seat.most_percent,
        is_being_cancelled=own.seat.cancellation_id is not None,
    )


async def lock_own_seats(
    uow: UnitOfWork, order_id: UUID, seat_ids: Sequence[UUID] | None = None
) -> Sequence[OwnSeat]:
    """The order's seats, or those of them, locked by (session, id); the order is locked."""
    locking = own_seats(uow, order_id).with_for_update(of=Seat, key_share=True)
    if seat_ids is not None:
        locking = locking.where(Seat.id.in_(seat_ids))
    found = await uow.session.execute(locking.execution_options(populate_existing=True))
    return [OwnSeat(row[0], row[1], row[2]) for row in found]


def own_seats(uow: UnitOfWork, order_id: UUID) -> Select[tuple[Seat, Session, Booking]]:
    """The order's seats by (session, id)."""
    return (
        select(Seat, Session, Booking)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(Seat.tenant_id == uow.tenant, Seat.order_id == order_id)
        .order_by(Seat.session_id, Seat.id)
    )


async def _end_seats(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    order: Order,
    endings: Sequence[Ending],
    promised: Promised,
) -> CameBack:
    """Ends seats of one locked order, gives back money or credits, tells their guest, frees the
    places.

    The seats' rows are locked and confirmed. Less comes back than was wanted where less was paid
    through the processor. Returns what comes back. Raises: LessComesBack.
    """
    if not endings:
        return CameBack()
    places = [ending.place for ending in endings if ending.place is not None]
    new = await plan_credits(uow, tenant, places)
    await _check_promise(uow, order.id, endings, new, promised)
    wanted = await _wanted_minor(uow, order, endings, new)
    seat_ids = [ending.seat.id for ending in endings]
    came = await give_back(uow, order, seat_ids, wanted)
    returned = spread(came.back_minor, {ending.seat.id: ending.back_minor for ending in endings})
    await _mark(uow, endings, returned)
    by_hand = came.by_hand_minor
    uow.record(SeatsLeft(order_id=order.id, seat_ids=seat_ids, by="guest", by_hand_minor=by_hand))
    new_lots = insert_seat_credits(uow, new, order.currency, GUEST)
    await mark_credited(uow, list(new_lots))
    missed = [Missed(one.seat, one.own.session, one.own.booking, one.fee_minor) for one in endings]
    await ask_of(uow, missed, FeeKind.LATE_CANCEL, "guest")
    coming = await _return_own_credits(uow, tenant, order, endings)
    await wake_waitlists(uow, {ending.seat.session_id for ending in endings})
    await uow.settle()
    await give_back_seats(uow, Counter(ending.seat.session_id for ending in endings))
    if promised.credits & await bring_back(uow, coming):
        raise LessComesBack
    return came


async def _return_own_credits(
    uow: UnitOfWork, tenant: TenantSnapshot, order: Order, endings: Sequence[Ending]
) -> ComingBack:
    """Writes which seats give one back to their lots. Returns what is to be done with the lots."""
    credited = {one.seat.id: one.lot_id for one in endings if one.lot_id is not None}
    free = {one.seat.id for one in endings if one.is_penalty_free}
    moved = {seat_id: lot_id for seat_id, lot_id in credited.items() if seat_id in free}
    lapsed = {seat_id: credited.pop(seat_id) for seat_id in await find_lapsed(uow, moved)}
    await return_credits(uow, order.id, credited, GUEST)
    return ComingBack(tenant, GUEST, credited, {order.id: lapsed} if lapsed else {})


async def _wanted_minor(
    uow: UnitOfWork, order: Order, endings: Sequence[Ending], new: Sequence[SeatCredit]
) -> int:
    """What the terms give back, at most what has come back in no way and comes in no credit now."""
    by_terms = sum(ending.back_minor for ending in endings)
    if not by_terms:
        return 0
    unreturned = (await list_unreturned_minor(uow, [order.id])).get(order.id, 0)
    return max(0, min(by_terms, unreturned - sum(credit.value_minor for credit in new)))


async def _mark(uow: UnitOfWork, endings: Sequence[Ending], returned: Mapping[UUID, int]) -> None:
    # Seats that end in one act have one moment, which is how the order's history knows.
    now = uow.clock.now()
    alike: dict[tuple[SeatState, int], list[UUID]] = defaultdict(list)
    for ending in endings:
        alike[(ending.state, returned[ending.seat.id])].append(ending.seat.id)
    for (state, back), seat_ids in alike.items():
        await uow.session.execute(
            update(Seat)
            .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
            .values(
                state=str(state),
                sequence=Seat.sequence + 1,
                returned_as="money" if back else None,
                returned_minor=back,
                changed_at=now,
                changed_by="guest",
                changed_why="",
            )
            .execution_options(synchronize_session=False)
        )
