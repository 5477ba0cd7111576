"""What a business has still to give back by hand, of what it took itself."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Integer, Uuid, any_, bindparam, func, select, true

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


async def list_open_by_hand_minor(
    uow: UnitOfWork, subject_ids: Collection[UUID]
) -> dict[UUID, int]:
    """What is still to be handed back, by what it is for; nothing of what has been handed back."""
    if not subject_ids:
        return {}
    found = await uow.session.execute(
        select(OpenItem.subject_id, OpenItem.facts["amount_minor"].astext.cast(Integer)).where(
            OpenItem.tenant_id == uow.tenant,
            OpenItem.kind == str(OpenItemKind.HAND_BACK),
            OpenItem.subject_id == any_(bindparam(None, list(subject_ids), type_=ARRAY(Uuid()))),
            OpenItem.closed_at.is_(None),
        )
    )
    return {row[0]: row[1] for row in found}


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
