"""Which refunds wait for a person: they failed, and what was said of it stands open."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select

from src.billing.domain.kinds import OpenItemKind, RefundState
from src.billing.domain.refund_failures import FailedRefund
from src.billing.models import OpenItem, Refund
from src.platform.db.uow import UnitOfWork


def is_waiting() -> ColumnElement[bool]:
    """Whether the row of `refunds` at hand failed and nobody has dealt with that."""
    stands = exists().where(
        OpenItem.tenant_id == Refund.tenant_id,
        OpenItem.subject_id == Refund.id,
        OpenItem.kind == str(OpenItemKind.REFUND_FAILED),
        OpenItem.closed_at.is_(None),
    )
    return and_(Refund.state == str(RefundState.FAILED), stands)


async def list_waiting_refunds(uow: UnitOfWork, payment_id: UUID) -> list[FailedRefund]:
    """Those of the payment, oldest first."""
    found = await uow.session.execute(
        select(Refund.id, Refund.amount_minor)
        .where(Refund.tenant_id == uow.tenant, Refund.payment_id == payment_id, is_waiting())
        .order_by(Refund.created_at, Refund.id)
    )
    return [FailedRefund(*row) for row in found.tuples()]
