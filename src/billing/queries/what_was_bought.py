"""What an order is about, in the words of its lines."""

from uuid import UUID

from sqlalchemy import select

from src.billing.models import OrderLine
from src.platform.db.uow import UnitOfWork


async def what_was_bought(uow: UnitOfWork, order_id: UUID) -> str:
    """Each thing once, as it was called when it was bought."""
    found = await uow.session.scalars(
        select(OrderLine.description)
        .where(OrderLine.tenant_id == uow.tenant, OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    )
    return "; ".join(dict.fromkeys(found))
