"""A package that waits to be paid on site ends without its money."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, select

from src.billing.commands.credits import void_lots
from src.billing.commands.due import drop_due
from src.billing.commands.ending_parts import void_parts
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import request_refunds
from src.billing.domain.credits import LotState
from src.billing.domain.kinds import (
    CALLED_OFF_WHY,
    GIVEN_UP_WHY,
    OrderState,
    PaymentMode,
    RefundCause,
)
from src.billing.events import PackageLapsed
from src.billing.models import CreditLot, Order
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


async def lapse_package(uow: UnitOfWork, order_id: UUID, *, by_guest: bool = False) -> bool:
    """Voids the credits that wait for money at the desk; nothing is owed for them any more, and
    what a voucher had paid goes back to it. The order keeps its place in the books. False where
    nothing waits: it was paid, or has lapsed.

    `by_guest`: its buyer gave it up, and is told so. Raises: NotFound.
    """
    order = await lock_order(uow, order_id)
    if not await _lapse(uow, order):
        return False
    if by_guest:
        order.closed_why = GIVEN_UP_WHY
    uow.record(PackageLapsed(order_id=order_id))
    return True


async def cancel_package(uow: UnitOfWork, ctx: RequestContext, order_id: UUID) -> bool:
    """The business waits no longer for the money: the same, and its buyer is told who ended it.
    False where nothing waits, as above. Raises: NotFound.
    """
    if not await lapse_package(uow, order_id):
        return False
    order = await lock_order(uow, order_id)
    order.closed_why = CALLED_OFF_WHY
    await audit(uow, ctx, "order.package_cancelled", "order", order_id)
    return True


async def waits_at_desk(uow: UnitOfWork, order: Order) -> bool:
    """Whether credits of the order wait for money that the business takes itself."""
    if order.payment_mode != PaymentMode.ON_SITE or order.state != OrderState.CONFIRMED:
        return False
    waits = exists().where(
        CreditLot.tenant_id == uow.tenant,
        CreditLot.order_id == order.id,
        CreditLot.state == str(LotState.PENDING),
    )
    is_paid = order.paid_minor > order.voucher_minor
    return not is_paid and bool(await uow.session.scalar(select(waits)))


async def lapse_packages_of(uow: UnitOfWork, customer_ids: Collection[UUID]) -> None:
    """Nobody is left who would pay: all that wait for money of these customers end as they do when
    their time is over, later parts of a price are asked no more, and nobody is told. The orders are
    locked before, and the lots, as an erasure does.
    """
    found = await uow.session.scalars(
        select(CreditLot.order_id)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.customer_id.in_(customer_ids),
            CreditLot.state == str(LotState.PENDING),
            CreditLot.order_id.is_not(None),
        )
        .order_by(CreditLot.order_id)
        .distinct()
    )
    for order_id in found.all():
        if order_id is not None:
            await _lapse(uow, await lock_order(uow, order_id))
    in_parts = await uow.session.scalars(
        select(Order.id).where(
            Order.tenant_id == uow.tenant,
            Order.customer_id.in_(customer_ids),
            Order.later_minor > 0,
        )
    )
    await void_parts(uow, sorted(in_parts))


async def _lapse(uow: UnitOfWork, order: Order) -> bool:
    order_id = order.id
    await drop_due(uow, order_id)
    if not await waits_at_desk(uow, order):
        return False
    left_minor = order.paid_minor - order.refunded_minor
    if left_minor:
        key = f"lapsed:{order_id}"
        await request_refunds(uow, order, left_minor, cause=RefundCause.CANCELLED, cause_key=key)
    await uow.settle()
    await void_lots(uow, order_id)
    order.closed_at = uow.clock.now()
    return True
