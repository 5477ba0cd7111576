"""Asks the processor about money whose events never came."""

from src.billing.commands.due import drop_due, move_due
from src.billing.commands.refunds import get_payment, get_refund
from src.billing.cron import PARALLEL, work_off
from src.billing.domain.kinds import LIVE_PAGES, PageOutcome, RefundState
from src.billing.domain.retries import (
    PAGE_DUE,
    REFUND_DUE,
    next_page_check,
    next_refund_check,
)
from src.billing.events import RefundRequested
from src.billing.models import PaymentPage
from src.billing.refund_news import take_refunds_of
from src.billing.settlement import close_page, settle_page
from src.platform.services import Services
from src.tenants.models import Due


async def reconcile(services: Services, *, parallel: int = PARALLEL) -> int:
    """Periodic: looks at pages and refunds that have not ended, ever more seldom. Returns how many
    were looked at. What is found takes effect exactly as an event would have made it.
    """
    return await work_off(services, (PAGE_DUE, REFUND_DUE), _look, parallel=parallel)


async def _look(services: Services, due: Due) -> None:
    await (_look_at_page if due.kind == PAGE_DUE else _look_at_refund)(services, due)


async def _look_at_page(services: Services, due: Due) -> None:
    """A page that outlived its time is ended, should the processor have forgotten to."""
    async with services.uow_factory(due.tenant_id) as uow:
        page = await uow.session.get(PaymentPage, {"tenant_id": due.tenant_id, "id": due.ref})
        if page is None or page.state not in LIVE_PAGES:
            await drop_due(uow, due.ref)
            return
    now = services.clock.now()
    is_over = now > page.expires_at
    outcome = await (close_page if is_over else settle_page)(services, due.tenant_id, page.id)
    if outcome in (PageOutcome.OPEN, PageOutcome.PROCESSING):
        async with services.uow_factory(due.tenant_id) as uow:
            await move_due(uow, due.ref, next_page_check(page.created_at, now))
        return
    async with services.uow_factory(due.tenant_id) as uow:
        await drop_due(uow, due.ref)


async def _look_at_refund(services: Services, due: Due) -> None:
    """One that was never called for, or whose job gave up, is sent again as the same attempt."""
    async with services.uow_factory(due.tenant_id) as uow:
        refund = await get_refund(uow, due.ref)
        if refund.state != RefundState.PENDING:
            await drop_due(uow, due.ref)
            return
        payment = await get_payment(uow, refund.payment_id)
        await move_due(uow, due.ref, next_refund_check(refund.created_at, services.clock.now()))
        if refund.processor_id is None:
            uow.record(RefundRequested(refund_id=refund.id))
            return
    await take_refunds_of(services, due.tenant_id, payment.payment_intent_id)
