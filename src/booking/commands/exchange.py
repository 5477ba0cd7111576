"""Exchanging a seat for one in another session: the new one taken and the old one freed at once.

No money moves. The share of the price goes to the new seat, the order and the month's counter stay
as they are, and the entry in the guest's calendar becomes the new date.
Source: docs/algorithms/leaving.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, func, select, update

from src.billing.commands.orders import lock_order
from src.booking.commands.claims import SeatsGone, exchange_seats
from src.booking.commands.leave import OwnSeat, facts_of_leaving, lock_own_seats
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.bookable import BusinessFacts, why_not_bookable_session
from src.booking.domain.exchange import (
    TargetFacts,
    for_staff,
    no_room,
    sequence_after,
    why_not_take,
)
from src.booking.domain.kinds import By, SalesMode, SeatState, SessionState
from src.booking.domain.leaving import most_percent_after, why_not_end, why_not_move_seat
from src.booking.domain.reasons import Reason, ReasonCode, guest_sentence
from src.booking.domain.states import LIVE_SEATS
from src.booking.errors import DatesChanged
from src.booking.events import SeatsMoved
from src.booking.models import Booking, Seat, Session
from src.booking.queries.by_credit import find_lot_that_paid, why_credits_stay
from src.booking.queries.handing_on import who_sits_after
from src.booking.queries.offer_facts import quote_of_session, session_facts
from src.booking.queries.offers import SessionOffer, get_session_offer
from src.booking.queries.swap_facts import find_who_is_there
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext, TenantSnapshot

SEATS = cast(Table, Seat.__table__)
SAID_OTHERWISE = frozenset(
    {
        ReasonCode.CANCELLED,
        ReasonCode.NOT_JUST_NOW,
        ReasonCode.STARTED,
        ReasonCode.TOO_LATE,
        ReasonCode.FULL,
    }
)
"""Reasons against a booking that `why_not_take` asks by itself."""

register_constraint(
    "uq_seats_live_participant",
    lambda: Conflict(_("This person has a place on that date already."), code="has_seat_there"),
)


class NotMovable(Conflict):
    """A seat cannot be exchanged; `reasons` say why and how to mend it."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(guest_sentence(reasons), code=str(reasons[0].code))
        self.reasons = tuple(reasons)


class MoveSeats(msgspec.Struct, frozen=True, kw_only=True):
    """Which seats of an order go to which session.

    `seen_sequence` is the session's sequence as it was shown, None when it was not. `by` guest or
    staff, whom neither terms nor prices bind; `why` goes into the mail. `opens_slot`: the session
    is the new time of the appointment, made for these seats.
    """

    order_id: UUID
    seat_ids: Sequence[UUID]
    session_id: UUID
    seen_sequence: int | None = None
    by: By = "guest"
    why: str = ""
    opens_slot: bool = False


async def move_seats(uow: UnitOfWork, tenant: TenantSnapshot, cmd: MoveSeats) -> list[UUID]:
    """Moves all of the seats or none; returns the ids of the new ones.

    Sent again it changes nothing, and returns the same. Whoever calls it for staff has checked
    their role.
    Raises: NotFound, NotMovable, DatesChanged when the session was moved since it was shown.
    """
    order = await lock_order(uow, cmd.order_id)
    own = await lock_own_seats(uow, cmd.order_id, cmd.seat_ids)
    if not own or {one.seat.id for one in own} != set(cmd.seat_ids):
        raise NotFound(_("There is no such booking."))
    done = await _moved_before(uow, cmd)
    if len(done) == len(own):
        return done
    offer = await get_session_offer(uow, cmd.session_id)
    reasons = await why_not_move(uow, tenant, own, offer, by=cmd.by, opens_slot=cmd.opens_slot)
    if reasons:
        raise NotMovable(reasons)
    if cmd.seen_sequence not in (None, offer.session.sequence):
        raise DatesChanged(_("That date has just changed. Please look at it again."))
    sits = await who_sits_after(uow, [one.seat for one in own])
    rows = [new_seat_row(uow, tenant, one, sits[one.seat.id], offer.session, cmd) for one in own]
    uow.insert(SEATS, rows)
    await _mark_swapped(uow, cmd)
    seat_ids = [cast(UUID, row["id"]) for row in rows]
    uow.record(SeatsMoved(order_id=order.id, seat_ids=seat_ids, by=cmd.by, why=cmd.why))
    freed = Counter(one.seat.session_id for one in own)
    await wake_waitlists(uow, freed)
    await uow.settle()
    try:
        await exchange_seats(uow, freed, cmd.session_id, earliest=earliest_start(uow, offer, cmd))
    except SeatsGone:
        raise NotMovable([no_room()]) from None
    return seat_ids


