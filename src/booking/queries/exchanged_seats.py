"""Where places that were exchanged within their booking are now."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork


async def find_new_starts(uow: UnitOfWork, seat_ids: Iterable[UUID | None]) -> dict[UUID, datetime]:
    """By the seat that was exchanged first, the start of the date that its place is for in the end.
    A seat that was not exchanged is not there, nor is one whose place became another booking's.
    """
    old, new = aliased(Seat), aliased(Seat)
    first = {one: one for one in seat_ids if one is not None}
    starts: dict[UUID, datetime] = {}
    while first:
        found = await uow.session.execute(
            select(old.id, new.id, Session.starts_at)
            .join(
                new,
                (new.tenant_id == old.tenant_id)
                & (new.replaces_id == old.id)
                & (new.order_id == old.order_id),
            )
            .join(Session, (Session.tenant_id == new.tenant_id) & (Session.id == new.session_id))
            .where(old.tenant_id == uow.tenant, old.id.in_(first))
        )
        following: dict[UUID, UUID] = {}
        for was, became, starts_at in found.tuples():
            starts[first[was]] = starts_at
            following[became] = first[was]
        first = following
    return starts
