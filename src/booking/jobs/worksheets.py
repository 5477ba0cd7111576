"""Giving the worksheets that an order asks for, mailing their links, and ending them with it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, select

from src.billing.domain.credit_acts import CreditAct
from src.billing.domain.credits import LotSource
from src.billing.events import CreditsChanged, PackageLapsed
from src.billing.models import CreditLot
from src.booking.commands.worksheet_copies import OPEN, ask_for_orders
from src.booking.commands.worksheet_endings import end_unasked
from src.booking.events import WorksheetsGiven, WorksheetsUnasked, WorksheetsWanted
from src.booking.models import WorksheetCopy, WorksheetVersion
from src.booking.queries.worksheet_needs import find_asked
from src.booking.worksheet_mails import worksheet_mail
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.platform.outbox.events import Registry
from src.tenants.commands.customers import keep_customers
from src.tenants.models import Customer
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


def register(registry: Registry) -> None:
    """Whoever buys is asked for them, unless it is cancelled, and who was given some is written
    to.
    """
    registry.on(WorksheetsWanted, "booking.ask_worksheets", ask_for_worksheets)
    registry.on(WorksheetsGiven, "booking.tell_worksheets", tell_of_worksheets)
    registry.on(WorksheetsUnasked, "booking.unask_worksheets", unask_worksheets)
    registry.on(PackageLapsed, "booking.unask_lapsed", unask_worksheets)
    registry.on(CreditsChanged, "booking.unask_refunded", unask_refunded)


async def want_worksheets(uow: UnitOfWork, order_ids: Sequence[UUID]) -> None:
    """Lets each of these orders that asks for something ask for it in a transaction of its own,
    which locks its customer.
    """
    for order_id in dict.fromkeys(one.order_id for one in await find_asked(uow, order_ids)):
        uow.record(WorksheetsWanted(order_id=order_id))


async def ask_for_worksheets(job: JobContext, event: WorksheetsWanted) -> None:
    """One mail with all that the order asks for and the customer has not had."""
    async with job.unit_of_work(done=True) as uow:
        given = await ask_for_orders(uow, [event.order_id])
        for copy_ids in given.values():
            await _tell(job, uow, copy_ids, action_id=copy_ids[0])


async def unask_worksheets(job: JobContext, event: WorksheetsUnasked | PackageLapsed) -> None:
    """Nothing where something of the order still stands."""
    async with job.unit_of_work(done=True) as uow:
        await end_unasked(uow, event.order_id)


async def unask_refunded(job: JobContext, event: CreditsChanged) -> None:
    """A package all of whose credits went back was cancelled in full; until that has failed, when
    it asks again.
    """
    async with job.unit_of_work(done=True) as uow:
        if event.act not in (CreditAct.REFUNDED, CreditAct.REFUND_FAILED):
            return
        lot = await uow.session.get_one(CreditLot, (uow.tenant, event.lot_id))
        if lot.order_id is None or lot.source != LotSource.PACKAGE:
            return
        if event.act == CreditAct.REFUNDED:
            await end_unasked(uow, lot.order_id)
        else:
            await want_worksheets(uow, [lot.order_id])


async def tell_of_worksheets(job: JobContext, event: WorksheetsGiven) -> None:
    """One mail for each act of staff; nothing of what was sent meanwhile."""
    async with job.unit_of_work(done=True) as uow:
        await keep_customers(uow, [event.customer_id])
        await _tell(job, uow, event.copy_ids, action_id=event.action_id)


async def _tell(
    job: JobContext, uow: UnitOfWork, copy_ids: Sequence[UUID], *, action_id: UUID
) -> None:
    """To who the customer is by now; nothing where no address of theirs is known."""
    found = await uow.session.execute(
        select(WorksheetCopy, WorksheetVersion.title)
        .join(
            WorksheetVersion,
            and_(
                WorksheetVersion.tenant_id == WorksheetCopy.tenant_id,
                WorksheetVersion.id == WorksheetCopy.version_id,
            ),
        )
        .where(
            WorksheetCopy.tenant_id == uow.tenant,
            WorksheetCopy.id.in_(copy_ids),
            WorksheetCopy.state.in_(OPEN),
        )
        .order_by(WorksheetVersion.title, WorksheetCopy.id)
    )
    copies = [(copy, title) for copy, title in found.tuples()]
    if not copies:
        return
    customer = await uow.session.get_one(Customer, (uow.tenant, copies[0][0].customer_id))
    if not customer.email or customer.erased_at is not None:
        return
    settings = job.services.settings
    tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
    mail = worksheet_mail(
        settings,
        tenant,
        customer,
        copies,
        action_id=action_id,
        now=job.clock.now(),
        locale=customer.locale or tenant.locale,
        wordings=await find_wordings(uow),
    )
    await queue_mail(uow, mail, host=settings.host)
