"""Acts of staff on several seats of a roster: one order, and so one transaction, at a time.

Orders are locked before seats, as everywhere. Each seat ends once, whoever asks for it and however
often: one that has ended meanwhile is passed over, and moves no money again.
"""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from src.billing.commands.orders import lock_order
from src.booking.commands.leave import lock_own_seats, spread, take_back_seats
from src.booking.commands.sessions import get_session
from src.booking.domain.kinds import SeatState
from src.booking.events import GuestWrittenTo
from src.booking.queries.roster_actions import list_chosen
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


class CancelPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """One order's seats in one session, and what of their price goes back, in minor units."""

    session_id: UUID
    order_id: UUID
    seat_ids: list[UUID]
    back_minor: int
    why: str = ""


class WriteToGuests(msgspec.Struct, frozen=True, kw_only=True):
    """A message; the same `message_id` sent again reaches nobody twice."""

    session_id: UUID
    seat_ids: list[UUID]
    message_id: UUID
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Freed:
    """How many seats ended, and the minor units that go back for them."""

    seats: int
    back_minor: int


async def cancel_places(uow: UnitOfWork, ctx: RequestContext, cmd: CancelPlaces) -> Freed:
    """Frees the order's seats in a session that has not started; its guest is told by one mail.

    Raises: NotFound; Conflict when the session has started; InvalidInput for more than its price.
    """
    session = await get_session(uow, cmd.session_id)
    if session.starts_at <= uow.clock.now():
        raise Conflict(_("This session has started, so its places stay."), code="session_started")
    await lock_order(uow, cmd.order_id)
    own = await lock_own_seats(uow, cmd.order_id, cmd.seat_ids)
    if {one.seat.id for one in own if one.session.id == session.id} != set(cmd.seat_ids):
        raise NotFound(_("There is no such place in this session."))
    leaving = [one.seat for one in own if one.seat.state == SeatState.CONFIRMED]
    if not leaving:
        return Freed(0, 0)
    shares = {seat.id: seat.share_minor for seat in leaving}
    if not 0 <= cmd.back_minor <= sum(shares.values()):
        raise InvalidInput(_("At most what was paid for a place can go back."))
    said = {"session": str(session.id), "seats": sorted(map(str, shares)), "reason": cmd.why}
    await audit(uow, ctx, "seats.cancelled", "order", cmd.order_id, **said)
    back_minor = await take_back_seats(
        uow, cmd.order_id, spread(cmd.back_minor, shares), why=cmd.why
    )
    return Freed(len(shares), back_minor)


async def write_to_guests(uow: UnitOfWork, ctx: RequestContext, cmd: WriteToGuests) -> int:
    """One mail to each customer among the seats who has an address. Returns how many there are.

    Raises: NotFound.
    """
    chosen = await list_chosen(uow, cmd.session_id, cmd.seat_ids)
    reached: dict[UUID, UUID] = {}
    for one in chosen:
        if one.email:
            reached.setdefault(one.customer_id, one.order_id)
    for order_id in reached.values():
        uow.record(
            GuestWrittenTo(
                message_id=cmd.message_id,
                session_id=cmd.session_id,
                order_id=order_id,
                subject=cmd.subject,
                text=cmd.text,
            )
        )
    said = {"rows": len(reached), "title": cmd.subject}
    await audit(uow, ctx, "roster.messaged", "session", cmd.session_id, **said)
    return len(reached)
