"""Telling guests of what they transferred and get back: that it goes, and that it has gone."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.orders import get_order, lock_order
from src.billing.domain.kinds import STANDING, OrderState
from src.billing.domain.transfers import transfer_name
from src.billing.events import TransferNotDue, TransferSentBack
from src.billing.models import Order, Payment
from src.billing.queries.transfers import get_received_minor
from src.billing.standing import get_is_all_cancelled
from src.billing.transfer_back_mails import NOT_DUE, SENT_BACK, transfer_back_mail
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, use_locale
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.platform.money import Money, format_money
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def tell_transfer_not_due(job: JobContext, event: TransferNotDue) -> None:
    """Nothing where all of it found its use after all, was taken off as a mistake, or has gone
    back by now, which has a mail of its own. The order's row is locked, so that none of that
    happens while the mail is written.
    """
    async with job.unit_of_work(done=True) as uow:
        order = await lock_order(uow, event.order_id)
        noted = await _noted(uow, event)
        came_minor = sum(one.amount_minor for one in noted)
        back_minor = sum(
            one.amount_minor - one.refunded_minor
            for one in noted
            if one.is_extra or order.state not in STANDING
        )
        if not back_minor or not order.guest_email:
            return
        with use_locale(order.locale):
            reason = await _why(uow, order, came_minor - back_minor)
        await _tell(job, uow, order, NOT_DUE, event.again, back_minor, came_minor, reason)


async def _noted(uow: UnitOfWork, event: TransferNotDue) -> Sequence[Payment]:
    names = (transfer_name(event.again), transfer_name(event.again, is_extra=True))
    found = await uow.session.scalars(
        select(Payment).where(Payment.tenant_id == uow.tenant, Payment.payment_intent_id.in_(names))
    )
    return found.all()


async def _why(uow: UnitOfWork, order: Order, used_minor: int) -> str:
    """In the current language; `used_minor` of the transfer was due."""
    if used_minor:
        amount = format_money(Money(used_minor, order.currency), order.locale)
        return _("Only %(amount)s of it was due.", amount=amount)
    if order.state == OrderState.CANCELLED or await get_is_all_cancelled(uow, order.id):
        return _("Nothing was due any more, since what it was for had ended before.")
    if order.state == OrderState.CONFIRMED:
        return _("Nothing was due any more: it was paid before, and stays as it is.")
    if await get_received_minor(uow, order.id):
        return _("The time to pay was over, and less than the price has come.")
    return _("The time to pay was over, and what it was for could not be had any more.")


async def tell_sent_back(job: JobContext, event: TransferSentBack) -> None:
    async with job.unit_of_work(done=True) as uow:
        order = await get_order(uow, event.order_id)
        if order.guest_email:
            await _tell(job, uow, order, SENT_BACK, event.again, event.amount_minor)


async def _tell(
    job: JobContext,
    uow: UnitOfWork,
    order: Order,
    kind: str,
    again: UUID,
    back_minor: int,
    came_minor: int = 0,
    reason: str = "",
) -> None:
    settings = job.services.settings
    tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
    mail = await transfer_back_mail(
        uow,
        settings,
        tenant,
        order,
        kind,
        await find_wordings(uow),
        key=str(again),
        back_minor=back_minor,
        came_minor=came_minor,
        reason=reason,
    )
    await queue_mail(uow, mail, host=settings.host)
