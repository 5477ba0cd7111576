"""Parts of a price that are asked no more, since nothing is bought with them; and asked again where
the refund has failed with which their credits had left.

The order's row is locked by whoever ends its parts, as by whoever changes one.
Source: docs/algorithms/payment-plans.md.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update

from src.billing.commands.due import add_due, drop_several_due
from src.billing.commands.open_items import close_open_items
from src.billing.domain.credits import LotSource
from src.billing.domain.kinds import OpenItemKind, OrderState, PageState
from src.billing.domain.parts import PART_DUE, STILL_TO_PAY, PartState, charged_at, reminded_at
from src.billing.events import PartsNotAsked
from src.billing.models import CreditLot, Instalment, Order, PaymentPage
from src.billing.queries.disputes import list_dispute_states
from src.billing.queries.lots import owner_was_erased
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.tenants.queries.tenants import tenant_snapshot


async def void_parts(uow: UnitOfWork, order_ids: Collection[UUID]) -> int:
    """What is not paid of the locked orders is asked no more, as nothing is bought with it. Money
    that comes for it all the same goes back. Returns how many there were.
    """
    waiting = await uow.session.scalars(
        select(Instalment.id)
        .where(
            Instalment.tenant_id == uow.tenant,
            Instalment.order_id.in_(order_ids),
            Instalment.state.in_([str(state) for state in STILL_TO_PAY]),
        )
        .order_by(Instalment.id)
        .with_for_update(key_share=True)
    )
    found = await uow.session.execute(
        update(Instalment)
        .where(Instalment.tenant_id == uow.tenant, Instalment.id.in_(waiting.all()))
        .values(
            state=str(PartState.VOID),
            decided_at=uow.clock.now(),
            next_try_at=None,
        )
        .returning(Instalment.id, Instalment.order_id)
        .execution_options(synchronize_session=False)
    )
    order_of = dict(found.tuples().all())
    if order_of:
        await drop_several_due(uow, sorted(order_of))
    for part_id in sorted(order_of):
        await close_open_items(uow, OpenItemKind.PART_OVERDUE, part_id)
    for order_id in sorted(set(order_of.values())):
        uow.record(PartsNotAsked(order_id=order_id))
    return len(order_of)


async def resume_parts(uow: UnitOfWork, order: Order) -> None:
    """A refund with which credits had left has failed, and they are back: once all are whose money
    was to go, the parts that were let go with them are asked again. They begin anew, each announced
    before it is charged.
    """
    if not order.later_minor or order.state != OrderState.CONFIRMED:
        return
    await uow.session.flush()
    if await _are_credits_gone(uow, order):
        return
    now = uow.clock.now()
    zone = (await tenant_snapshot(uow, uow.tenant, now)).zone
    for part in await _list_void(uow, order.id):
        part.state, part.decided_at, part.reminded_at = str(PartState.DUE), None, None
        part.attempts, part.next_try_at = 0, charged_at(part.due_on, zone)
        if part.page_id is not None and not await _is_under_way(uow, part.page_id):
            part.page_id = None
        await add_due(uow, PART_DUE, part.id, max(now, reminded_at(part.due_on, zone)))


async def end_parts_again(uow: UnitOfWork, order: Order, failed_at: datetime | None) -> None:
    """The refund that failed then is tried again, and its credits leave: the rest of their price is
    asked no more. Raises: Conflict where a part was paid since, of which nothing would go back.
    """
    paid_at = (
        select(Instalment.id)
        .where(
            Instalment.tenant_id == uow.tenant,
            Instalment.order_id == order.id,
            Instalment.state == str(PartState.PAID),
            Instalment.decided_at > failed_at,
        )
        .limit(1)
    )
    if failed_at is not None and await uow.session.scalar(paid_at) is not None:
        raise Conflict(
            _(
                "A part of the price has been paid since the refund failed. Refund the credits from"
                " their own page, so that it goes back with them."
            ),
            code="part_paid",
        )
    await void_parts(uow, [order.id])


async def _list_void(uow: UnitOfWork, order_id: UUID) -> list[Instalment]:
    found = await uow.session.scalars(
        select(Instalment)
        .where(
            Instalment.tenant_id == uow.tenant,
            Instalment.order_id == order_id,
            Instalment.state == str(PartState.VOID),
        )
        .order_by(Instalment.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def _are_credits_gone(uow: UnitOfWork, order: Order) -> bool:
    """Whether money for some is gone or on its way, or nobody is left to use them."""
    if "lost" in await list_dispute_states(uow, order.id):
        return True
    found = await uow.session.scalar(
        select(CreditLot.id)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order.id,
            CreditLot.source == str(LotSource.PACKAGE),
            or_(CreditLot.refunded_minor > 0, owner_was_erased()),
        )
        .limit(1)
    )
    return found is not None


async def _is_under_way(uow: UnitOfWork, page_id: UUID) -> bool:
    """Whether a charge that began before the parts were let go may still bring its money."""
    page = await uow.session.get_one(PaymentPage, (uow.tenant, page_id))
    return page.state in (PageState.PENDING, PageState.OPEN)
