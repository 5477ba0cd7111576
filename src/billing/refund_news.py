"""Refunds as the processor shows them now, ours and those made in its dashboard."""

from uuid import UUID

from sqlalchemy import select

from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import get_payment, record_foreign_refund, take_refund_news
from src.billing.models import Order, Payment, Refund
from src.billing.processor import ProcessorRefund
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UnitOfWork
from src.platform.services import Services


def is_attempt_of(news: ProcessorRefund, refund: Refund) -> bool:
    """Whether this is what the refund's present attempt made, and not an earlier one."""
    named = (news.metadata.get("refund_id"), news.metadata.get("attempt"))
    return named == (str(refund.id), str(refund.attempt))


async def take_refunds_of(
    services: Services, tenant_id: UUID, payment_intent_id: str
) -> str | None:
    """Lets every refund of a payment take effect as the processor shows it now, whoever made it.

    Returns the order's reference, or None when the payment is none of ours.
    Raises: Uncertain; Conflict while one of ours is under way for the same money.
    """
    payment = await _payment_of(services, tenant_id, payment_intent_id)
    if payment is None:
        return None
    listed = await services.port(StripeGateway).list_refunds(payment.account_id, payment_intent_id)
    async with services.uow_factory(tenant_id) as uow:
        order = await lock_order(uow, payment.order_id)
        for news in reversed(listed):
            await _take(uow, order, payment.id, news)
        return order.reference


async def _payment_of(
    services: Services, tenant_id: UUID, payment_intent_id: str
) -> Payment | None:
    async with services.uow_factory(tenant_id) as uow:
        found: Payment | None = await uow.session.scalar(
            select(Payment).where(
                Payment.tenant_id == tenant_id, Payment.payment_intent_id == payment_intent_id
            )
        )
        return found


async def _take(uow: UnitOfWork, order: Order, payment_id: UUID, news: ProcessorRefund) -> None:
    payment = await get_payment(uow, payment_id)
    ours = await _row_named_in(uow, payment, news)
    if ours is None:
        await record_foreign_refund(uow, order, payment, news)
    elif is_attempt_of(news, ours):
        await take_refund_news(uow, order, ours, news)


async def _row_named_in(uow: UnitOfWork, payment: Payment, news: ProcessorRefund) -> Refund | None:
    try:
        named = UUID(news.metadata.get("refund_id", ""))
    except ValueError:
        return None
    found: Refund | None = await uow.session.scalar(
        select(Refund).where(
            Refund.tenant_id == uow.tenant,
            Refund.payment_id == payment.id,
            Refund.id == named,
        )
    )
    return found