async def move_by_staff(uow: UnitOfWork, ctx: RequestContext, cmd: MoveSeats) -> list[UUID]:
    """`move_seats`, with who did it in the log, once. Raises: what that raises."""
    booking_id = await uow.session.scalar(
        select(Booking.id).where(Booking.tenant_id == uow.tenant, Booking.order_id == cmd.order_id)
    )
    if booking_id is not None and len(await _moved_before(uow, cmd)) < len(cmd.seat_ids):
        said = {"session": str(cmd.session_id), "seats": sorted(map(str, cmd.seat_ids))}
        await audit(uow, ctx, "booking.seat_moved", "booking", booking_id, **said)
    return await move_seats(uow, ctx.here, cmd)


async def why_not_move(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    own: Sequence[OwnSeat],
    offer: SessionOffer,
    *,
    by: By = "guest",
    opens_slot: bool = False,
) -> list[Reason]:
    """Every reason against exchanging these seats for ones in the offered session."""
    return [
        *why_not_give_up(tenant, own, uow.clock.now(), by=by),
        *await why_not_come(uow, tenant, own, offer, by=by, opens_slot=opens_slot),
    ]


def why_not_give_up(
    tenant: TenantSnapshot, own: Sequence[OwnSeat], now: datetime, *, by: By = "guest"
) -> list[Reason]:
    """Every reason against exchanging these seats at all."""
    judge = why_not_end if by == "staff" else why_not_move_seat
    return [reason for one in own for reason in judge(facts_of_leaving(one, tenant), now)]


async def why_not_come(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    own: Sequence[OwnSeat],
    offer: SessionOffer,
    *,
    by: By = "guest",
    opens_slot: bool = False,
) -> list[Reason]:
    """Every reason against the offered session as the place to go to."""
    now = uow.clock.now()
    sources = await _sources(uow, own)
    facts = target_facts(tenant, own, offer, sources, now, opens_slot=opens_slot)
    there = await has_seat(uow, own, offer.session.id)
    if by == "staff" and not there:
        # Whose bookings are whose is no secret to staff; nobody is to stand on a list twice.
        there = bool(await find_who_is_there(uow, own, [offer.session.id], named=True))
    facts = replace(facts, has_seat_there=there)
    if by == "staff":
        return why_not_take(for_staff(facts), now)
    lot = await find_lot_that_paid(uow, [one.seat for one in own])
    return [*why_not_take(facts, now), *why_credits_stay(offer, lot, len(own), now)]


def target_facts(
    tenant: TenantSnapshot,
    own: Sequence[OwnSeat],
    offer: SessionOffer,
    sources: Sequence[SessionOffer],
    now: datetime,
    *,
    opens_slot: bool = False,
) -> TargetFacts:
    """`sources` are the sessions that the seats are in."""
    session, service = offer.session, offer.service
    paid = [one.seat.share_minor for one in own]
    worth = [quote_of_session(source, 1).unit_minor for source in sources]
    return TargetFacts(
        state=SessionState(session.state),
        starts_at=session.starts_at,
        left=session.capacity - session.seats_taken,
        wanted=len(own),
        price_minor=quote_of_session(offer, 1).unit_minor,
        worth_minor=max(min(paid), min(worth, default=0)),
        is_open=str(tenant.status) in ("active", "past_due"),
        is_offered=_is_offered(tenant, own[0].booking, offer, now, opens_slot=opens_slot),
        is_same_service=service.id == own[0].booking.service_id,
        is_same_date=any(one.session.id == session.id for one in own),
        min_notice_minutes=service.min_notice_minutes,
    )


