"""Which card pays the later parts of a price: the one that its guest agreed to have charged."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import aliased

from src.billing.models import Instalment, SavedCard
from src.platform.db.uow import UnitOfWork


async def use_card(uow: UnitOfWork, order_id: UUID, card_id: UUID) -> None:
    """The card that its guest agreed to have charged for the parts of the order is known by now."""
    await _charge_to(uow, card_id, Instalment.order_id == order_id)


async def follow_card(uow: UnitOfWork, gone_ids: Collection[UUID], card_id: UUID) -> None:
    """The same card is another row from now on, and pays what the rows before were to pay."""
    if gone_ids:
        await _charge_to(uow, card_id, Instalment.card_id.in_(gone_ids))


async def _charge_to(uow: UnitOfWork, card_id: UUID, which: ColumnElement[bool]) -> None:
    """No order is locked for that, as they may be many: the parts themselves are, by id, in which
    order those of one order are written too.
    """
    found = await uow.session.scalars(
        select(Instalment.id)
        .where(Instalment.tenant_id == uow.tenant, which)
        .order_by(Instalment.id)
        .with_for_update(key_share=True)
    )
    await uow.session.execute(
        update(Instalment)
        .where(Instalment.tenant_id == uow.tenant, Instalment.id.in_(found.all()))
        .values(card_id=card_id)
        .execution_options(synchronize_session=False)
    )


async def follow_doubles(uow: UnitOfWork, gone_ids: Collection[UUID], customer_id: UUID) -> None:
    """The same for cards that another customer keeps too, who is left of the two."""
    gone, kept = aliased(SavedCard), aliased(SavedCard)
    pairs = await uow.session.execute(
        select(gone.id, kept.id)
        .join(
            kept,
            (kept.tenant_id == gone.tenant_id)
            & (kept.account_id == gone.account_id)
            & (kept.fingerprint == gone.fingerprint),
        )
        .where(
            gone.tenant_id == uow.tenant,
            gone.id.in_(gone_ids),
            kept.customer_id == customer_id,
            kept.state == "usable",
        )
    )
    for gone_id, kept_id in pairs.tuples():
        await follow_card(uow, [gone_id], kept_id)
