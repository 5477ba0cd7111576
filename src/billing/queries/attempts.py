"""Attempts to pay for an order."""

from uuid import UUID

from sqlalchemy import select

from src.billing.models import PaymentPage
from src.platform.db.uow import UnitOfWork


async def newest_page(uow: UnitOfWork, order_id: UUID) -> PaymentPage | None:
    """The order's latest attempt, whatever became of it."""
    found: PaymentPage | None = await uow.session.scalar(
        select(PaymentPage)
        .where(PaymentPage.tenant_id == uow.tenant, PaymentPage.order_id == order_id)
        .order_by(PaymentPage.attempt.desc())
        .limit(1)
    )
    return found
