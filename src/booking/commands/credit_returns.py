"""Credits that go back to their lot because the seat that they paid is free again."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import update

from src.billing.commands.credits import Author, insert_restorations
from src.billing.commands.sold_credits import return_to_lots
from src.billing.queries.uncovered import list_unpaid
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


async def fill_lots(uow: UnitOfWork, credited: Mapping[UUID, UUID]) -> None:
    """The credits of these seats are in their lots again, but for those that nothing pays for any
    more: nothing has come back for their seats then.
    """
    unpaid = await return_to_lots(uow, Counter(credited.values()))
    await _note(uow, _last_of(credited, unpaid), None)


async def find_unpaid_seats(uow: UnitOfWork, credited: Mapping[UUID, UUID]) -> set[UUID]:
    """Of seats that would give back the credit of their lot, those whose credit would not stay
    there, because nothing pays for it any more.
    """
    return _last_of(credited, await list_unpaid(uow, Counter(credited.values())))


def _last_of(credited: Mapping[UUID, UUID], unpaid: Mapping[UUID, int]) -> set[UUID]:
    """So many of each lot's seats."""
    found: set[UUID] = set()
    for lot_id, number in unpaid.items():
        found.update(sorted(seat for seat, lot in credited.items() if lot == lot_id)[-number:])
    return found


async def _note(uow: UnitOfWork, seat_ids: Collection[UUID], came_as: str | None) -> None:
    if not seat_ids:
        return
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(list(seat_ids)))
        .values(returned_as=came_as)
        .execution_options(synchronize_session=False)
    )
