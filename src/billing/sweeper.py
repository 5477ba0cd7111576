"""Ends holds whose time is over. A seat is never freed while it can still be paid."""

from datetime import timedelta

from src.billing.commands.due import drop_due, move_due
from src.billing.commands.orders import get_order
from src.billing.cron import PARALLEL, work_off
from src.billing.domain.holds import HOLD_DUE
from src.billing.domain.kinds import OrderState
from src.billing.settlement import end_hold
from src.platform.services import Services
from src.tenants.models import Due

SLOW_PAYMENT_CHECK = timedelta(hours=1)
"""How often we look again at a hold whose payment was made but has not arrived."""


async def sweep_holds(services: Services, *, parallel: int = PARALLEL) -> int:
    """Periodic: for each hold that is over, expires its payment page at the processor first,
    fulfils the order if it turns out paid, and frees the seats otherwise. Returns how many.

    While the processor does not answer the seats stay held.
    """
    return await work_off(services, (HOLD_DUE,), sweep_hold, parallel=parallel)


async def sweep_hold(services: Services, due: Due) -> None:
    """Raises: Uncertain."""
    async with services.uow_factory(due.tenant_id) as uow:
        order = await get_order(uow, due.ref)
        if order.state != OrderState.OPEN or order.hold_expires_at is None:
            await drop_due(uow, due.ref)
            return
        if order.hold_expires_at > services.clock.now():
            await move_due(uow, due.ref, order.hold_expires_at)
            return
    became = await end_hold(services, due.tenant_id, due.ref)
    if became == OrderState.OPEN:
        async with services.uow_factory(due.tenant_id) as uow:
            await move_due(uow, due.ref, services.clock.now() + SLOW_PAYMENT_CHECK)
