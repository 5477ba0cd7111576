"""Who of a party is whom: the customer, and those whom they keep."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from src.billing.domain.credits import LotFacts
from src.billing.domain.lot_users import Comer
from src.platform.db.uow import UnitOfWork
from src.tenants.queries.own_people import list_own_people


async def find_comers(
    uow: UnitOfWork, customer_id: UUID, owner_name: str, names: Sequence[str]
) -> tuple[Comer, ...]:
    """By their names, as they stand in a form; a name stands for all who are kept under it, since
    a merge may have brought the same one twice. Without one it is nobody whom the customer keeps.
    """
    known: defaultdict[str, frozenset[UUID]] = defaultdict(frozenset)
    for one in await list_own_people(uow, customer_id):
        known[one.name.lower()] |= {one.id}
    owner = owner_name.strip().lower()
    plain = [name.strip().lower() for name in names]
    return tuple(Comer(bool(name) and name == owner, known[name]) for name in plain)


async def comers_for(
    uow: UnitOfWork,
    lot: LotFacts | None,
    customer_id: UUID | None,
    owner_name: str,
    names: Sequence[str],
) -> tuple[Comer, ...] | None:
    """Only where a lot asks for it."""
    if lot is None or lot.users.is_everyone or customer_id is None:
        return None
    return await find_comers(uow, customer_id, owner_name, names)
