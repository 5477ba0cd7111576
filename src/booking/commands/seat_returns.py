"""What of the money that comes back is noted on which seat."""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import update

from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork


def spread(asked: int, wanted: Mapping[UUID, int]) -> dict[UUID, int]:
    """What comes back by seat: all that was wanted, the first seats first where it is less."""
    returned: dict[UUID, int] = {}
    for seat_id, back_minor in wanted.items():
        returned[seat_id] = min(back_minor, asked)
        asked -= returned[seat_id]
    return returned


async def mark_returned(uow: UnitOfWork, returned: Mapping[UUID, int]) -> None:
    """Writes on seats that have ended, their rows locked, what of each one's share comes back."""
    by_amount: dict[int, list[UUID]] = defaultdict(list)
    for seat_id, back_minor in returned.items():
        if back_minor:
            by_amount[back_minor].append(seat_id)
    for back_minor, seat_ids in by_amount.items():
        await uow.session.execute(
            update(Seat)
            .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
            .values(returned_as="money", returned_minor=back_minor)
            .execution_options(synchronize_session=False)
        )
