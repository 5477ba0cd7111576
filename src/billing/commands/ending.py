"""How an open order ends without money: what it held is free again, with coupon, voucher and the
month's unit.

A seat is never freed while it can still be paid, so both commands refuse while a payment page is
alive; `settlement` closes the pages first.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select

from src.billing.commands.coupon_claims import give_back_coupon, return_use
from src.billing.commands.due import drop_due
from src.billing.commands.hand_back import keep_hand_back
from src.billing.commands.orders import lock_order
from src.billing.commands.voucher_claims import put_back, return_spend
from src.billing.domain.kinds import (
    LIVE_PAGES,
    RELEASED_WHY,
    OrderState,
    PageState,
    PaymentMode,
)
from src.billing.events import OrderExpired, TransferOver
from src.billing.lines import handlers_of
from src.billing.models import Order, Payment, PaymentPage
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.tenants.commands.counters import release_booking_unit


async def expire_order(uow: UnitOfWork, order_id: UUID, why: str, now: datetime) -> bool:
    """Ends the hold because its time is over; False when the order is not open any more.

    Raises: NotFound, Conflict while it can still be paid.
    """
    return await _end(uow, order_id, OrderState.EXPIRED, why, now)


async def cancel_open_order(uow: UnitOfWork, order_id: UUID, why: str, now: datetime) -> bool:
    """Ends the hold because someone gave it up; False when the order is not open any more.

    Unlike an expired one it is never brought back: money that comes for it goes back in full.
    Raises: NotFound, Conflict while it can still be paid.
    """
    return await _end(uow, order_id, OrderState.CANCELLED, why, now)


async def _end(uow: UnitOfWork, order_id: UUID, state: OrderState, why: str, now: datetime) -> bool:
    order = await lock_order(uow, order_id)
    if order.state != OrderState.OPEN:
        return False
    if await can_still_be_paid(uow, order_id):
        raise Conflict(_("This order can still be paid."), code="page_still_open")
    await end_locked_order(uow, order, state, why, now)
    return True


async def can_still_be_paid(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether any of the order's payment pages is alive, or may be for all we know."""
    return bool(await list_live_pages(uow, order_id))


async def list_live_pages(uow: UnitOfWork, order_id: UUID) -> list[UUID]:
    """Pages through which money may still come; one whose payment is written down has ended."""
    has_paid = exists(
        select(Payment.id).where(
            Payment.tenant_id == PaymentPage.tenant_id, Payment.page_id == PaymentPage.id
        )
    )
    found = await uow.session.scalars(
        select(PaymentPage.id)
        .where(
            PaymentPage.tenant_id == uow.tenant,
            PaymentPage.order_id == order_id,
            PaymentPage.state.in_([str(state) for state in LIVE_PAGES]),
            ~((PaymentPage.state == str(PageState.COMPLETE)) & has_paid),
        )
        .order_by(PaymentPage.attempt)
    )
    return list(found)


async def is_payment_on_its_way(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether a guest has paid by a slow method, so that the money may come; a page that is only
    alive may never be paid.
    """
    live = await list_live_pages(uow, order_id)
    found = await uow.session.scalars(
        select(PaymentPage.state).where(
            PaymentPage.tenant_id == uow.tenant, PaymentPage.id.in_(live)
        )
    )
    return PageState.COMPLETE in set(found)


async def _end_transfer(uow: UnitOfWork, order: Order) -> None:
    """What has come of the money goes back. Who gives it up, or calls it off, sees to it that its
    guest hears of that.
    """
    await keep_hand_back(uow, order)
    if order.state == OrderState.EXPIRED or order.closed_why == RELEASED_WHY:
        uow.record(TransferOver(order_id=order.id))


async def end_locked_order(
    uow: UnitOfWork, order: Order, state: OrderState, why: str, now: datetime
) -> None:
    """Ends an open order whose row is locked and which nobody can pay any more."""
    order.state = str(state)
    order.closed_at = now
    order.closed_why = why
    order.wanted_end = None
    uow.record(OrderExpired(order_id=order.id))
    if order.payment_mode == PaymentMode.TRANSFER:
        await _end_transfer(uow, order)
    await drop_due(uow, order.id)
    handlers = await handlers_of(uow, order)
    coupon_id, spent = await return_use(uow, order, now), await return_spend(uow, order, now)
    await uow.settle()
    for handler in handlers:
        await handler.release(uow, order, why, now)
    if coupon_id is not None:
        await give_back_coupon(uow, coupon_id, order.customer_id)
    if spent is not None:
        await put_back(uow, spent)
    if order.month is not None:
        await release_booking_unit(uow, order.month)
