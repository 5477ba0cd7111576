"""The people whom a customer keeps, to book for."""

from uuid import UUID

import msgspec
from sqlalchemy import func, select

from src.platform.db.uow import UnitOfWork
from src.tenants.models import Participant


class OwnPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One of them; `note` is for the business."""

    id: UUID
    name: str
    note: str


async def list_own_people(uow: UnitOfWork, customer_id: UUID) -> list[OwnPerson]:
    """By name."""
    found = await uow.session.scalars(
        select(Participant)
        .where(
            Participant.tenant_id == uow.tenant,
            Participant.customer_id == customer_id,
            Participant.kept_at.is_not(None),
        )
        .order_by(func.lower(Participant.name), Participant.id)
    )
    return [OwnPerson(id=one.id, name=one.name, note=one.note) for one in found]
