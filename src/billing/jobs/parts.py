"""Telling guests of the parts of a price: what was paid, was not, or need not be."""

from src.billing.commands.instalments import list_parts
from src.billing.commands.orders import get_order
from src.billing.domain.parts import PartState
from src.billing.events import PartNotPaid, PartsNotAsked, PartsPaid, PartWaived
from src.billing.part_charges import charge_due_parts
from src.billing.part_mails import FAILED, OVERDUE, PAID, WAIVED, about_parts, tell_of_parts
from src.billing.part_pages import end_stale_pages
from src.platform.jobs.context import JobContext
from src.platform.jobs.queue import Periodic
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot

CHARGE_SECONDS = 60


def charging(services: Services) -> Periodic:
    async def charge() -> None:
        await charge_due_parts(services)

    return Periodic("billing.charge_parts", charge, CHARGE_SECONDS)


async def end_pages_not_asked(job: JobContext, event: PartsNotAsked) -> None:
    """Consumer of PartsNotAsked: nobody pays by mistake what is not asked. Raises: Uncertain."""
    await end_stale_pages(job.services, job.tenant_id, event.order_id)
    async with job.unit_of_work(done=True):
        pass


async def tell_of_paid_parts(job: JobContext, event: PartsPaid) -> None:
    """Consumer of PartsPaid: a mail for each payment, with what is left to pay by now."""
    async with job.unit_of_work(done=True) as uow:
        order, parts = await get_order(uow, event.order_id), await list_parts(uow, event.order_id)
        paid = [part for part in parts if part.payment_id == event.payment_id]
        if not paid:
            return
        settings, tenant = (
            job.services.settings,
            await tenant_snapshot(uow, uow.tenant, job.clock.now()),
        )
        mark = str(event.payment_id)
        about = await about_parts(uow, settings, tenant, order, paid, parts, mark)
        await tell_of_parts(uow, settings, tenant, PAID, about)


async def tell_of_unpaid_part(job: JobContext, event: PartNotPaid) -> None:
    """Consumer of PartNotPaid: once when the card has not paid, and once when it is tried no more.
    One that was paid or let go meanwhile is not told of.
    """
    wanted = PartState.OVERDUE if event.is_last else PartState.DUE
    async with job.unit_of_work(done=True) as uow:
        order, parts = await get_order(uow, event.order_id), await list_parts(uow, event.order_id)
        found = [one for one in parts if one.id == event.part_id and one.state == wanted]
        if not found:
            return
        settings, tenant = (
            job.services.settings,
            await tenant_snapshot(uow, uow.tenant, job.clock.now()),
        )
        mark = event.day.isoformat()
        about = await about_parts(uow, settings, tenant, order, found, parts, mark)
        await tell_of_parts(uow, settings, tenant, OVERDUE if event.is_last else FAILED, about)


async def tell_of_waived_part(job: JobContext, event: PartWaived) -> None:
    """Consumer of PartWaived."""
    async with job.unit_of_work(done=True) as uow:
        order, parts = await get_order(uow, event.order_id), await list_parts(uow, event.order_id)
        found = [part for part in parts if part.id == event.part_id]
        settings, tenant = (
            job.services.settings,
            await tenant_snapshot(uow, uow.tenant, job.clock.now()),
        )
        about = await about_parts(uow, settings, tenant, order, found, parts, "waived")
        await tell_of_parts(uow, settings, tenant, WAIVED, about)
