"""Telling the buyers of packages how their credits stand."""

from sqlalchemy import update

from src.billing.commands.instalments import list_parts
from src.billing.domain.credits import LotState
from src.billing.events import PackageBought, PackageLapsed
from src.billing.queries.receipts import list_taxes
from src.booking.jobs.worksheets import want_worksheets
from src.booking.package_mails import BOUGHT, LAPSED, package_mail
from src.booking.queries.package_purchase import find_bought
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.commands.customers import keep_customers
from src.tenants.models import Customer
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def tell_of_package(job: JobContext, event: PackageBought) -> None:
    """That it was bought, and whether it can be used; on site once more when it is paid. Whoever
    has bought one is established.
    """
    async with job.unit_of_work(done=True) as uow:
        order, lot = await find_bought(uow, event.order_id)
        kept = await keep_customers(uow, [order.customer_id])
        await uow.session.execute(
            update(Customer)
            .where(Customer.tenant_id == uow.tenant, Customer.id.in_(kept.values()))
            .where(Customer.is_established.is_(False))
            .values(is_established=True)
        )
        # What has come to nothing before the mail left was told of in another way.
        if lot.state == LotState.VOID:
            return
        await want_worksheets(uow, [event.order_id])
        if not order.guest_email:
            return
        settings = job.services.settings
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        taxes, wordings = await list_taxes(uow, order.id), await find_wordings(uow)
        mail = package_mail(
            BOUGHT,
            settings,
            tenant,
            order,
            lot,
            wordings,
            taxes=taxes,
            parts=await list_parts(uow, order.id),
            again=event.again,
        )
        await queue_mail(uow, mail, host=settings.host)


async def tell_of_lapse(job: JobContext, event: PackageLapsed) -> None:
    """That nothing is owed, and nothing is there to be used: unless it is by now."""
    async with job.unit_of_work(done=True) as uow:
        order, lot = await find_bought(uow, event.order_id)
        if not order.guest_email or lot.state != LotState.VOID:
            return
        settings = job.services.settings
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        mail = package_mail(
            LAPSED,
            settings,
            tenant,
            order,
            lot,
            await find_wordings(uow),
            again=event.again,
            to_voucher_minor=event.to_voucher_minor,
        )
        await queue_mail(uow, mail, host=settings.host)
