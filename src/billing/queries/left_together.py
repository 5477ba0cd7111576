"""What is left of credits, with those that pay together with them."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.credits import Left, LotFacts, left_together
from src.billing.models import CreditLot
from src.billing.queries.lots import lot_facts
from src.platform.db.uow import UnitOfWork


async def list_left(uow: UnitOfWork, lot_ids: Collection[UUID]) -> dict[UUID, Left]:
    """By lot, these and all others of their owners."""
    owners = select(CreditLot.customer_id).where(
        CreditLot.tenant_id == uow.tenant, CreditLot.id.in_(lot_ids)
    )
    found = await uow.session.scalars(
        select(CreditLot).where(
            CreditLot.tenant_id == uow.tenant, CreditLot.customer_id.in_(owners)
        )
    )
    owned: defaultdict[UUID, list[LotFacts]] = defaultdict(list)
    for lot in found:
        owned[lot.customer_id].append(lot_facts(lot))
    left: dict[UUID, Left] = {}
    for lots in owned.values():
        left |= left_together(lots, uow.clock.now())
    return left
