"""Mailing vouchers: once for each wish, on their day."""

from uuid import UUID

from sqlalchemy import select

from src.billing.commands.due import drop_due
from src.billing.commands.orders import get_order
from src.billing.commands.voucher_lines import VOUCHER_DUE, send_now
from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.cron import work_off
from src.billing.domain.vouchers import VoucherSource, VoucherState, is_over
from src.billing.events import VoucherBought, VoucherToSend
from src.billing.models import Order, Payment, Refund, Voucher
from src.billing.voucher_mails import bought_mail, voucher_mail
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import queue_mail
from src.platform.services import Services
from src.tenants.models import Customer, Due
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

SEND_SECONDS = 30


async def send_voucher(job: JobContext, event: VoucherToSend) -> None:
    """To whoever it is for, with the page to print. One that was blocked, has expired or is used up
    by now is not sent any more.
    """
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        voucher = await _locked(uow, event.voucher_id)
        if voucher is None or voucher.state != VoucherState.ACTIVE:
            return
        if voucher.balance_minor == 0 or is_over(voucher.expires_at, now):
            return
        buyer_email, buyer = await _buyer(uow, voucher)
        to = (voucher.recipient_email, voucher.recipient_name or buyer)
        giver = buyer if voucher.recipient_email else ""
        if not voucher.recipient_email:
            to = (buyer_email, buyer)
        if not to[0]:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        words, wordings = (await get_voucher_offer(uow)).words, await find_wordings(uow)
        refunds = await _refunds_of(uow, voucher)
        # The wish is named by its number: another one may have come meanwhile.
        voucher.sent_at = now
        mail = voucher_mail(
            settings,
            tenant,
            voucher,
            to,
            giver,
            words,
            wordings,
            number=event.number,
            refunds=refunds,
        )
        await queue_mail(uow, mail, host=settings.host)


async def tell_of_purchase(job: JobContext, event: VoucherBought) -> None:
    """The buyer of a present hears that it is paid; who bought it for themselves gets it anyway."""
    settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        voucher = await uow.session.get(Voucher, (uow.tenant, event.voucher_id))
        if voucher is None or not voucher.recipient_email:
            return
        order = await get_order(uow, event.order_id)
        if not order.guest_email:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        mail = bought_mail(settings, tenant, voucher, order, await find_wordings(uow))
        await queue_mail(uow, mail, host=settings.host)


def sending(services: Services) -> Periodic:
    """Presents whose morning has come."""

    async def send() -> None:
        await work_off(services, (VOUCHER_DUE,), send_due)

    return Periodic("billing.send_vouchers", send, SEND_SECONDS)


async def send_due(services: Services, due: Due) -> None:
    async with services.uow_factory(due.tenant_id) as uow:
        await drop_due(uow, due.ref)
        voucher = await _locked(uow, due.ref)
        if voucher is not None:
            send_now(uow, voucher)


async def _locked(uow: UnitOfWork, voucher_id: UUID) -> Voucher | None:
    found: Voucher | None = await uow.session.scalar(
        select(Voucher)
        .where(Voucher.tenant_id == uow.tenant, Voucher.id == voucher_id)
        .with_for_update(key_share=True)
    )
    return found


async def _refunds_of(uow: UnitOfWork, voucher: Voucher) -> list[tuple[str, str]]:
    """Of one that was given in place of money: for which orders, and why."""
    if voucher.source != VoucherSource.REFUND:
        return []
    found = await uow.session.execute(
        select(Order.reference, Refund.cause)
        .join(Refund, (Refund.tenant_id == Order.tenant_id) & (Refund.order_id == Order.id))
        .join(Payment, (Payment.tenant_id == Refund.tenant_id) & (Payment.id == Refund.payment_id))
        .where(
            Order.tenant_id == uow.tenant,
            Refund.voucher_id == voucher.id,
            Payment.voucher_id.is_distinct_from(voucher.id),
        )
        .distinct()
        .order_by(Order.reference, Refund.cause)
    )
    return list(found.tuples())


async def _buyer(uow: UnitOfWork, voucher: Voucher) -> tuple[str, str]:
    """Address and name as they were given with the order, or as the customer's are."""
    if voucher.order_id is not None:
        order = await get_order(uow, voucher.order_id)
        return order.guest_email, order.guest_name
    found = await uow.session.execute(
        select(Customer.email, Customer.name).where(
            Customer.tenant_id == uow.tenant, Customer.id == voucher.customer_id
        )
    )
    email, name = found.one()
    return email or "", name
