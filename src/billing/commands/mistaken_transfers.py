"""A bank transfer that was noted and never came: it is taken off, as if nobody had noted it."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.hand_back import keep_hand_back
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import get_payment
from src.billing.models import Payment
from src.billing.queries.transfers import list_mistakable
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

    Returns what is taken off. Raises: NotFound for what was never noted for this order;
    InvalidInput at `reason`; Conflict for what was taken off before, has gone back, or pays for
    what stands or was given something for.
    """
    reason = cmd.reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        sentence = _("Say how it came about, in at most %(most)s letters.", most=LONGEST_REASON)
        raise InvalidInput(sentence, fields={"reason": sentence})
    order = await lock_order(uow, cmd.order_id)
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
    return taken


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
