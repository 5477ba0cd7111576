"""What a business has still to give back by hand, of what it took itself."""

from uuid import UUID

from sqlalchemy import ColumnElement, Integer, func, select, true

from src.billing.domain.kinds import BY_HAND_METHODS, OpenItemKind
from src.billing.models import OpenItem, Order, Payment
from src.platform.db.uow import UnitOfWork


async def get_to_hand_back_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What guests were told that they get, and nobody has said yet that they have it."""
    found = await uow.session.scalar(
        select(to_hand_back_minor()).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    return int(found or 0)


def to_hand_back_minor(*, of_price: bool = False) -> ColumnElement[int]:
    """The same of the row of `orders` at hand; `of_price`: without what was paid beyond it."""
    told = (
        select(func.sum(OpenItem.facts["amount_minor"].astext.cast(Integer)))
        .where(
            OpenItem.tenant_id == Order.tenant_id,
            OpenItem.order_id == Order.id,
            OpenItem.kind == str(OpenItemKind.HAND_BACK),
            OpenItem.closed_at.is_(None),
            OpenItem.facts["extra"].astext.is_distinct_from("true") if of_price else true(),
        )
        .correlate(Order)
        .scalar_subquery()
    )
    return func.coalesce(told, 0)


async def get_left_by_hand_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What the business took itself for the order and has neither given back nor to give back."""
    taken = await uow.session.scalar(
        select(func.sum(Payment.amount_minor - Payment.refunded_minor)).where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            Payment.method.in_(BY_HAND_METHODS),
        )
    )
    return max(int(taken or 0) - await get_to_hand_back_minor(uow, order_id), 0)
