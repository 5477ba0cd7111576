"""What asks for a worksheet: services, series and packages."""

from collections.abc import Collection
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import delete, exists, func, select

from src.billing.models import Package
from src.booking.commands.worksheets import lock_worksheet
from src.booking.domain.worksheets import MOST_ASKED
from src.booking.models import Series, Service, WorksheetNeed
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

Thing = Literal["service", "series", "package"]
THINGS: tuple[Thing, ...] = ("service", "series", "package")
_TABLES: dict[Thing, type[Service] | type[Series] | type[Package]] = {
    "service": Service,
    "series": Series,
    "package": Package,
}
NEED_COLUMNS: dict[Thing, Any] = {
    "service": WorksheetNeed.service_id,
    "series": WorksheetNeed.series_id,
    "package": WorksheetNeed.package_id,
}


class SheetAskedBy(msgspec.Struct, frozen=True, kw_only=True):
    """All that asks for one worksheet."""

    service_ids: frozenset[UUID] = frozenset()
    series_ids: frozenset[UUID] = frozenset()
    package_ids: frozenset[UUID] = frozenset()

    def of(self, thing: Thing) -> frozenset[UUID]:
        found: frozenset[UUID] = getattr(self, field_of(thing))
        return found


def field_of(thing: Thing) -> str:
    return f"{thing}_ids"


async def ask_for_worksheet(
    uow: UnitOfWork, ctx: RequestContext, worksheet_id: UUID, asked: SheetAskedBy
) -> None:
    """From now on just these ask for it, of whoever books or buys them from now on.

    Raises: NotFound; InvalidInput at the list with something that is not there, or another
    business's, or that asks for too many.
    """
    row = await lock_worksheet(uow, worksheet_id)
    is_changed = False
    for thing in THINGS:
        column = NEED_COLUMNS[thing]
        found = await uow.session.scalars(
            select(column).where(
                WorksheetNeed.tenant_id == uow.tenant,
                WorksheetNeed.worksheet_id == worksheet_id,
                column.is_not(None),
            )
        )
        known, wanted = {one for one in found if one is not None}, asked.of(thing)
        await _check_things(uow, thing, wanted - known)
        await _ask(uow, thing, worksheet_id, wanted - known, known - wanted)
        is_changed |= wanted != known
    if is_changed:
        await audit(uow, ctx, "worksheet.asked_for", "worksheet", worksheet_id, name=row.title)


async def _ask(
    uow: UnitOfWork,
    thing: Thing,
    worksheet_id: UUID,
    added: Collection[UUID],
    gone: Collection[UUID],
) -> None:
    if gone:
        await uow.session.execute(
            delete(WorksheetNeed).where(
                WorksheetNeed.tenant_id == uow.tenant,
                WorksheetNeed.worksheet_id == worksheet_id,
                NEED_COLUMNS[thing].in_(gone),
            )
        )
    for one in sorted(added):
        uow.session.add(
            WorksheetNeed(
                tenant_id=uow.tenant,
                id=new_id(),
                worksheet_id=worksheet_id,
                **{f"{thing}_id": one},
                since=uow.clock.now(),
            )
        )
    await uow.session.flush()


async def _check_things(uow: UnitOfWork, thing: Thing, ids: Collection[UUID]) -> None:
    """Raises: InvalidInput at the list of the things."""
    if not ids:
        return
    table, column, field = _TABLES[thing], NEED_COLUMNS[thing], field_of(thing)
    known = await uow.session.scalars(
        select(table.id).where(table.tenant_id == uow.tenant, table.id.in_(ids))
    )
    if set(known) != set(ids):
        sentence = _("One of these is not there any more. Please choose again.")
        raise InvalidInput(sentence, fields={field: sentence})
    full = exists(
        select(column)
        .where(WorksheetNeed.tenant_id == uow.tenant, column.in_(ids))
        .group_by(column)
        .having(func.count() >= MOST_ASKED)
    )
    if await uow.session.scalar(select(full)):
        sentence = _("At most %(limit)s worksheets can be asked for at once.", limit=MOST_ASKED)
        raise InvalidInput(sentence, fields={field: sentence})
