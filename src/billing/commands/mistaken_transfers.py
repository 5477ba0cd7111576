"""A bank transfer that was noted and never came: it is taken off, as if nobody had noted it."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.credits import void_taken_off
from src.billing.commands.hand_back import keep_hand_back
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import get_payment, request_refunds
from src.billing.domain.kinds import CALLED_OFF_WHY, OrderState, RefundCause
from src.billing.events import PackageLapsed
from src.billing.models import CreditLot, Order, Payment
from src.billing.queries.transfers import get_received_minor, list_mistakable
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.money import Money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.models import AuditEntry

LONGEST_REASON = 300
TAKEN_OFF = "order.transfer_mistaken"


class TransferMistaken(msgspec.Struct, frozen=True, kw_only=True):
    """The payment that was noted by mistake, and how that came about, for the history."""

    order_id: UUID
    payment_id: UUID
    reason: str


async def take_off_transfer(uow: UnitOfWork, ctx: RequestContext, cmd: TransferMistaken) -> Money:
    """No money moved, so its row goes, and with it what was to be sent back of it; no refund is
    written down, and nobody but staff reads of it. The log keeps what was noted, when and why not.
    A package of which nothing is left is cancelled with the last of its transfers, and what a
    voucher had paid of it goes back onto that; its buyer is told in one mail.

    Returns what is taken off. Raises: NotFound for what was never noted for this order;
    InvalidInput at `reason`; Conflict for what was taken off before, has gone back, or pays for
    what stands or was given something for.
    """
    reason = cmd.reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        sentence = _("Say how it came about, in at most %(most)s letters.", most=LONGEST_REASON)
        raise InvalidInput(sentence, fields={"reason": sentence})
    order = await lock_order(uow, cmd.order_id)
    is_package = await _lock_credits(uow, order.id)
    payment = await _find(uow, order.id, cmd.payment_id)
    facts = {
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "on": payment.arrived_on.isoformat() if payment.arrived_on else None,
        "payment": str(payment.id),
        "intent": payment.payment_intent_id,
    }
    taken = Money(payment.amount_minor, payment.currency)
    await uow.session.delete(payment)
    order.paid_minor -= taken.amount_minor
    await keep_hand_back(uow, order)
    await audit(uow, ctx, TAKEN_OFF, "order", order.id, reason=reason, **facts)
    if is_package and order.state == OrderState.CONFIRMED and not payment.is_extra:
        await _end_package(uow, ctx, order, payment.id)
    return taken


async def _lock_credits(uow: UnitOfWork, order_id: UUID) -> bool:
    """So that nobody adds any between the look at them and the end. Whether the order has any."""
    locked = await uow.session.scalars(
        select(CreditLot.id)
        .where(CreditLot.tenant_id == uow.tenant, CreditLot.order_id == order_id)
        .order_by(CreditLot.id)
        .with_for_update(key_share=True)
    )
    return bool(locked.all())


async def _end_package(
    uow: UnitOfWork, ctx: RequestContext, order: Order, payment_id: UUID
) -> None:
    """Not while another transfer is left of the price: that came, and can go back with credits
    which are added again.
    """
    if await get_received_minor(uow, order.id):
        return
    left_minor, to_voucher_minor = order.paid_minor - order.refunded_minor, 0
    if left_minor > 0:
        cause, key = RefundCause.CANCELLED, f"taken_off:{payment_id}"
        to_voucher_minor = await request_refunds(uow, order, left_minor, cause=cause, cause_key=key)
        await uow.settle()
    if not await void_taken_off(uow, order.id):
        return
    ended = PackageLapsed(order_id=order.id, again=payment_id, to_voucher_minor=to_voucher_minor)
    uow.record(ended)
    order.closed_at, order.closed_why = uow.clock.now(), CALLED_OFF_WHY
    await audit(uow, ctx, "order.package_never_paid", "order", order.id)


async def _find(uow: UnitOfWork, order_id: UUID, payment_id: UUID) -> Payment:
    """Raises: NotFound, Conflict."""
    for one in await list_mistakable(uow, order_id):
        if one.id == payment_id:
            return one
    if await was_taken_off(uow, order_id, payment=[str(payment_id)]):
        raise Conflict(_("This transfer was taken off before."), code="taken_off")
    payment = await get_payment(uow, payment_id)
    if payment.order_id != order_id:
        raise NotFound(_("There is no such payment."))
    raise Conflict(
        _("This transfer cannot be taken off any more. Please look at the order again."),
        code="not_mistakable",
    )


async def was_taken_off(uow: UnitOfWork, order_id: UUID, **facts: Collection[str]) -> bool:
    """Whether a transfer was that has one of these values for each of the `facts`, as they are kept
    when one is taken off. Only the log still knows it.
    """
    found = await uow.session.scalar(
        select(AuditEntry.id)
        .where(
            AuditEntry.tenant_id == uow.tenant,
            AuditEntry.subject_id == order_id,
            AuditEntry.action == TAKEN_OFF,
            *(AuditEntry.detail[key].astext.in_(values) for key, values in facts.items()),
        )
        .limit(1)
    )
    return found is not None
