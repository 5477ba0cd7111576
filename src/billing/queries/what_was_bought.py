"""What an order is about, in words."""

from zoneinfo import ZoneInfo

from src.billing.lines import handlers_of
from src.billing.models import Order
from src.platform.db.uow import UnitOfWork


async def what_was_bought(uow: UnitOfWork, order: Order, zone: ZoneInfo) -> str:
    """Each thing once, as it is by now, in the current language and with times in the `zone`.

    The order's lines keep what it was when it was sold, in the business's language.
    """
    handlers = await handlers_of(uow, order)
    names = [name for one in handlers for name in await one.names(uow, order.id, zone)]
    return "; ".join(dict.fromkeys(names))
