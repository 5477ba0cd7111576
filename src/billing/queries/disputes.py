"""Disputes of an order, of a customer, and in all."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, exists, func, select

from src.billing.models import DisputeRow, Order, Payment
from src.billing.views.disputes import DisputeSum, DisputeView
from src.platform.db.uow import UnitOfWork

WITH_THE_BANK = ("open", "lost")
"""States in which the bank has the money."""


async def list_disputes_of_order(uow: UnitOfWork, order_id: UUID) -> list[DisputeView]:
    """Oldest first."""
    found = await uow.session.scalars(
        select(DisputeRow)
        .where(DisputeRow.tenant_id == uow.tenant, DisputeRow.order_id == order_id)
        .order_by(DisputeRow.opened_at, DisputeRow.id)
    )
    return [
        DisputeView(
            amount_minor=row.amount_minor,
            currency=row.currency,
            state=row.state,
            opened_at=row.opened_at,
            decided_at=row.decided_at,
        )
        for row in found
    ]


async def sum_disputes(uow: UnitOfWork, customer_id: UUID | None = None) -> list[DisputeSum]:
    """How many there have been and what they are about, by state and currency; of all orders, or
    of one customer's.
    """
    statement = (
        select(
            DisputeRow.state, DisputeRow.currency, func.count(), func.sum(DisputeRow.amount_minor)
        )
        .where(DisputeRow.tenant_id == uow.tenant)
        .group_by(DisputeRow.state, DisputeRow.currency)
        .order_by(DisputeRow.currency, DisputeRow.state)
    )
    if customer_id is not None:
        statement = statement.join(
            Order, (Order.tenant_id == DisputeRow.tenant_id) & (Order.id == DisputeRow.order_id)
        ).where(Order.customer_id == customer_id)
    return [
        DisputeSum(state=row[0], currency=row[1], count=row[2], amount_minor=int(row[3]))
        for row in await uow.session.execute(statement)
    ]


def is_disputed() -> ColumnElement[bool]:
    """Whether there is, or was, a dispute about the row of `orders` at hand."""
    return exists().where(DisputeRow.tenant_id == Order.tenant_id, DisputeRow.order_id == Order.id)


def dispute_state_of_order() -> ScalarSelect[str]:
    """Where the disputes about the row of `orders` at hand stand: an open one before all others,
    else the one decided last; null without one.
    """
    return (
        select(DisputeRow.state)
        .where(DisputeRow.tenant_id == Order.tenant_id, DisputeRow.order_id == Order.id)
        .order_by(DisputeRow.decided_at.desc().nulls_first(), DisputeRow.id)
        .limit(1)
        .correlate(Order)
        .scalar_subquery()
    )


def taken_back_minor() -> ColumnElement[int]:
    """Minor units that banks have taken back for good from the row of `orders` at hand, in disputes
    that were lost: in the order's currency, and never more than is left of what was paid.
    """
    lost = (
        select(func.coalesce(func.sum(DisputeRow.amount_minor), 0))
        .where(
            DisputeRow.tenant_id == Order.tenant_id,
            DisputeRow.order_id == Order.id,
            DisputeRow.state == "lost",
            DisputeRow.currency == Order.currency,
        )
        .correlate(Order)
        .scalar_subquery()
    )
    return func.least(lost, Order.paid_minor - Order.refunded_minor)


async def get_taken_back_between(uow: UnitOfWork, since: datetime, until: datetime) -> int:
    """What disputes that were lost from `since`, and before `until`, add to `taken_back_minor()` of
    all orders.
    """
    is_before = DisputeRow.decided_at < since
    lost = (
        select(
            DisputeRow.order_id,
            func.sum(DisputeRow.amount_minor).label("in_all"),
            func.coalesce(func.sum(DisputeRow.amount_minor).filter(is_before), 0).label("before"),
            (Order.paid_minor - Order.refunded_minor).label("left"),
        )
        .join(Order, (Order.tenant_id == DisputeRow.tenant_id) & (Order.id == DisputeRow.order_id))
        .where(
            DisputeRow.tenant_id == uow.tenant,
            DisputeRow.state == "lost",
            DisputeRow.currency == Order.currency,
            DisputeRow.decided_at < until,
        )
        .group_by(DisputeRow.order_id, Order.paid_minor, Order.refunded_minor)
        .having(func.max(DisputeRow.decided_at) >= since)
        .subquery()
    )
    taken = func.least(lost.c.in_all, lost.c.left) - func.least(lost.c.before, lost.c.left)
    return int(await uow.session.scalar(select(func.sum(taken))) or 0)


async def get_taken_back_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What banks have taken back for good from one order; 0 for one that is not there."""
    found = await uow.session.scalar(
        select(taken_back_minor()).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    return int(found or 0)


def is_payment_with_the_bank() -> ColumnElement[bool]:
    """Whether a bank has taken back the row of `payments` at hand, so that none of it can go back
    to the guest a second time. The order is said too, for that is how disputes are indexed.
    """
    return exists().where(
        DisputeRow.tenant_id == Payment.tenant_id,
        DisputeRow.order_id == Payment.order_id,
        DisputeRow.payment_id == Payment.id,
        DisputeRow.state.in_(WITH_THE_BANK),
    )


def lost_of_payment_minor() -> ColumnElement[int]:
    """What banks have taken back for good from the row of `payments` at hand; all of it where the
    dispute is in another currency.
    """
    is_alike = DisputeRow.currency == Payment.currency
    lost = (
        select(func.sum(case((is_alike, DisputeRow.amount_minor), else_=Payment.amount_minor)))
        .where(
            DisputeRow.tenant_id == Payment.tenant_id,
            DisputeRow.order_id == Payment.order_id,
            DisputeRow.payment_id == Payment.id,
            DisputeRow.state == "lost",
        )
        .correlate(Payment)
        .scalar_subquery()
    )
    return func.coalesce(lost, 0)


def is_order_with_the_bank() -> ColumnElement[bool]:
    """Whether a bank has taken back a payment of the row of `orders` at hand, and no other one has
    anything left that could go back to the guest.
    """
    of_order = and_(
        Payment.tenant_id == Order.tenant_id,
        Payment.order_id == Order.id,
        Payment.is_extra.is_(False),
    )
    has_more = Payment.amount_minor > Payment.refunded_minor
    return and_(
        exists().where(of_order, is_payment_with_the_bank()),
        ~exists().where(of_order, has_more, ~is_payment_with_the_bank()),
    )


async def is_with_the_bank(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether nothing of the order's money can go back because a bank has taken it back."""
    found = await uow.session.scalar(
        select(is_order_with_the_bank())
        .select_from(Order)
        .where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    return bool(found)


async def list_dispute_states(uow: UnitOfWork, order_id: UUID) -> set[str]:
    """Where the disputes about the order's payments stand; empty without one."""
    found = await uow.session.scalars(
        select(DisputeRow.state).where(
            DisputeRow.tenant_id == uow.tenant, DisputeRow.order_id == order_id
        )
    )
    return set(found)


async def list_payments_with_the_bank(uow: UnitOfWork, order_id: UUID) -> set[UUID]:
    """Of the order's payments, those of which nothing can go back to the guest any more."""
    found = await uow.session.scalars(
        select(Payment.id).where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            is_payment_with_the_bank(),
        )
    )
    return set(found)


async def has_lost(uow: UnitOfWork, payment_id: UUID) -> bool:
    """Whether a bank has taken back some of the payment for good."""
    found = await uow.session.scalar(
        select(lost_of_payment_minor()).where(
            Payment.tenant_id == uow.tenant, Payment.id == payment_id
        )
    )
    return bool(found)
