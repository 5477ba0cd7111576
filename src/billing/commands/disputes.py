"""Disputes as rows: what the processor last said of each, decided ones too."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from src.billing.models import DisputeRow
from src.billing.processor import Dispute
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id


async def note_dispute(uow: UnitOfWork, payment_id: UUID, order_id: UUID, dispute: Dispute) -> bool:
    """Writes down how the dispute stands. What is decided stays so, whatever comes late, and keeps
    its moment when it is told once more.

    Returns whether this is news of it: False for an old state of one that is decided, and for its
    decision told again.
    """
    now = uow.clock.now()
    statement = insert(DisputeRow).values(
        tenant_id=uow.tenant,
        id=new_id(),
        payment_id=payment_id,
        order_id=order_id,
        processor_id=dispute.id,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        state=dispute.outcome or "open",
        opened_at=now,
        decided_at=now if dispute.outcome else None,
    )
    told = statement.excluded.state
    kept = await uow.session.scalar(
        statement.on_conflict_do_update(
            constraint="uq_disputes_processor_id",
            set_={
                "state": told,
                "amount_minor": statement.excluded.amount_minor,
                "decided_at": statement.excluded.decided_at,
            },
            where=(DisputeRow.state == "open") | ((told != "open") & (told != DisputeRow.state)),
        ).returning(DisputeRow.id)
    )
    return kept is not None
