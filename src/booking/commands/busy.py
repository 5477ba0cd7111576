"""When performers are taken by sessions: written, moved and freed together with the session.

The database refuses an overlap whatever the program believes; asking first is for the sentence
that names the other session.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, insert
from sqlalchemy.dialects.postgresql import Range

from src.booking.models import Session
from src.booking.queries.busy import SOURCE
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.models import Performer, PerformerBusy

_BUSY = cast(Table, PerformerBusy.__table__)

register_constraint(
    "ex_performer_busy_no_overlap",
    lambda: Conflict(
        _("This person has just been taken for another session at that time."),
        code="performer_busy",
    ),
)
register_constraint(
    "uq_performer_busy_source",
    lambda: Conflict(
        _("This session has just changed. Please look at it again."), code="session_changed"
    ),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """When a session takes its performer."""

    session_id: UUID
    starts_at: datetime
    ends_at: datetime


def slot_of(session: Session, starts_at: datetime, ends_at: datetime) -> Slot:
    """What the session would take of its performer's time then, with what is kept free around an
    appointment.
    """
    before, after = session.before_minutes, session.after_minutes
    return Slot(
        session.id, starts_at - timedelta(minutes=before), ends_at + timedelta(minutes=after)
    )


async def take_performer(uow: UnitOfWork, performer_id: UUID, slots: Sequence[Slot]) -> None:
    """Notes that the performer is taken.

    Raises: Conflict when the database finds an overlap, or somebody for the session meanwhile.
    """
    if not slots:
        return
    await uow.session.flush()
    rows = [
        {
            "tenant_id": uow.tenant,
            "id": new_id(),
            "performer_id": performer_id,
            "during": Range(slot.starts_at, slot.ends_at, bounds="[)"),
            "source": SOURCE,
            "source_id": slot.session_id,
        }
        for slot in slots
    ]
    await uow.session.execute(insert(_BUSY), rows)


async def free_performer(uow: UnitOfWork, session_ids: Iterable[UUID]) -> None:
    """Forgets that these sessions take anybody's time."""
    await uow.session.execute(
        delete(PerformerBusy).where(
            PerformerBusy.tenant_id == uow.tenant,
            PerformerBusy.source == SOURCE,
            PerformerBusy.source_id.in_(list(session_ids)),
        )
    )


async def performer_exists(uow: UnitOfWork, performer_id: UUID) -> bool:
    return await uow.session.get(Performer, (uow.tenant, performer_id)) is not None
