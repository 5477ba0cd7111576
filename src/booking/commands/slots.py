"""The time of an appointment: a session of its own, taken from its performer as it is booked.

The performer's time is claimed before anything else of the booking is written: whoever waits for
it holds nothing that others wait for. The database refuses an overlap whatever the program thinks.
Source: docs/algorithms/free-times.md.
"""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import Range, insert

from src.booking.commands.busy import slot_of
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.kinds import ServiceKind, SessionState
from src.booking.models import Service, Session
from src.booking.queries.busy import SOURCE
from src.booking.queries.slots import price_of, slot_session, who_has_time
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.context import TenantSnapshot
from src.tenants.models import PerformerBusy

_BUSY = cast(Table, PerformerBusy.__table__)


class SlotTaken(Conflict):
    """Somebody else was faster, or the time is offered no more."""

    code = "slot_taken"

    def __init__(self) -> None:
        super().__init__(_("This time has just been taken. Please choose another one."))


async def open_slot(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    service_id: UUID,
    wish: SlotWish,
    size: int,
    *,
    by_staff: bool = False,
) -> UUID:
    """Takes the time from whoever has it and least to do that day; returns the session's id.

    Raises: NotFound; InvalidInput for a length that is not offered; SlotTaken.
    """
    service = await uow.session.get(Service, (uow.tenant, service_id))
    if service is None or service.kind != ServiceKind.APPOINTMENT:
        raise NotFound(_("There is no such service."))
    price_minor = price_of(service, wish.minutes)
    if price_minor is None:
        sentence = _("Please choose one of the given lengths.")
        raise InvalidInput(sentence, fields={"minutes": sentence})
    candidates = await who_has_time(uow, tenant, service, wish, by_staff=by_staff)
    session = slot_session(service, wish, max(size, 1), price_minor, uow.clock.now())
    session.performer_id = await _take_one(uow, session, candidates)
    uow.session.add(session)
    await uow.session.flush()
    return session.id


async def _take_one(uow: UnitOfWork, session: Session, candidates: Sequence[UUID]) -> UUID:
    """The first of them who is still free. Raises: SlotTaken."""
    for performer_id in candidates:
        if await _take(uow, session, performer_id):
            return performer_id
    raise SlotTaken


async def _take(uow: UnitOfWork, session: Session, performer_id: UUID) -> bool:
    """Waits for whoever is just taking the same time; False once they have it."""
    slot = slot_of(session, session.starts_at, session.ends_at)
    taken = await uow.session.scalar(
        insert(_BUSY)
        .values(
            tenant_id=uow.tenant,
            id=new_id(),
            performer_id=performer_id,
            during=Range(slot.starts_at, slot.ends_at, bounds="[)"),
            source=SOURCE,
            source_id=session.id,
        )
        .on_conflict_do_nothing()
        .returning(_BUSY.c.id)
    )
    return taken is not None


async def reopen_slots(uow: UnitOfWork, session_ids: Sequence[UUID]) -> None:
    """Takes the time of vacated appointments again, of the same performer: one was paid late.

    Raises: SlotTaken where somebody has it by now.
    """
    found = await uow.session.scalars(
        select(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(list(session_ids)),
            Session.state == str(SessionState.VACATED),
        )
        .order_by(Session.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for session in found.all():
        if session.performer_id is None or not await _take(uow, session, session.performer_id):
            raise SlotTaken
        await uow.session.execute(
            update(Session)
            .where(Session.tenant_id == uow.tenant, Session.id == session.id)
            .values(state=str(SessionState.SCHEDULED))
            .execution_options(synchronize_session=False)
        )
