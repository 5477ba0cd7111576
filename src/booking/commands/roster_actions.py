"""Writing to several guests of a roster."""

from uuid import UUID

import msgspec

from src.booking.events import GuestWrittenTo
from src.booking.queries.roster_actions import list_chosen
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


class WriteToGuests(msgspec.Struct, frozen=True, kw_only=True):
    """A message; the same `message_id` sent again reaches nobody twice."""

    session_id: UUID
    seat_ids: list[UUID]
    message_id: UUID
    subject: str
    text: str


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
