"""What a purchase had asked its customer to fill in ends with it, unless they have begun.

The rows go: an order that stands again asks again. Locks: the order, its customer's copies by id,
then the customer. Source: docs/algorithms/worksheets.md.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select

from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.commands.worksheet_copies import lock_customers
from src.booking.domain.worksheets import AskedRule, CopyState
from src.booking.events import WorksheetsUnasked
from src.booking.models import WorksheetCopy
from src.booking.queries.group_givers import still_stands
from src.booking.queries.worksheet_needs import find_asked
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.customers import keep_customers


async def note_unasked(uow: UnitOfWork, order_ids: Collection[UUID]) -> None:
    """Of these orders, of which something was cancelled, those whose customers may have been asked
    to fill something in wait for that to be looked at. One that asks just now has no copy to be
    seen yet.
    """
    waits = exists().where(
        WorksheetCopy.tenant_id == Order.tenant_id,
        WorksheetCopy.customer_id == Order.customer_id,
        *_not_begun(),
    )
    found = await uow.session.scalars(
        select(Order.id).where(Order.tenant_id == uow.tenant, Order.id.in_(order_ids), waits)
    )
    concerned = {*found, *(one.order_id for one in await find_asked(uow, list(order_ids)))}
    for order_id in sorted(concerned):
        uow.record(WorksheetsUnasked(order_id=order_id))


async def end_unasked(uow: UnitOfWork, order_id: UUID) -> int:
    """Ends what no purchase of the order's customer asks for any more, as far as they have not
    begun it. Returns how many worksheets that were.
    """
    order = await lock_order(uow, order_id)
    copies = await _lock_not_begun(uow, order.customer_id)
    kept = await keep_customers(uow, {order.customer_id})
    if not copies or order.customer_id not in kept:
        return 0
    await lock_customers(uow, [kept[order.customer_id]])
    asked = await _asked_by_others(uow, order.customer_id, {one.worksheet_id for one in copies})
    ended = [
        one.id
        for one in copies
        if one.worksheet_id not in asked
        and one.order_id is not None
        and not await still_stands(uow, one.order_id)
    ]
    await uow.session.execute(
        delete(WorksheetCopy).where(
            WorksheetCopy.tenant_id == uow.tenant, WorksheetCopy.id.in_(ended)
        ),
        execution_options={"synchronize_session": False},
    )
    return len(ended)


async def _lock_not_begun(uow: UnitOfWork, customer_id: UUID) -> Sequence[WorksheetCopy]:
    found = await uow.session.scalars(
        select(WorksheetCopy)
        .where(
            WorksheetCopy.tenant_id == uow.tenant,
            WorksheetCopy.customer_id == customer_id,
            *_not_begun(),
        )
        .order_by(WorksheetCopy.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def _asked_by_others(
    uow: UnitOfWork, customer_id: UUID, worksheet_ids: Collection[UUID]
) -> set[UUID]:
    """Those of the worksheets that are asked for once, and by something of the customer's that
    stands: whichever purchase came first, the others have asked for that one copy too.
    """
    orders = await uow.session.scalars(
        select(Order.id).where(
            Order.tenant_id == uow.tenant,
            Order.customer_id == customer_id,
            Order.state == str(OrderState.CONFIRMED),
        )
    )
    asked: set[UUID] = set()
    for one in await find_asked(uow, orders.all()):
        is_theirs = one.worksheet_id in worksheet_ids and one.rule == AskedRule.ONCE
        if is_theirs and one.worksheet_id not in asked and await still_stands(uow, one.order_id):
            asked.add(one.worksheet_id)
    return asked


def _not_begun() -> tuple[ColumnElement[bool], ...]:
    """Of those that a purchase asked for."""
    return (
        WorksheetCopy.state == str(CopyState.ASKED),
        WorksheetCopy.order_id.is_not(None),
    )
