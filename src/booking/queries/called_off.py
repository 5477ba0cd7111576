"""Sessions that were called off by themselves, since too few people had booked them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from src.booking.models import Cancellation, Service, Session
from src.platform.db.uow import UnitOfWork


def _called_off(uow: UnitOfWork) -> Select[Any]:
    """Each with its cancellation, undone ones left out. Only what nobody asked for gives back all
    that was paid without having been told so.
    """
    return (
        select(
            Session,
            Service.name,
            Cancellation.id.label("cancellation_id"),
            (Cancellation.state == "waiting").label("can_be_undone"),
        )
        .join(
            Cancellation,
            (Cancellation.tenant_id == Session.tenant_id) & (Cancellation.subject_id == Session.id),
        )
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .where(
            Session.tenant_id == uow.tenant,
            Cancellation.scope == "session",
            Cancellation.gives_back,
            Cancellation.state != "undone",
        )
    )


async def find_called_off(uow: UnitOfWork, session_id: UUID) -> Row[Any] | None:
    """The session with `name`, its service's, and `cancellation_id`; None where somebody cancelled
    it.
    """
    found = await uow.session.execute(_called_off(uow).where(Session.id == session_id))
    return found.first()


async def list_called_off(uow: UnitOfWork, now: datetime, *, most: int) -> list[Row[Any]]:
    """The same of those that would still begin, the next first; `can_be_undone` for a while."""
    found = await uow.session.execute(
        _called_off(uow)
        .where(Session.starts_at > now)
        .order_by(Session.starts_at, Session.id)
        .limit(most)
    )
    return list(found)