def _is_offered(
    tenant: TenantSnapshot,
    booking: Booking,
    offer: SessionOffer,
    now: datetime,
    *,
    opens_slot: bool,
) -> bool:
    """What a guest could book singly, or, for who bought a course, a date of any series on sale: a
    lesson made up for with the parallel course. One's own course always is.

    Plan and payments are not asked, for no money moves; time and room have words of their own.
    """
    series = offer.series
    if series is not None and series.id == booking.series_id:
        return True
    quote = replace(quote_of_session(offer, 1), unit_minor=0)
    business = BusinessFacts(zone=tenant.zone)
    # Who has a confirmed place to exchange is an established customer by it.
    facts = session_facts(offer, business, quote, opens_slot=opens_slot, admits=True)
    if series is not None and booking.series_id is not None:
        service = replace(facts.service, sales_mode=SalesMode.BOTH)
        facts = replace(facts, service=service, drop_in_allowed=True, drop_in_opens_at=None)
    against = {reason.code for reason in why_not_bookable_session(facts, now)}
    return against <= SAID_OTHERWISE


async def _sources(uow: UnitOfWork, own: Sequence[OwnSeat]) -> list[SessionOffer]:
    session_ids = sorted({one.session.id for one in own})
    return [await get_session_offer(uow, session_id) for session_id in session_ids]


async def has_seat(uow: UnitOfWork, own: Sequence[OwnSeat], session_id: UUID) -> bool:
    """Whether one of the people is in that session, or would be there twice."""
    people = list((await who_sits_after(uow, [one.seat for one in own])).values())
    if len(set(people)) < len(people):
        return True
    found = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.session_id == session_id,
            Seat.participant_id.in_(people),
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
        )
    )
    return bool(found)


async def _moved_before(uow: UnitOfWork, cmd: MoveSeats) -> list[UUID]:
    """The seats that took the place of these in the session already."""
    found = await uow.session.scalars(
        select(Seat.id)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.replaces_id.in_(cmd.seat_ids),
            Seat.session_id == cmd.session_id,
        )
        .order_by(Seat.id)
    )
    return list(found)


def earliest_start(uow: UnitOfWork, offer: SessionOffer, cmd: MoveSeats) -> datetime:
    notice = 0 if cmd.by == "staff" else offer.service.min_notice_minutes
    return uow.clock.now() + timedelta(minutes=notice)


def new_seat_row(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    one: OwnSeat,
    participant_id: UUID,
    session: Session,
    cmd: MoveSeats,
) -> dict[str, object]:
    """The seat that takes this one's place; it keeps its entry in the guest's calendar."""
    seat, now = one.seat, uow.clock.now()
    most_percent, facts = seat.most_percent, facts_of_leaving(one, tenant)
    if cmd.by == "guest":
        most_percent = most_percent_after(facts, now)
    return {
        "tenant_id": uow.tenant,
        "id": new_id(),
        "booking_id": seat.booking_id,
        "order_id": seat.order_id,
        "session_id": session.id,
        "participant_id": participant_id,
        "state": str(SeatState.CONFIRMED),
        "share_minor": seat.share_minor,
        "tier": seat.tier,
        "returned_as": None,
        "returned_minor": 0,
        "sequence": sequence_after(seat.sequence, one.session.sequence, session.sequence),
        "sold_sequence": session.sequence,
        "told_sequence": session.sequence,
        "replaces_id": seat.id,
        "calendar_id": seat.calendar_id or seat.id,
        "credit_lot_id": seat.credit_lot_id,
        "most_percent": most_percent,
        "may_leave_free": cmd.by == "staff" or facts.is_penalty_free,
        "is_known": False,
        "changed_at": now,
        "changed_by": cmd.by,
        "changed_why": cmd.why,
    }


async def _mark_swapped(uow: UnitOfWork, cmd: MoveSeats) -> None:
    """Their shares are on the new seats now, so that the shares of an order still sum to it."""
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(cmd.seat_ids))
        .values(
            state=str(SeatState.SWAPPED),
            share_minor=0,
            returned_as="seat",
            changed_at=uow.clock.now(),
            changed_by=cmd.by,
            changed_why=cmd.why,
        )
        .execution_options(synchronize_session=False)
    )
