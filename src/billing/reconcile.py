"""Asks the processor about money whose events never came."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from src.billing.commands.connect import find_account, note_asked, recheck_account
from src.billing.commands.due import drop_due, move_due
from src.billing.commands.inbox import HANDLED_TYPES, list_unknown, receive_event
from src.billing.commands.refunds import get_payment, get_refund
from src.billing.cron import PARALLEL, Work, work_off
from src.billing.domain.kinds import LIVE_PAGES, PageOutcome, RefundState
from src.billing.domain.retries import (
    ACCOUNT_DUE,
    PAGE_DUE,
    REFUND_DUE,
    events_since,
    next_account_check,
    next_page_check,
    next_refund_check,
)
from src.billing.events import RefundRequested
from src.billing.models import PaymentPage
from src.billing.refund_news import take_refunds_of
from src.billing.settlement import close_page, settle_page
from src.billing.stripe_gateway import StripeGateway
from src.platform.services import Services
from src.tenants.models import Due

log = structlog.get_logger(__name__)


async def reconcile(services: Services, *, parallel: int = PARALLEL) -> int:
    """Periodic: looks at pages and refunds that have not ended, ever more seldom, and at every
    business's account. Returns how many were looked at. What is found takes effect exactly as an
    event would have made it.
    """
    return await work_off(services, tuple(LOOKS), _look, parallel=parallel)


async def _look(services: Services, due: Due) -> None:
    await LOOKS[due.kind](services, due)


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


async def _look_at_account(services: Services, due: Due) -> None:
    """Whether the business may charge, and whatever happened on its account that we never heard of:
    refunds that others made or that came back, and disputes.
    """
    now = services.clock.now()
    is_ready = await recheck_account(services, due.tenant_id)
    async with services.uow_factory(due.tenant_id) as uow:
        account = await find_account(uow)
        if account is None or account.disconnected_at is not None:
            await drop_due(uow, due.ref)
            return
    since = events_since(account.asked_until or account.created_at, now)
    await _take_lost_events(services, account.account_id, since)
    async with services.uow_factory(due.tenant_id) as uow:
        await note_asked(uow, account.account_id, now)
        at = next_account_check(account.created_at, now, is_ready=is_ready)
        await move_due(uow, due.ref, at)


async def _take_lost_events(services: Services, account_id: str, since: datetime) -> None:
    """Each goes through the inbox, which knows those that came by themselves."""
    gateway = services.port(StripeGateway)
    listed = await gateway.list_events(account_id, HANDLED_TYPES, since)
    async with services.uow_factory(None) as uow:
        lost = await list_unknown(uow, listed)
    for event in lost:
        async with services.uow_factory(None) as uow:
            outcome = await receive_event(uow, "connect", event)
        log.warning("event_never_came", event_id=event.id, type=event.type, outcome=outcome)


LOOKS: Mapping[str, Work] = {
    PAGE_DUE: _look_at_page,
    REFUND_DUE: _look_at_refund,
    ACCOUNT_DUE: _look_at_account,
}
