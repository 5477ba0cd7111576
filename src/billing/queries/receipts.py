"""What one customer has paid, and what came back."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from src.billing.domain.credits import LotState
from src.billing.domain.kinds import (
    CALLED_OFF_WHY,
    GIVEN_UP_WHY,
    VOUCHER_METHOD,
    OrderState,
    RefundState,
)
from src.billing.lines import list_sold_by_tier, list_sold_now
from src.billing.models import CreditLot, Order, OrderLine, Payment, Refund
from src.billing.owed import get_not_due_minor, get_owed_minor, list_owed_minor
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.order_page import in_other_words, line_views
from src.billing.queries.part_sums import get_left_minor, get_let_go_minor, list_left_minor
from src.billing.queries.refund_failures import is_waiting
from src.billing.views.receipts import (
    Receipt,
    ReceiptPayment,
    ReceiptRefund,
    ReceiptRow,
    TaxSum,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot


async def list_receipts(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    customer_id: UUID,
    path: str,
    *,
    limit: int,
    offset: int = 0,
) -> list[ReceiptRow]:
    """The customer's orders with money in them, newest first; each leads to one below `path`."""
    of_order = (OrderLine.tenant_id == Order.tenant_id, OrderLine.order_id == Order.id)
    bought = select(func.array_agg(aggregate_order_by(OrderLine.description, OrderLine.position)))
    found = await uow.session.execute(
        select(Order, bought.where(*of_order).scalar_subquery(), _too_much_minor())
        .add_columns(in_circle_minor())
        .where(*_has_receipt(uow, customer_id))
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(limit)
        .offset(offset)
    )
    rows = found.all()
    ids = [row[0].id for row in rows]
    owed, lapsed = await list_owed_minor(uow, ids), await _lapsed(uow, ids)
    now_for, in_parts = await list_sold_now(uow, ids, tenant), await list_left_minor(uow, ids)
    return [
        ReceiptRow(
            order_id=order.id,
            href=f"{path}/{order.id}",
            reference=order.reference,
            what=bought[0] if bought else "",
            # One thing at two prices is two lines.
            more=max(len(set(bought or ())) - 1, 0),
            by_now=in_other_words(bought or (), now_for.get(order.id, ())),
            ordered_at=order.created_at,
            total_minor=order.total_minor,
            paid_minor=order.paid_minor,
            refunded_minor=order.refunded_minor - int(in_circle),
            too_much_minor=int(too_much),
            owed_minor=owed.get(order.id, 0),
            in_parts_minor=in_parts.get(order.id, 0),
            currency=order.currency,
            has_lapsed=order.id in lapsed,
            is_given_up=order.closed_why == GIVEN_UP_WHY,
            is_called_off=order.closed_why == CALLED_OFF_WHY,
        )
        for order, bought, too_much, in_circle in rows
    ]


def _too_much_minor() -> ColumnElement[int]:
    """What is back, or on its way, of what came beside the price of the row of `orders` at hand."""
    back = func.coalesce(func.sum(Payment.refunded_minor), 0)
    found: ColumnElement[int] = (
        select(case((Order.state == str(OrderState.CONFIRMED), back), else_=0))
        .where(
            Payment.tenant_id == Order.tenant_id,
            Payment.order_id == Order.id,
            Payment.currency == Order.currency,
            Payment.is_extra,
        )
        .correlate(Order)
        .scalar_subquery()
    )
    return found


def in_circle_minor() -> ColumnElement[int]:
    """What went from the row of `orders` at hand back to its voucher and was paid with it once
    more, as a package came back: to its buyer that is one payment, and nothing that came or went
    beside it.
    """
    again = func.coalesce(func.sum(Payment.amount_minor), 0) - Order.voucher_minor
    back = func.coalesce(func.sum(Payment.refunded_minor), 0)
    found: ColumnElement[int] = (
        select(func.greatest(0, func.least(again, back)))
        .where(
            Payment.tenant_id == Order.tenant_id,
            Payment.order_id == Order.id,
            Payment.method == VOUCHER_METHOD,
        )
        .group_by(Order.voucher_minor)
        .correlate(Order)
        .scalar_subquery()
    )
    return func.coalesce(found, 0)


def _has_receipt(uow: UnitOfWork, customer_id: UUID) -> list[ColumnElement[bool]]:
    """Of orders that stood and cost something, or that money came for, though too late; what was
    free says nothing of money.
    """
    came = exists().where(Payment.tenant_id == Order.tenant_id, Payment.order_id == Order.id)
    return [
        Order.tenant_id == uow.tenant,
        Order.customer_id == customer_id,
        or_(and_(Order.confirmed_at.is_not(None), Order.total_minor > 0), came),
    ]


