"""Parts of a price that are asked no more, since nothing is bought with them.

The order's row is locked by whoever ends its parts, as by whoever changes one.
Source: docs/algorithms/payment-plans.md.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import update

from src.billing.commands.due import drop_several_due
from src.billing.commands.open_items import close_open_items
from src.billing.domain.kinds import OpenItemKind
from src.billing.domain.parts import STILL_TO_PAY, PartState
from src.billing.models import Instalment
from src.platform.db.uow import UnitOfWork


async def void_parts(uow: UnitOfWork, order_ids: Collection[UUID]) -> int:
    """What is not paid of the locked orders is asked no more, as nothing is bought with it. Money
    that comes for it all the same goes back. Returns how many there were.
    """
    found = await uow.session.scalars(
        update(Instalment)
        .where(
            Instalment.tenant_id == uow.tenant,
            Instalment.order_id.in_(order_ids),
            Instalment.state.in_([str(state) for state in STILL_TO_PAY]),
        )
        .values(
            state=str(PartState.VOID),
            decided_at=uow.clock.now(),
            next_try_at=None,
        )
        .returning(Instalment.id)
        .execution_options(synchronize_session=False)
    )
    gone = sorted(found)
    if gone:
        await drop_several_due(uow, gone)
    for part_id in gone:
        await close_open_items(uow, OpenItemKind.PART_OVERDUE, part_id)
    return len(gone)
