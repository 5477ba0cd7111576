"""Telling guests about bank transfers, and reminding them, once and only while it is true."""

from src.billing.commands.due import drop_due
from src.billing.commands.orders import get_order, lock_order
from src.billing.cron import work_off
from src.billing.domain.holds import TRANSFER_REMINDER_DUE
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.events import TransferAwaited, TransferOver, TransferPartCame
from src.billing.models import Order
from src.billing.queries.transfers import is_noted
from src.billing.transfer_mails import AWAITED, OVER, PART, REMINDER, transfer_mail
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.platform.services import Services
from src.tenants.models import Due
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def tell_how_to_transfer(job: JobContext, event: TransferAwaited) -> None:
    """Nobody is asked for money that is not waited for any more."""
    async with job.unit_of_work(done=True) as uow:
        order = await get_order(uow, event.order_id)
        if not _is_awaited(order):
            return
        key = "" if event.again is None else str(event.again)
        await _tell(job.services, uow, order, AWAITED, key=key, is_changed=event.again is not None)


async def tell_part_came(job: JobContext, event: TransferPartCame) -> None:
    """Only while there is time for the rest, and not once that is there; nor of one that was taken
    off as a mistake. The order's row is locked, so that none is while the mail is written.
    """
    async with job.unit_of_work(done=True) as uow:
        order = await lock_order(uow, event.order_id)
        until = order.hold_expires_at
        if not _is_awaited(order) or not await is_noted(uow, event.again):
            return
        if until is not None and until > job.services.clock.now():
            await _tell(job.services, uow, order, PART, key=str(event.again))


async def tell_transfer_over(job: JobContext, event: TransferOver) -> None:
    """Unless it came at last, and brought everything back."""
    async with job.unit_of_work(done=True) as uow:
        order = await get_order(uow, event.order_id)
        if order.state in (OrderState.EXPIRED, OrderState.CANCELLED):
            await _tell(job.services, uow, order, OVER)


async def remind_of_transfers(services: Services) -> int:
    """Periodic. Returns how many reminders were looked at."""
    return await work_off(services, (TRANSFER_REMINDER_DUE,), remind_of_transfer)


async def remind_of_transfer(services: Services, due: Due) -> None:
    """The mail is written, and the reminder done, in one transaction, with the order's row locked:
    what is just marked as received is not asked for, and nobody is reminded twice.
    """
    async with services.uow_factory(due.tenant_id) as uow:
        order = await lock_order(uow, due.ref)
        await drop_due(uow, due.id)
        if not _is_awaited(order) or order.hold_expires_at is None:
            return
        if order.hold_expires_at > services.clock.now():
            until = f"{order.hold_expires_at:%Y-%m-%d}"
            await _tell(services, uow, order, REMINDER, key=until)


def _is_awaited(order: Order) -> bool:
    return order.state == OrderState.OPEN and order.payment_mode == PaymentMode.TRANSFER


async def _tell(
    services: Services,
    uow: UnitOfWork,
    order: Order,
    kind: str,
    *,
    key: str = "",
    is_changed: bool = False,
) -> None:
    if not order.guest_email:
        return
    settings = services.settings
    tenant = await tenant_snapshot(uow, uow.tenant, services.clock.now())
    wordings = await find_wordings(uow)
    mail = await transfer_mail(
        uow, settings, tenant, order, kind, wordings, key=key, is_changed=is_changed
    )
    await queue_mail(uow, mail, host=settings.host)
