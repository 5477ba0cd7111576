"""Telling guests of fees: a day after they were asked for, when they are let go, or were paid."""

from src.billing.commands.due import drop_due
from src.billing.commands.fees import FEE_DUE, lock_fee
from src.billing.commands.orders import get_order
from src.billing.cron import work_off
from src.billing.domain.kinds import FeeKind, FeeState
from src.billing.events import FeeForgiven, FeePaid
from src.billing.fee_links import fee_path
from src.billing.fee_words import fee_reason
from src.billing.models import Fee, Order
from src.billing.views.fees import FeeMail
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import use_locale
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import Mail, queue_mail
from src.platform.money import Money, format_money
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from src.tenants.context import TenantSnapshot
from src.tenants.models import Due
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings
from src.tenants.worded_mails import SHIPPED, Wordings, render_worded

CHARGE_SECONDS = 60


async def charge_due_fees(services: Services) -> int:
    """Periodic: the time to forgive them is over. Returns how many were looked at."""
    return await work_off(services, (FEE_DUE,), charge_fee)


async def charge_fee(services: Services, due: Due) -> None:
    """One mail with the link to pay; none for one that is not asked any more. A second run finds
    its `due` row gone.
    """
    async with services.uow_factory(due.tenant_id) as uow:
        fee = await lock_fee(uow, due.ref)
        await drop_due(uow, due.ref)
        if fee.state == FeeState.ASKED and fee.told_at is None:
            fee.told_at = uow.clock.now()
            await _tell(uow, services.settings, fee, "fee_asked")


async def tell_of_forgiven_fee(job: JobContext, event: FeeForgiven) -> None:
    """Who was asked to pay hears that they need not."""
    async with job.unit_of_work(done=True) as uow:
        fee = await lock_fee(uow, event.fee_id)
        if fee.state in (FeeState.FORGIVEN, FeeState.DROPPED):
            await _tell(uow, job.services.settings, fee, "fee_forgiven")


async def tell_of_paid_fee(job: JobContext, event: FeePaid) -> None:
    """Who has paid on the payment page has it in writing that the money came for the fee."""
    async with job.unit_of_work(done=True) as uow:
        fee = await lock_fee(uow, event.fee_id)
        if fee.state == FeeState.PAID:
            await _tell(uow, job.services.settings, fee, "fee_paid")


async def _tell(uow: UnitOfWork, settings: Settings, fee: Fee, kind: str) -> None:
    order = await get_order(uow, fee.order_id)
    if not order.guest_email:
        return
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    mail = fee_mail(settings, tenant, fee, order, kind, await find_wordings(uow))
    await queue_mail(uow, mail, host=settings.host)


def fee_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    fee: Fee,
    order: Order,
    kind: str,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """`kind` is that of the mail; a fee is asked once each time that it is, and once for
    each corrected address. It is paid once at most.
    """
    with use_locale(order.locale):
        view = FeeMail(
            locale=order.locale,
            from_name=tenant.name,
            guest_name=order.guest_name,
            reference=order.reference,
            what=fee.what,
            when=datetime_local(fee.starts_at, tenant.zone),
            reason=fee_reason(FeeKind(fee.kind)),
            amount=format_money(Money(fee.amount_minor, fee.currency), order.locale),
            contact=tenant.contact_email,
            href=settings.base_url + fee_path(settings, tenant.slug, fee, order),
        )
    words = render_worded(kind, view, order.locale, wordings)
    version = f":{order.link_version}" if order.link_version else ""
    return Mail(
        kind=f"billing.{kind}",
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"{kind}:{fee.id}:{fee.at.isoformat()}{version}",
    )
