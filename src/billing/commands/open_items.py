"""Open items: what about money a person must look at, since no rule can decide it."""

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert

from src.billing.domain.kinds import OpenItemKind, RefundState
from src.billing.events import MoneyNeedsAttention
from src.billing.models import OpenItem, Payment, Refund
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id


async def raise_open_item(
    uow: UnitOfWork, kind: OpenItemKind, subject_id: UUID, order_id: UUID, facts: dict[str, Any]
) -> None:
    """Makes the item, or opens it again with new facts; the owner is told either way.

    `facts` are what `open_item_words` makes the kind's sentence of. An item that stands open with
    the same ones is left alone.
    """
    now = uow.clock.now()
    statement = insert(OpenItem).values(
        tenant_id=uow.tenant,
        id=new_id(),
        kind=str(kind),
        subject_id=subject_id,
        order_id=order_id,
        sentence="",
        facts=facts,
        created_at=now,
    )
    fresh = {
        "sentence": "",
        "facts": facts,
        "created_at": now,
        "closed_at": None,
        "closed_by": None,
    }
    item_id = await uow.session.scalar(
        statement.on_conflict_do_update(
            constraint="uq_open_items_subject",
            set_=fresh,
            where=or_(OpenItem.closed_at.is_not(None), OpenItem.facts != facts),
        ).returning(OpenItem.id)
    )
    if item_id is not None:
        uow.record(MoneyNeedsAttention(open_item_id=item_id))


async def close_open_items(
    uow: UnitOfWork, kind: OpenItemKind, subject_id: UUID, closed_by: UUID | None = None
) -> None:
    """What was open about the subject has been dealt with; by the program when nobody is named."""
    await uow.session.execute(
        update(OpenItem)
        .where(
            OpenItem.tenant_id == uow.tenant,
            OpenItem.kind == str(kind),
            OpenItem.subject_id == subject_id,
            OpenItem.closed_at.is_(None),
        )
        .values(closed_at=uow.clock.now(), closed_by=closed_by)
    )


async def close_covered_failures(
    uow: UnitOfWork, payment: Payment, amount_minor: int, closed_by: UUID | None = None
) -> None:
    """A person gives so much of the payment back anew instead of trying again what failed.

    What that covers is closed, the failure of the very amount first; all of them once nothing is
    left of the payment. If the new refund fails too, an item of its own is raised.
    """
    found = await uow.session.execute(
        select(Refund.id, Refund.amount_minor)
        .join(
            OpenItem, (OpenItem.tenant_id == Refund.tenant_id) & (OpenItem.subject_id == Refund.id)
        )
        .where(
            Refund.tenant_id == uow.tenant,
            Refund.payment_id == payment.id,
            Refund.state == str(RefundState.FAILED),
            OpenItem.kind == str(OpenItemKind.REFUND_FAILED),
            OpenItem.closed_at.is_(None),
        )
        .order_by(Refund.amount_minor != amount_minor, Refund.created_at, Refund.id)
    )
    left_minor, is_used_up = amount_minor, payment.refunded_minor == payment.amount_minor
    for refund_id, failed_minor in found.all():
        if failed_minor <= left_minor or is_used_up:
            await close_open_items(uow, OpenItemKind.REFUND_FAILED, refund_id, closed_by)
            left_minor -= failed_minor
