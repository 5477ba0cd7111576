"""Money that came and that nothing waits for, in the transaction that writes it down."""

from uuid import UUID

from src.billing.commands.open_items import raise_open_item
from src.billing.commands.refunds import MoneyBack, request_refund
from src.billing.domain.kinds import OpenItemKind, RefundCause
from src.billing.models import Order, Payment
from src.platform.db.uow import UnitOfWork


async def send_back(
    uow: UnitOfWork, order: Order, payment: Payment, cause: RefundCause
) -> UUID | None:
    """Money that no order waits for goes back in full. Returns the refund's id."""
    payment.is_extra = True
    await uow.session.flush()
    wanted = MoneyBack(
        amount_minor=payment.amount_minor, cause=cause, cause_key=f"{cause}:{payment.id}"
    )
    return await request_refund(uow, order, payment, wanted)


async def tell_of_mismatch(
    uow: UnitOfWork, order: Order, payment: Payment, asked_minor: int
) -> None:
    """A sum that nobody asked for has no effect of its own: a person decides."""
    payment.is_extra = True
    await uow.session.flush()
    facts = {
        "reference": order.reference,
        "paid_minor": payment.amount_minor,
        "paid_currency": payment.currency,
        "total_minor": asked_minor,
        "total_currency": order.currency,
    }
    await raise_open_item(uow, OpenItemKind.PAYMENT_MISMATCH, payment.id, order.id, facts)
