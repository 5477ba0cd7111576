"""Credits that go back to their lot because the seat that they paid is free again."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import update

from src.billing.commands.credits import Author, insert_restorations
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork


async def return_credits(
    uow: UnitOfWork, order_id: UUID, credited: Mapping[UUID, UUID], author: Author
) -> Counter[UUID]:
    """Writes that seats, by id, give back the credit of their lot; their rows are locked, and have
    ended. The lots themselves are what others wait for: they follow by `give_back_credits`, after
    the sessions. Returns how many credits go to each lot.
    """
    if not credited:
        return Counter()
    seats_by_lot: dict[UUID, list[UUID]] = defaultdict(list)
    for seat_id, lot_id in sorted(credited.items()):
        seats_by_lot[lot_id].append(seat_id)
    insert_restorations(uow, seats_by_lot, order_id, author, uow.clock.now())
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(list(credited)))
        .values(returned_as="credit")
        .execution_options(synchronize_session=False)
    )
    return Counter(credited.values())
