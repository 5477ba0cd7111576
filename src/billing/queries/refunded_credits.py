"""How much money went for credits, by the lines of their lot's ledger."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.credits import EntryKind
from src.billing.domain.kinds import OpenItemKind, RefundCause
from src.billing.models import CreditEntry, CreditLot, OpenItem, Refund
from src.platform.db.uow import UnitOfWork


async def list_refunded_minor(
    uow: UnitOfWork, lot: CreditLot, entries: Sequence[CreditEntry]
) -> dict[UUID, int]:
    """Minor units by entry, where credits left with money that was theirs alone: by a refund, or
    by hand, which is noted at that moment. What went back for a whole order is told there.
    """
    left = [one for one in entries if one.kind == EntryKind.REFUND]
    if not left:
        return {}
    found = await uow.session.execute(
        select(Refund.id, Refund.amount_minor).where(
            Refund.tenant_id == uow.tenant,
            Refund.id.in_([one.refund_id for one in left if one.refund_id is not None]),
            Refund.cause == str(RefundCause.CREDITS),
        )
    )
    by_refund = dict(found.tuples().all())
    by_hand = await _by_hand_minor(uow, lot, left)
    minor = {
        one.id: by_hand.get(one.id, 0) + (by_refund.get(one.refund_id, 0) if one.refund_id else 0)
        for one in left
    }
    return {entry_id: amount for entry_id, amount in minor.items() if amount}


async def _by_hand_minor(
    uow: UnitOfWork, lot: CreditLot, left: Sequence[CreditEntry]
) -> dict[UUID, int]:
    """What the business was to give back itself is noted a moment before the credits leave, with
    the lot locked all the while: the next line that names no refund is the one that it is for. Few
    credits may all have left with what a refund gave, and then it is told in the act's first line,
    which the item is named after.
    """
    items = await uow.session.scalars(
        select(OpenItem)
        .where(
            OpenItem.tenant_id == uow.tenant,
            OpenItem.kind == str(OpenItemKind.HAND_BACK),
            OpenItem.order_id == lot.order_id,
        )
        .order_by(OpenItem.created_at)
    )
    page, by_id = f"credits/{lot.id}", {one.id: one for one in left}
    in_turn = sorted(
        (one for one in left if one.refund_id is None), key=lambda one: (one.at, one.id)
    )
    minor: dict[UUID, int] = {}
    taken: set[UUID] = set()
    for item in reversed(items.all()):
        entry = next((one for one in in_turn if one.at >= item.created_at), None)
        if entry is None or entry.id in taken:
            entry = by_id.get(item.subject_id)
        if entry is None:
            continue
        taken.add(entry.id)
        if item.facts.get("page") == page:
            minor[entry.id] = minor.get(entry.id, 0) + int(item.facts["amount_minor"])
    return minor
