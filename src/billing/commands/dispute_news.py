"""What follows from the news of a dispute: who looks at it, and what can go back no more."""

from uuid import UUID

from src.billing.commands.disputes import note_dispute
from src.billing.commands.open_items import (
    close_failures_of,
    close_open_items,
    raise_open_item,
)
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import get_refund
from src.billing.commands.sold_credits import take_disputed_credits
from src.billing.commands.sold_vouchers import block_bought
from src.billing.domain.kinds import OpenItemKind
from src.billing.events import RefundFailed
from src.billing.models import Payment
from src.billing.processor import Dispute
from src.billing.queries.refund_failures import list_waiting_refunds
from src.platform.db.uow import UnitOfWork


async def take_dispute_news(
    uow: UnitOfWork, payment_id: UUID, order_id: UUID, reference: str, dispute: Dispute
) -> bool:
    """Writes down how the dispute stands, and tells people of it. Returns whether it is news.

    A voucher that was bought with it is blocked; a member lets it be used again. One that is lost
    leaves nothing of the payment to give back, so that no refund of it that failed waits any more;
    one that is won leaves them waiting, which their guests were not told while the bank had it all;
    unused credits that nothing pays for any more are gone, and their owner hears so. What was paid
    twice bought neither.
    """
    await lock_order(uow, order_id)
    if not await note_dispute(uow, payment_id, order_id, dispute):
        return False
    payment = await uow.session.get_one(Payment, (uow.tenant, payment_id))
    if dispute.outcome != "won" and not payment.is_extra:
        await block_bought(uow, order_id)
    if dispute.outcome == "won":
        await close_open_items(uow, OpenItemKind.DISPUTE, payment_id)
        await _tell_what_waits(uow, payment_id)
        return True
    facts = {
        "reference": reference,
        "amount_minor": dispute.amount_minor,
        "currency": dispute.currency,
        "outcome": dispute.outcome,
    }
    await raise_open_item(uow, OpenItemKind.DISPUTE, payment_id, order_id, facts)
    if dispute.outcome == "lost":
        if not payment.is_extra:
            for told in await take_disputed_credits(uow, order_id):
                uow.record(told)
        await close_failures_of(uow, [payment_id])
    return True


async def _tell_what_waits(uow: UnitOfWork, payment_id: UUID) -> None:
    for failed in await list_waiting_refunds(uow, payment_id):
        refund = await get_refund(uow, failed.refund_id)
        uow.record(RefundFailed(refund_id=refund.id, attempt=refund.attempt))
