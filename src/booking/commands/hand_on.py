"""Giving one's place on a date to somebody else, who comes instead.

The seat stays: its share of the price, its terms and the right to leave it are the buyer's as
before. Who sits in it changes, and with that whose calendar it is in.
Source: docs/algorithms/handing-on.md.
"""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, exists, func, insert, select

from src.billing.commands.orders import lock_order
from src.billing.models import Order
from src.booking.commands.leave import OwnSeat, facts_of_leaving, lock_own_seats
from src.booking.domain.kinds import By
from src.booking.domain.leaving import why_not_end, why_not_hand_on
from src.booking.domain.naming import LONGEST_NAME
from src.booking.domain.reasons import Reason, ReasonCode, guest_sentence
from src.booking.domain.states import LIVE_SEATS
from src.booking.events import SeatHandedOn
from src.booking.models import HandingOn, Seat
from src.booking.queries.handing_on import find_holder, list_holders
from src.platform.addresses import NotAnAddress, email_address
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer
from src.tenants.context import RequestContext
from src.tenants.domain.naming import on_one_line
from src.tenants.models import Participant

PARTICIPANTS = cast(Table, Participant.__table__)


class NotHandedOn(Conflict):
    """A place cannot be given to this person; `reasons` say why and how to mend it."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(guest_sentence(reasons), code=str(reasons[0].code))
        self.reasons = tuple(reasons)


class HandOn(msgspec.Struct, frozen=True, kw_only=True):
    """Whose seat goes to whom; with `session_id` it is one of that date. Staff are not bound by the
    terms.
    """

    order_id: UUID
    seat_id: UUID
    name: str
    address: str
    session_id: UUID | None = None
    by: By = "guest"


async def hand_on(uow: UnitOfWork, ctx: RequestContext, cmd: HandOn) -> bool:
    """The new person has the place from now on, and everybody concerned is written to. The buyer's
    own address takes the place back. Returns whether anything is different: pressed again it
    changes nothing.

    Raises: NotFound, InvalidInput at `name` and `address`, NotHandedOn.
    """
    name, address = checked_person(cmd.name, cmd.address)
    order = await lock_order(uow, cmd.order_id)
    found = await lock_own_seats(uow, cmd.order_id, [cmd.seat_id])
    if not found or cmd.session_id not in (None, found[0].session.id):
        raise NotFound(_("There is no such booking."))
    own = found[0]
    reasons = _why_not(uow, ctx, own, cmd.by)
    if reasons:
        raise NotHandedOn(reasons)
    holder = await find_holder(uow, own.seat)
    if holder is not None and (holder.name, holder.address.lower()) == (name, address.lower()):
        return False
    await _refuse_doubles(uow, own, name, address, order.guest_email, by=cmd.by)
    handing = await _write(uow, own, name, address, cmd.by)
    own.seat.is_handed_on = address.lower() != order.guest_email.strip().lower()
    said = {"seat": str(own.seat.id), "session": str(own.session.id), "was": handing.was}
    await audit(uow, ctx, "booking.seat_handed_on", "booking", own.booking.id, to=name, **said)
    uow.record(SeatHandedOn(handing_id=handing.id))
    return True


def checked_person(name: str, address: str) -> tuple[str, str]:
    """Name and address on one line. Raises: InvalidInput."""
    errors: dict[str, str] = {}
    name = on_one_line(name)
    if not name:
        errors["name"] = who_comes_instead()
    elif len(name) > LONGEST_NAME:
        errors["name"] = _("Please give a name of at most %(most)s characters.", most=LONGEST_NAME)
    try:
        address = email_address(address)
    except NotAnAddress as refusal:
        errors["address"] = refusal.message
    if errors:
        raise InvalidInput(_("Please look at the marked fields."), fields=errors)
    return name, address


def who_comes_instead() -> str:
    return _("Please say who comes instead.")


def _why_not(uow: UnitOfWork, ctx: RequestContext, own: OwnSeat, by: By) -> list[Reason]:
    facts, now = facts_of_leaving(own, ctx.here), uow.clock.now()
    return why_not_hand_on(facts, now) if by == "guest" else why_not_end(facts, now)


async def _refuse_doubles(
    uow: UnitOfWork, own: OwnSeat, name: str, address: str, buyer: str, *, by: By
) -> None:
    """Nobody has two places on a date. A guest is told of their own booking's people alone: who
    else has booked is nobody's business. Who takes their own place back had it beside all others.

    Raises: NotHandedOn, InvalidInput.
    """
    is_buyers = address.lower() == buyer.strip().lower()
    if is_buyers and not own.seat.is_handed_on:
        said = _("That is the address of the booking itself. To change a name only, say who comes.")
        raise InvalidInput(_("Please look at the marked fields."), fields={"address": said})
    for holder in await list_holders(uow, own.session.id, by_order=own.seat.order_id):
        same_name = holder.order_id == own.seat.order_id and holder.name.lower() == name.lower()
        same_address = holder.is_told and holder.address.lower() == address.lower()
        if holder.seat_id != own.seat.id and (same_name or same_address):
            raise _already_in_it(name)
    if by == "staff" and not is_buyers and await _has_booked(uow, own, address):
        raise _already_in_it(name)


async def _has_booked(uow: UnitOfWork, own: OwnSeat, address: str) -> bool:
    """Whether another booking with this address has a place on the date."""
    found = exists().where(
        Seat.tenant_id == uow.tenant,
        Seat.session_id == own.session.id,
        Seat.order_id != own.seat.order_id,
        Seat.is_handed_on.is_(False),
        Seat.state.in_([str(state) for state in LIVE_SEATS]),
        Order.tenant_id == uow.tenant,
        Order.id == Seat.order_id,
        func.lower(Order.guest_email) == address.lower(),
    )
    return bool(await uow.session.scalar(select(found)))


def _already_in_it(name: str) -> NotHandedOn:
    said = _("%(name)s has a place on that date already.", name=name)
    return NotHandedOn([Reason(ReasonCode.ALREADY_IN_IT, said, said, "")])


async def _write(uow: UnitOfWork, own: OwnSeat, name: str, address: str, by: By) -> HandingOn:
    """A participant of the same customer, and an entry of their own in their own calendar."""
    seat = own.seat
    # A merge or an erasure of the customer waits for us, or we for it.
    customer_id = await keep_customer(uow, own.booking.customer_id)
    was = await uow.session.get_one(Participant, (uow.tenant, seat.participant_id))
    handing = HandingOn(
        tenant_id=uow.tenant,
        id=new_id(),
        seat_id=seat.id,
        order_id=seat.order_id,
        participant_id=await _new_id_after(uow, seat),
        address=address,
        was=was.name,
        was_participant_id=was.id,
        was_calendar_id=seat.calendar_id or seat.id,
        was_sequence=seat.sequence + own.session.sequence,
        by=by,
        at=uow.clock.now(),
        told_at=None,
    )
    row = {"tenant_id": uow.tenant, "id": handing.participant_id, "customer_id": customer_id}
    await uow.session.execute(insert(PARTICIPANTS).values(**row, name=name))
    uow.session.add(handing)
    seat.participant_id = handing.participant_id
    seat.calendar_id = new_id()
    seat.sequence += 1
    return handing


async def _new_id_after(uow: UnitOfWork, seat: Seat) -> UUID:
    """A party's people are numbered in the order of their ids. Who takes the place of somebody who
    has no other in the booking takes their number too, so that nobody else's changes.
    """
    stays = exists().where(
        Seat.tenant_id == uow.tenant,
        Seat.booking_id == seat.booking_id,
        Seat.participant_id == seat.participant_id,
        Seat.id != seat.id,
    )
    after = UUID(int=seat.participant_id.int + 1)
    taken = exists().where(Participant.tenant_id == uow.tenant, Participant.id == after)
    if await uow.session.scalar(select(stays | taken)):
        return new_id()
    return after
