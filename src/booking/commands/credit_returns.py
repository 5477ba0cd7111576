"""Credits that go back to their lot because the seat that they paid is free again."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import update

from src.billing.commands.credits import Author, insert_restorations
from src.billing.commands.sold_credits import return_to_lots
from src.billing.queries.uncovered import Judged
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork


async def return_credits(
    uow: UnitOfWork, order_id: UUID, credited: Mapping[UUID, UUID], author: Author
) -> None:
    """Writes that seats, by id, give back the credit of their lot; their rows are locked, and have
    ended. The lots themselves are what others wait for: they follow by `fill_lots`, after the
    sessions.
    """
    if not credited:
        return
    seats_by_lot: dict[UUID, list[UUID]] = defaultdict(list)
    for seat_id, lot_id in sorted(credited.items()):
        seats_by_lot[lot_id].append(seat_id)
    insert_restorations(uow, seats_by_lot, order_id, author, uow.clock.now())
    await _note(uow, credited, "credit")


async def fill_lots(
    uow: UnitOfWork, credited: Mapping[UUID, UUID], judged: Judged | None = None
) -> set[UUID]:
    """The credits of these seats are in their lots again, but for those that nothing pays for any
    more, as was `judged` where somebody asked already: nothing has come back for their seats then,
    which it returns.
    """
    without = await return_to_lots(uow, credited, judged)
    await _note(uow, without, None)
    return without


async def _note(uow: UnitOfWork, seat_ids: Collection[UUID], came_as: str | None) -> None:
    if not seat_ids:
        return
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(list(seat_ids)))
        .values(returned_as=came_as)
        .execution_options(synchronize_session=False)
    )
