"""Calling the processor for a refund: a row first, then the call, then what came of it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from src.billing.commands.due import drop_due
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import (
    fail_refund,
    get_payment,
    get_refund,
    refund_body,
    take_refund_news,
)
from src.billing.commands.voucher_claims import Spent, put_back_refund
from src.billing.domain.kinds import RefundState
from src.billing.domain.page_keys import refund_key
from src.billing.domain.retries import must_ask_first
from src.billing.events import OrderRefunded, RefundRequested
from src.billing.models import Order, Payment, Refund
from src.billing.processor import (
    DefinitiveFailure,
    ProcessorError,
    ProcessorRefund,
    Uncertain,
)
from src.billing.refund_news import is_attempt_of
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.services import Services


class RefundCall(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to be called for, carried out of its transaction."""

    refund: Refund
    payment: Payment
    is_replay: bool


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The processor's no to one attempt, with the payment's refunds as it lists them.

    `why` is its code, or its sentence where it gave none.
    """

    attempt: int
    why: str
    others: Sequence[ProcessorRefund] = ()


async def send_refund(job: JobContext, event: RefundRequested) -> None:
    """Consumer of RefundRequested. After a time-out the outbox brings the same attempt again.

    Raises: Uncertain.
    """
    if await _goes_to_voucher(job.services, job.tenant_id, event.refund_id):
        async with job.unit_of_work(done=True) as uow:
            await _put_back(uow, event.refund_id)
        return
    call = await _prepare(job.services, job.tenant_id, event.refund_id)
    answer = await _call(job.services, call) if call is not None else None
    async with job.unit_of_work(done=True) as uow:
        if answer is not None:
            await _finish(uow, event.refund_id, answer)


async def _goes_to_voucher(services: Services, tenant_id: UUID, refund_id: UUID) -> bool:
    async with services.uow_factory(tenant_id) as uow:
        return (await get_refund(uow, refund_id)).voucher_id is not None


async def _put_back(uow: UnitOfWork, refund_id: UUID) -> None:
    """To the voucher that paid: nobody is called, so it arrives with this transaction.

    It is a job's all the same, for whoever asks for a refund has sessions yet to lock, and vouchers
    come after them.
    """
    order, refund = await lock_refund(uow, refund_id)
    if refund.state != RefundState.PENDING or refund.voucher_id is None:
        return
    now = uow.clock.now()
    refund.state, refund.finished_at = str(RefundState.SUCCEEDED), now
    await drop_due(uow, refund.id)
    uow.record(OrderRefunded(order_id=order.id, refund_id=refund.id, cause=refund.cause))
    spent = Spent(refund.voucher_id, refund.amount_minor)
    await put_back_refund(uow, order, refund.id, spent, now)


async def lock_refund(uow: UnitOfWork, refund_id: UUID) -> tuple[Order, Refund]:
    """The refund and its order as they are now, the order's row locked. Raises: NotFound."""
    refund = await get_refund(uow, refund_id)
    order = await lock_order(uow, refund.order_id)
    await uow.session.refresh(refund)
    return order, refund


async def _prepare(services: Services, tenant_id: UUID, refund_id: UUID) -> RefundCall | None:
    """The attempt, its first call's time stored before the call; None when it is over already."""
    async with services.uow_factory(tenant_id) as uow:
        _order, refund = await lock_refund(uow, refund_id)
        return await _call_for(uow, refund)


async def _call_for(uow: UnitOfWork, refund: Refund) -> RefundCall | None:
    """The call for the refund's present attempt; its row is locked."""
    if refund.state != RefundState.PENDING or refund.processor_id is not None:
        return None
    payment = await get_payment(uow, refund.payment_id)
    is_replay = refund.called_at is not None
    refund.called_at = refund.called_at or uow.clock.now()
    return RefundCall(refund=refund, payment=payment, is_replay=is_replay)


async def _call(services: Services, call: RefundCall) -> ProcessorRefund | Refused | None:
    """What came of it; None when the refund ended by another way meanwhile."""
    called_at = call.refund.called_at or call.refund.created_at
    if must_ask_first(called_at, services.clock.now()):
        found = await _find(services, call)
        if found is not None:
            return found
        newer = await _next_attempt(services, call)
        if newer is None:
            return None
        call = newer
    return await _send(services, call)


async def _send(services: Services, call: RefundCall) -> ProcessorRefund | Refused:
    """Raises: Uncertain."""
    gateway, refund = services.port(StripeGateway), call.refund
    key = refund_key(refund.id, refund.attempt)
    try:
        return await gateway.create_refund(call.payment.account_id, refund.body, key)
    except DefinitiveFailure as failure:
        return await _found_or_refused(services, call, failure)
    except Uncertain as doubt:
        found = await _find(services, call) if call.is_replay and doubt.answered else None
        if found is None:
            raise
        return found


async def _list(services: Services, call: RefundCall) -> Sequence[ProcessorRefund]:
    payment = call.payment
    return await services.port(StripeGateway).list_refunds(
        payment.account_id, payment.payment_intent_id
    )


async def _find(services: Services, call: RefundCall) -> ProcessorRefund | None:
    """Asks what exists: the refund of this very attempt, or None."""
    return _ours(await _list(services, call), call.refund)


def _ours(listed: Sequence[ProcessorRefund], refund: Refund) -> ProcessorRefund | None:
    for news in listed:
        if is_attempt_of(news, refund):
            return news
    return None


async def _found_or_refused(
    services: Services, call: RefundCall, failure: DefinitiveFailure
) -> ProcessorRefund | Refused:
    """A refusal may only mean that the money went back before, by us or in the dashboard."""
    attempt, why = call.refund.attempt, failure.code or str(failure)
    try:
        listed = await _list(services, call)
    except ProcessorError:
        return Refused(attempt=attempt, why=why)
    return _ours(listed, call.refund) or Refused(attempt=attempt, why=why, others=listed)


async def _next_attempt(services: Services, call: RefundCall) -> RefundCall | None:
    """The old key protects nothing any more and the refund does not exist: a new attempt.

    Of two runs that come here at once the first makes it, and the second joins it under the same
    key. None when the refund has ended meanwhile.
    """
    async with services.uow_factory(call.refund.tenant_id) as uow:
        _order, refund = await lock_refund(uow, call.refund.id)
        if _is_as_called(refund, call):
            payment = await get_payment(uow, refund.payment_id)
            refund.attempt += 1
            refund.body = refund_body(uow, payment, refund.id, refund.amount_minor, refund.attempt)
            refund.called_at = None
        return await _call_for(uow, refund)


def _is_as_called(refund: Refund, call: RefundCall) -> bool:
    """Whether the refund is still at the attempt, and the call of it, that was asked about."""
    asked = (call.refund.attempt, call.refund.called_at)
    return refund.state == RefundState.PENDING and (refund.attempt, refund.called_at) == asked


async def _finish(uow: UnitOfWork, refund_id: UUID, answer: ProcessorRefund | Refused) -> None:
    order, refund = await lock_refund(uow, refund_id)
    if refund.state != RefundState.PENDING:
        return
    if isinstance(answer, Refused):
        # A no to an earlier attempt says nothing about the one that is under way now.
        if answer.attempt == refund.attempt:
            await fail_refund(uow, order, refund, answer.why, answer.others)
    else:
        await take_refund_news(uow, order, refund, answer)
