"""Whether anything was ever sold."""

from sqlalchemy import exists, select

from src.billing.models import Order
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _


async def lock_currency_by_sales(uow: UnitOfWork) -> str | None:
    """A sentence once there is an order that costs something, whatever became of it."""
    sold = exists().where(Order.tenant_id == uow.tenant, Order.total_minor > 0)
    if await uow.session.scalar(select(sold)):
        return _("It cannot change any more: you have sold something in it.")
    return None
