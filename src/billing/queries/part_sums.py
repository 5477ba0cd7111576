"""What of prices is still to be paid in parts, or asked no more."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from src.billing.domain.kinds import OrderState
from src.billing.domain.parts import STILL_TO_PAY, PartState
from src.billing.models import Instalment, Order
from src.platform.db.uow import UnitOfWork
from src.platform.money import Money


async def get_left_minor(uow: UnitOfWork, order_id: UUID | None) -> int:
    """What is still to be paid in parts for the order; 0 where nothing is."""
    found = await uow.session.scalar(
        select(func.coalesce(func.sum(Instalment.minor), 0)).where(
            Instalment.tenant_id == uow.tenant, Instalment.order_id == order_id, _is_left()
        )
    )
    return int(found or 0)


async def list_left_minor(uow: UnitOfWork, order_ids: Collection[UUID]) -> dict[UUID, int]:
    """The same of several orders; without those of which nothing is."""
    found = await uow.session.execute(
        select(Instalment.order_id, func.sum(Instalment.minor))
        .where(Instalment.tenant_id == uow.tenant, Instalment.order_id.in_(order_ids), _is_left())
        .group_by(Instalment.order_id)
    )
    return {order_id: int(minor) for order_id, minor in found.tuples()}


async def get_let_go_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What of the order's price is neither paid nor asked any more, of what was to be paid in
    parts.
    """
    gone = [str(PartState.WAIVED), str(PartState.VOID)]
    found = await uow.session.scalar(
        select(func.coalesce(func.sum(Instalment.minor), 0)).where(
            Instalment.tenant_id == uow.tenant,
            Instalment.order_id == order_id,
            Instalment.state.in_(gone),
        )
    )
    return int(found or 0)


async def list_left_of(uow: UnitOfWork, customer_ids: Collection[UUID]) -> list[Money]:
    """What these customers have still to pay in parts, by currency."""
    found = await uow.session.execute(
        select(Order.currency, func.sum(Instalment.minor))
        .join(Order, (Order.tenant_id == Instalment.tenant_id) & (Order.id == Instalment.order_id))
        .where(Instalment.tenant_id == uow.tenant, Order.customer_id.in_(customer_ids), _is_left())
        .where(Order.state == str(OrderState.CONFIRMED))
        .group_by(Order.currency)
        .order_by(Order.currency)
    )
    return [Money(int(minor), currency) for currency, minor in found.tuples()]


def _is_left() -> ColumnElement[bool]:
    return Instalment.state.in_([str(state) for state in STILL_TO_PAY])
