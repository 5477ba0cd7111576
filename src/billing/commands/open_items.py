"""Open items: what about money a person must look at, since no rule can decide it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from src.billing.domain.kinds import OpenItemKind
from src.billing.domain.refund_failures import Instead, replaced_failures
from src.billing.events import MoneyNeedsAttention
from src.billing.models import OpenItem, Payment, Refund
from src.billing.queries.refund_failures import DEALT_WITH, list_replaceable_refunds
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id


class NewItem(NamedTuple):
    """`facts` are what `open_item_words` makes the kind's sentence of; `page` among them, where it
    is there, is the page below the business's which tells what the item comes from.
    """

    subject_id: UUID
    order_id: UUID
    facts: dict[str, Any]


async def keep_open_items(uow: UnitOfWork, kind: OpenItemKind, items: Sequence[NewItem]) -> None:
    """Makes them, or opens them again with new facts. Nobody is written to: this is for what came
    of an act whose page says it to whoever did it.
    """
    if not items:
        return
    now = uow.clock.now()
    statement = insert(OpenItem).values(
        [
            {
                "tenant_id": uow.tenant,
                "id": new_id(),
                "kind": str(kind),
                "sentence": "",
                "created_at": now,
                **one._asdict(),
            }
            for one in items
        ]
    )
    fresh = {"facts": statement.excluded.facts, "closed_at": None, "closed_by": None}
    await uow.session.execute(
        statement.on_conflict_do_update(constraint="uq_open_items_subject", set_=fresh)
    )


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


async def close_replaced_failures(
    uow: UnitOfWork,
    payment: Payment,
    amount_minor: int,
    instead: Instead,
    closed_by: UUID | None = None,
) -> None:
    """So much of the payment has just been set aside for a refund that may be instead of some that
    failed; once nothing is left of the payment, none can be tried again, and all are closed. Should
    the new refund fail too, it raises an item of its own.

    What somebody had dealt with elsewhere is replaced as well, so that no money is told of twice.
    """
    if await close_failures_of_used_up(uow, [payment], closed_by):
        return
    failed = await list_replaceable_refunds(uow, payment.id)
    replaced = [one.refund_id for one in replaced_failures(failed, amount_minor, instead)]
    for refund_id in replaced:
        await close_open_items(uow, OpenItemKind.REFUND_FAILED, refund_id, closed_by)
    if replaced:
        await _forget_dealt_with(uow, replaced)


async def _forget_dealt_with(uow: UnitOfWork, refund_ids: Collection[UUID]) -> None:
    """Another refund has taken the place of these, whatever was said of them before."""
    await uow.session.execute(
        update(OpenItem)
        .where(
            OpenItem.tenant_id == uow.tenant,
            OpenItem.kind == str(OpenItemKind.REFUND_FAILED),
            OpenItem.subject_id.in_(refund_ids),
            OpenItem.facts.has_key(DEALT_WITH),
        )
        .values(facts=OpenItem.facts - DEALT_WITH)
        .execution_options(synchronize_session=False)
    )


async def close_failures_of_used_up(
    uow: UnitOfWork, payments: Iterable[Payment], closed_by: UUID | None = None
) -> bool:
    """Whoever sets something of payments aside calls it, whichever way that goes back. Returns
    whether nothing is left of any of them.
    """
    used_up = [one.id for one in payments if one.refunded_minor == one.amount_minor]
    if used_up:
        await close_failures_of(uow, used_up, closed_by)
    return bool(used_up)


async def close_failures_of(
    uow: UnitOfWork, payment_ids: Collection[UUID], closed_by: UUID | None = None
) -> None:
    """No refund of these payments that failed can be tried again: nothing of them is left, or a
    bank has it. Nor is anything of them settled otherwise, so that it is not said again of what
    fails later.
    """
    refunds = select(Refund.id).where(
        Refund.tenant_id == uow.tenant, Refund.payment_id.in_(payment_ids)
    )
    stands = OpenItem.closed_at.is_(None)
    by = literal(closed_by, type_=OpenItem.closed_by.type)
    await uow.session.execute(
        update(OpenItem)
        .where(
            OpenItem.tenant_id == uow.tenant,
            OpenItem.kind == str(OpenItemKind.REFUND_FAILED),
            OpenItem.subject_id.in_(refunds),
            or_(stands, OpenItem.facts.has_key(DEALT_WITH)),
        )
        .values(
            closed_at=func.coalesce(OpenItem.closed_at, uow.clock.now()),
            closed_by=case((stands, by), else_=OpenItem.closed_by),
            facts=OpenItem.facts - DEALT_WITH,
        )
        .execution_options(synchronize_session=False)
    )
