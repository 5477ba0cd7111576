"""Credits that only one of a customer's people may use: what follows when that one is removed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from src.billing.domain.credits import LotState, lot_state
from src.billing.queries.lots import list_lots, lot_facts
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.queries.own_people import OwnPerson

_IN_USE = (LotState.ACTIVE, LotState.PENDING, LotState.EXPIRED)


async def say_of_only_users(
    uow: UnitOfWork, customer_id: UUID, people: Sequence[OwnPerson]
) -> Mapping[UUID, Sequence[str]]:
    """By person. As `forget_person` has it, credits that are for nobody else are everyone's then,
    but where another of the same name is kept, who is named instead.
    """
    said: defaultdict[UUID, list[str]] = defaultdict(list)
    known, of_name = {one.id: one for one in people}, Counter(one.name.lower() for one in people)
    for lot in await list_lots(uow, customer_id):
        facts = lot_facts(lot)
        if facts.users.owner or len(facts.users.people) != 1:
            continue
        person = known.get(next(iter(facts.users.people)))
        is_in_use = lot_state(facts, uow.clock.now()) in _IN_USE
        if person is None or not is_in_use or of_name[person.name.lower()] > 1:
            continue
        said[person.id].append(
            _(
                "Only %(name)s may use “%(credits)s”. Without them, everyone in your bookings may.",
                name=person.name,
                credits=lot.name,
            )
        )
    return said
