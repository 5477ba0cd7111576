"""Who gives a service by appointment."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select

from src.booking.models import ServicePerformer
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.models import Performer


async def giver_errors(uow: UnitOfWork, performer_ids: Collection[UUID] | None) -> dict[str, str]:
    """By field, what is wrong with them; nobody at all is nobody to book."""
    if performer_ids is None:
        return {}
    if not performer_ids:
        return {"performer_ids": _("Choose who gives it.")}
    known = await uow.session.scalars(
        select(Performer.id).where(
            Performer.tenant_id == uow.tenant, Performer.id.in_(list(performer_ids))
        )
    )
    if set(known) != set(performer_ids):
        return {"performer_ids": _("Please choose among the given ones.")}
    return {}


async def list_givers(uow: UnitOfWork, service_id: UUID) -> list[UUID]:
    """Whoever gives it, those too who are switched off, in a lasting order."""
    found = await uow.session.scalars(
        select(ServicePerformer.performer_id)
        .where(ServicePerformer.tenant_id == uow.tenant, ServicePerformer.service_id == service_id)
        .order_by(ServicePerformer.performer_id)
    )
    return list(found)


async def set_givers(
    uow: UnitOfWork, service_id: UUID, performer_ids: Collection[UUID] | None
) -> list[str]:
    """Lets just these give it, None: whoever does now. Whom somebody has booked keeps the booking.

    Returns what changed, by the field's name.
    """
    if performer_ids is None:
        return []
    before, wanted = set(await list_givers(uow, service_id)), set(performer_ids)
    if before == wanted:
        return []
    await uow.session.execute(
        delete(ServicePerformer).where(
            ServicePerformer.tenant_id == uow.tenant,
            ServicePerformer.service_id == service_id,
            ServicePerformer.performer_id.in_(before - wanted),
        )
    )
    for performer_id in sorted(wanted - before):
        uow.session.add(
            ServicePerformer(
                tenant_id=uow.tenant,
                id=new_id(),
                service_id=service_id,
                performer_id=performer_id,
            )
        )
    await uow.session.flush()
    return ["performer_ids"]
