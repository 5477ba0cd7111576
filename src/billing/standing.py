"""Whether anything of an order still stands: one answer for lists and pages.

An order that was confirmed stays so in its rows when its places are cancelled one by one, for its
money is still told by it. What became of what it sold is known to its line kinds.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select

from src.billing.domain.kinds import OrderState
from src.billing.lines import line_kinds
from src.billing.models import Order
from src.platform.db.uow import UnitOfWork


def is_all_cancelled() -> ColumnElement[bool]:
    """Whether the row of `orders` at hand was confirmed and all it sold is cancelled, as SQL.

    Make it when the statement is made, not when its module is loaded: kinds are registered by the
    composition root.
    """
    stands = or_(false(), *(kind.stands() for kind in line_kinds()))
    return (Order.state == str(OrderState.CONFIRMED)) & ~stands


async def get_is_all_cancelled(uow: UnitOfWork, order_id: UUID) -> bool:
    """The same of one order; False for one that is not there."""
    found = await uow.session.scalar(
        select(is_all_cancelled()).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    return bool(found)
