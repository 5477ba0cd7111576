"""Switching reminders on and off, and claiming those that are due."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import md5
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, delete, func, update
from sqlalchemy.dialects.postgresql import insert

from src.booking.commands.services import get_service
from src.booking.domain.reminding import (
    Offset,
    changed_reminders,
    reminder_errors,
    reminders_from,
)
from src.booking.models import ReminderSent
from src.booking.queries.reminders import Waiting
from src.platform.db.batch import insert_unless_taken
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.models import Due

REMIND_DUE = "remind"
_DUE = cast(Table, Due.__table__)
_SENT = cast(Table, ReminderSent.__table__)


def remind_due_id(tenant_id: UUID) -> UUID:
    """The id of the tenant's one row of `due`: its own id names another one's."""
    return UUID(md5(f"remind:{tenant_id}".encode(), usedforsecurity=False).hexdigest())


async def change_reminders(
    uow: UnitOfWork, ctx: RequestContext, service_id: UUID, wanted: Sequence[Offset]
) -> None:
    """The service's guests get these mails from now on. A moment that is over stays over.

    Raises: NotFound, InvalidInput.
    """
    service = await get_service(uow, service_id)
    errors = reminder_errors(wanted)
    if errors:
        fields = {f"reminders.{position}.ahead": said for position, said in errors.items()}
        raise InvalidInput(_("The reminders cannot be saved like this."), fields=fields)
    now = uow.clock.now()
    kept = reminders_from(service.reminders)
    reminders = changed_reminders(kept, wanted, now)
    if reminders == kept:
        return
    service.reminders, service.updated_at = msgspec.to_builtins(reminders), now
    offsets = [f"{one.ahead} {one.unit}" for one in reminders]
    await audit(uow, ctx, "service.reminders_changed", "service", service_id, offsets=offsets)
    await uow.session.flush()
    if reminders:
        await _look_at_once(uow, now)


async def claim_reminders(uow: UnitOfWork, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Those that nobody else has claimed: what is returned is mailed by this transaction alone."""
    if not waiting:
        return []
    by_id: dict[UUID, Waiting] = {}
    rows = []
    for one in waiting:
        for ahead, unit in sorted(one.offsets):
            row = _row(uow, one, ahead, str(unit))
            by_id[row["id"]] = one
            rows.append(row)
    claimed = await insert_unless_taken(uow.session, _SENT, rows, "uq_reminders_sent_once")
    mine = {(one.booking_id, one.session_id) for row_id, one in by_id.items() if row_id in claimed}
    return [one for one in waiting if (one.booking_id, one.session_id) in mine]


async def look_again(uow: UnitOfWork, seen: datetime, at: datetime | None) -> None:
    """Puts the tenant's next look at its reminders off until `at`; None: there are none.

    A row that is no longer as it was `seen` was woken meanwhile, and stays.
    """
    is_mine = (Due.id == remind_due_id(uow.tenant), Due.at == seen)
    if at is None:
        await uow.session.execute(delete(Due).where(*is_mine))
    else:
        await uow.session.execute(update(Due).where(*is_mine).values(at=at))


async def _look_at_once(uow: UnitOfWork, now: datetime) -> None:
    due_id = remind_due_id(uow.tenant)
    row = insert(_DUE).values(
        id=due_id, tenant_id=uow.tenant, kind=REMIND_DUE, ref=uow.tenant, at=now
    )
    earlier = func.least(_DUE.c.at, now)
    await uow.session.execute(
        row.on_conflict_do_update(index_elements=[_DUE.c.id], set_={"at": earlier})
    )


def _row(uow: UnitOfWork, one: Waiting, ahead: int, unit: str) -> dict[str, Any]:
    return {
        "tenant_id": uow.tenant,
        "id": new_id(),
        "booking_id": one.booking_id,
        "session_id": one.session_id,
        "starts_at": one.starts_at,
        "ahead": ahead,
        "unit": unit,
        "claimed_at": uow.clock.now(),
    }
