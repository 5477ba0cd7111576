"""Another time for an appointment: taken as the old one is freed, in one transaction.

The new time is a session of its own, to which the seats are moved by the rules of an exchange: what
was paid, the entry in the guest's calendar and the terms go along. Who gives the service is locked
by id first, so that two who want each other's time wait and do not deadlock.
Source: docs/algorithms/free-times.md.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.orders import lock_order
from src.booking.commands.busy import free_performer
from src.booking.commands.exchange import MoveSeats, NotMovable, move_seats, why_not_give_up
from src.booking.commands.leave import OwnSeat, lock_own_seats
from src.booking.commands.slots import open_slot
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.kinds import By, SeatState
from src.booking.domain.reasons import time_is_present
from src.booking.models import Seat, ServicePerformer, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Performer


class Reschedule(msgspec.Struct, frozen=True, kw_only=True):
    """Which appointment of an order goes to which time; all of its party do. `by` guest or staff,
    whom neither terms nor offered times bind; `why` goes into the mail.
    """

    order_id: UUID
    session_id: UUID
    slot: SlotWish
    by: By = "guest"
    why: str = ""


async def reschedule(uow: UnitOfWork, tenant: TenantSnapshot, cmd: Reschedule) -> list[UUID]:
    """Moves the appointment, or raises and nothing is moved; returns the ids of the new seats.

    Sent again it changes nothing, and returns the same. Whoever calls it for staff has checked
    their role.
    Raises: NotFound, NotMovable, SlotTaken; Conflict for the time that it has.
    """
    await lock_order(uow, cmd.order_id)
    there = [one for one in await lock_own_seats(uow, cmd.order_id) if _is_of(one, cmd)]
    own = [one for one in there if one.seat.state == SeatState.CONFIRMED]
    if not own:
        return await _moved_before(uow, [one.seat.id for one in there], cmd)
    session = own[0].session
    if not session.is_slot:
        raise NotFound(_("There is no such appointment."))
    if cmd.slot.is_at(present_of(session)):
        reason = time_is_present()
        sentence = reason.owner_sentence if cmd.by == "staff" else reason.guest_sentence
        raise Conflict(sentence, code="present_time")
    reasons = why_not_give_up(tenant, own, uow.clock.now(), by=cmd.by)
    if reasons:
        raise NotMovable(reasons)
    if session.seats_taken != len(own):
        raise Conflict(_("Somebody else has a place in it too."), code="not_alone")
    await _lock_givers(uow, session)
    await free_performer(uow, [session.id])
    new_id = await open_slot(
        uow, tenant, session.service_id, cmd.slot, len(own), by_staff=cmd.by == "staff"
    )
    move = MoveSeats(
        order_id=cmd.order_id,
        seat_ids=[one.seat.id for one in own],
        session_id=new_id,
        by=cmd.by,
        why=cmd.why,
        opens_slot=True,
    )
    return await move_seats(uow, tenant, move)


def present_of(session: Session) -> SlotWish:
    """The time that an appointment has by now."""
    minutes = int((session.ends_at - session.starts_at).total_seconds() // 60)
    return SlotWish(starts_at=session.starts_at, minutes=minutes, performer_id=session.performer_id)


def _is_of(one: OwnSeat, cmd: Reschedule) -> bool:
    return one.session.id == cmd.session_id


async def _moved_before(uow: UnitOfWork, seat_ids: Sequence[UUID], cmd: Reschedule) -> list[UUID]:
    """The seats that took the place of these at that very time already. Raises: NotFound."""
    found = await uow.session.scalars(
        select(Seat.id)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.replaces_id.in_(list(seat_ids)),
            Session.starts_at == cmd.slot.starts_at,
        )
        .order_by(Seat.id)
    )
    new = list(found)
    if not new:
        raise NotFound(_("There is no such date in this booking."))
    return new


async def _lock_givers(uow: UnitOfWork, session: Session) -> None:
    gives = select(ServicePerformer.performer_id).where(
        ServicePerformer.tenant_id == uow.tenant,
        ServicePerformer.service_id == session.service_id,
    )
    await uow.session.execute(
        select(Performer.id)
        .where(
            Performer.tenant_id == uow.tenant,
            Performer.id.in_(gives) | (Performer.id == session.performer_id),
        )
        .order_by(Performer.id)
        .with_for_update(key_share=True)
    )
