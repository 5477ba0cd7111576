"""What takes a performer's time."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.dialects.postgresql import Range

from src.booking.models import Service, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.models import PerformerBusy

SOURCE = "session"
"""Marks the busy times that come from sessions."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A stretch of time in which a performer is taken, by the session `title` if by one."""

    starts_at: datetime
    ends_at: datetime
    session_id: UUID | None
    title: str

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Ending at the very moment at which another begins is no overlap."""
        return self.starts_at < ends_at and starts_at < self.ends_at


def called_in(service_name: str | None, title: str | None) -> str:
    """What a session is called where it takes somebody's time; empty for what is no session."""
    return " · ".join(filter(None, (service_name, title)))


async def taken_between(
    uow: UnitOfWork,
    performer_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    *,
    except_session: UUID | None = None,
) -> list[Taken]:
    """What takes the performer within the stretch, in order of time."""
    found = await uow.session.execute(
        select(PerformerBusy.during, PerformerBusy.source_id, Service.name, Session.title)
        .outerjoin(
            Session,
            (Session.tenant_id == PerformerBusy.tenant_id)
            & (Session.id == PerformerBusy.source_id)
            & (PerformerBusy.source == SOURCE),
        )
        .outerjoin(
            Service,
            (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id),
        )
        .where(
            PerformerBusy.tenant_id == uow.tenant,
            PerformerBusy.performer_id == performer_id,
            PerformerBusy.during.op("&&")(Range(starts_at, ends_at, bounds="[)")),
            true() if except_session is None else PerformerBusy.source_id != except_session,
        )
        .order_by(PerformerBusy.during)
    )
    return [
        Taken(
            starts_at=cast(datetime, row.during.lower),
            ends_at=cast(datetime, row.during.upper),
            session_id=row.source_id if row.name else None,
            title=called_in(row.name, row.title),
        )
        for row in found
    ]
