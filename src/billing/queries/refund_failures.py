"""Which refunds wait for a person: they failed, and what was said of it stands open."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select

from src.billing.domain.kinds import OpenItemKind, RefundState
from src.billing.domain.refund_failures import FailedRefund
from src.billing.models import CreditEntry, OpenItem, Refund
from src.platform.db.uow import UnitOfWork

DEALT_WITH = "dealt_with"
"""Among the facts of an item that a person closed since they had dealt with it elsewhere."""


def is_waiting() -> ColumnElement[bool]:
    """Whether the row of `refunds` at hand failed and nobody has dealt with that."""
    return _failed_with(OpenItem.closed_at.is_(None))


def is_settled_otherwise() -> ColumnElement[bool]:
    """Whether the row of `refunds` at hand failed and a person has said that they dealt with it, so
    that no other refund took its place.
    """
    return _failed_with(OpenItem.facts[DEALT_WITH].astext == "true")


def _failed_with(state_of_item: ColumnElement[bool]) -> ColumnElement[bool]:
    found = exists().where(
        OpenItem.tenant_id == Refund.tenant_id,
        OpenItem.subject_id == Refund.id,
        OpenItem.kind == str(OpenItemKind.REFUND_FAILED),
        state_of_item,
    )
    return and_(Refund.state == str(RefundState.FAILED), found)


async def has_failed_before(uow: UnitOfWork, refund_id: UUID) -> bool:
    """Whether a try of it has failed, whatever became of it since."""
    found = select(OpenItem.id).where(
        OpenItem.tenant_id == uow.tenant,
        OpenItem.kind == str(OpenItemKind.REFUND_FAILED),
        OpenItem.subject_id == refund_id,
    )
    return await uow.session.scalar(found) is not None


async def get_waiting_for_credits_minor(uow: UnitOfWork, lot_id: UUID) -> int:
    """What was to go back for credits of the lot, and waits for a person since it failed."""
    taken_by = select(CreditEntry.refund_id).where(
        CreditEntry.tenant_id == uow.tenant,
        CreditEntry.lot_id == lot_id,
        CreditEntry.refund_id.is_not(None),
    )
    waiting = select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.tenant_id == uow.tenant, Refund.id.in_(taken_by), is_waiting()
    )
    return int(await uow.session.scalar(waiting) or 0)


async def list_waiting_refunds(uow: UnitOfWork, payment_id: UUID) -> list[FailedRefund]:
    """Those of the payment, oldest first."""
    return await _list_failed(uow, payment_id, is_waiting(), is_dealt_with=False)


async def list_replaceable_refunds(uow: UnitOfWork, payment_id: UUID) -> list[FailedRefund]:
    """Those of which money that goes back anew may take the place: they wait, or a person has said
    that they dealt with them, which may be by this very money. Those that wait come first, the
    oldest of each first.
    """
    waiting = await list_waiting_refunds(uow, payment_id)
    settled = await _list_failed(uow, payment_id, is_settled_otherwise(), is_dealt_with=True)
    return [*waiting, *settled]


async def _list_failed(
    uow: UnitOfWork, payment_id: UUID, stands_so: ColumnElement[bool], *, is_dealt_with: bool
) -> list[FailedRefund]:
    found = await uow.session.execute(
        select(Refund.id, Refund.amount_minor)
        .where(Refund.tenant_id == uow.tenant, Refund.payment_id == payment_id, stands_so)
        .order_by(Refund.created_at, Refund.id)
    )
    return [FailedRefund(*row, is_dealt_with=is_dealt_with) for row in found.tuples()]