async def get_receipt(
    uow: UnitOfWork, tenant: TenantSnapshot, customer_id: UUID, order_id: UUID
) -> tuple[Receipt, Order]:
    """Its lines stay as they were sold, with what they are for by now beside them.

    Raises: NotFound, for another customer's too.
    """
    order = await uow.session.scalar(
        select(Order).where(Order.id == order_id, *_has_receipt(uow, customer_id))
    )
    if order is None:
        raise NotFound(_("There is no such receipt."))
    lines = sorted(await _of_order(uow, OrderLine, order_id), key=lambda line: line.position)
    payments = await _of_order(uow, Payment, order_id)
    receipt = Receipt(
        reference=order.reference,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        ordered_at=order.created_at,
        lines=line_views(lines, await list_sold_by_tier(uow, order_id, tenant)),
        coupon=await coupon_code_of(uow, order),
        discount_minor=order.discount_minor,
        total_minor=order.total_minor,
        taxes=_taxes(lines),
        payments=[_payment(one, order) for one in payments],
        refunds=_refunds(await _refunds_to_tell(uow, order_id), payments),
        paid_minor=order.paid_minor,
        refunded_minor=order.refunded_minor,
        owed_minor=await get_owed_minor(uow, order_id),
        not_due_minor=await get_not_due_minor(uow, order_id),
        in_parts_minor=await get_left_minor(uow, order_id),
        let_go_minor=await get_let_go_minor(uow, order_id),
        currency=order.currency,
        has_lapsed=bool(await _lapsed(uow, [order_id])),
        is_given_up=order.closed_why == GIVEN_UP_WHY,
        is_called_off=order.closed_why == CALLED_OFF_WHY,
    )
    return receipt, order


async def _lapsed(uow: UnitOfWork, order_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the orders that stood for a package whose credits never came to be."""
    found = await uow.session.scalars(
        select(CreditLot.order_id)
        .join(Order, (Order.tenant_id == CreditLot.tenant_id) & (Order.id == CreditLot.order_id))
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id.in_(order_ids),
            CreditLot.state == str(LotState.VOID),
            Order.state == str(OrderState.CONFIRMED),
        )
    )
    return {order_id for order_id in found if order_id is not None}


async def _of_order(uow: UnitOfWork, model: Any, order_id: UUID) -> Sequence[Any]:
    found = await uow.session.scalars(
        select(model)
        .where(model.tenant_id == uow.tenant, model.order_id == order_id)
        .order_by(model.id)
    )
    return found.all()


async def _refunds_to_tell(uow: UnitOfWork, order_id: UUID) -> Sequence[Refund]:
    """Without those that failed and were dealt with in another way."""
    found = await uow.session.scalars(
        select(Refund)
        .where(
            Refund.tenant_id == uow.tenant,
            Refund.order_id == order_id,
            or_(Refund.state != str(RefundState.FAILED), is_waiting()),
        )
        .order_by(Refund.id)
    )
    return found.all()


async def list_taxes(uow: UnitOfWork, order_id: UUID) -> list[TaxSum]:
    """How much tax is in the order's price, by rate."""
    return _taxes(await _of_order(uow, OrderLine, order_id))


def _taxes(lines: Sequence[OrderLine]) -> list[TaxSum]:
    """By rate, for it is the rate that a reader looks for."""
    sums: Counter[int] = Counter()
    for line in lines:
        sums[line.tax_rate_bp] += line.tax_minor
    return [TaxSum(rate_bp, minor) for rate_bp, minor in sorted(sums.items()) if minor]


def _payment(payment: Payment, order: Order) -> ReceiptPayment:
    """Of an order that never stood nothing came beyond its price: all of it goes back."""
    return ReceiptPayment(
        at=payment.received_at,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        method=payment.method,
        is_extra=payment.is_extra and order.state == OrderState.CONFIRMED,
    )


def _refunds(refunds: Sequence[Refund], payments: Sequence[Payment]) -> list[ReceiptRefund]:
    by_id = {payment.id: payment for payment in payments}
    return [
        ReceiptRefund(
            at=refund.finished_at or refund.created_at,
            amount_minor=refund.amount_minor,
            currency=by_id[refund.payment_id].currency,
            state=refund.state,
            way=_way(refund, by_id[refund.payment_id]),
        )
        for refund in refunds
    ]


def _way(refund: Refund, payment: Payment) -> str:
    if refund.voucher_id is None:
        return "money"
    return "voucher" if refund.voucher_id == payment.voucher_id else "new_voucher"
