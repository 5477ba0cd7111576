"""The histories of credits say where the places that they paid for are by now."""

from datetime import datetime
from uuid import UUID

import pytest

from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.leave import leave_dates
from src.booking.queries.credits import get_lot_view
from src.booking.queries.own_credits import get_own_lots
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_book_by_credit import by_credit
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.credits import a_lot

pytestmark = pytest.mark.anyio
Line = tuple[int, datetime | None, datetime | None]


async def told(services: Services, lotus: Business, lot_id: UUID, customer_id: UUID) -> list[Line]:
    """What happened for which date, and which date it was exchanged for: as staff read it, which
    is what the guest reads.
    """
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        view = await get_lot_view(uow, lot_id)
        own = await get_own_lots(uow, tenant, services.settings, customer_id)
    staff = [(one.credits, one.starts_at, one.exchanged_for) for one in view.entries]
    [mine] = [*own.current, *own.past]
    assert [(one.credits, one.starts_at, one.exchanged_for) for one in mine.uses] == staff
    return [line for line in staff if line[1] is not None]


async def test_a_credit_s_history_names_the_date_that_its_place_is_for_now(
    services: Services,
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id)
    first, second, third = [
        await a_session(services.uow_factory, service, in_days=day) for day in (7, 9, 11)
    ]
    customer_id, lot_id = await a_lot(services.uow_factory, lotus.id)
    made = await by_credit(services, lotus, "session", first.id, (customer_id, lot_id))
    assert await told(services, lotus, lot_id, customer_id) == [(-1, first.starts_at, None)]
    [seat] = await seats_of(services.uow_factory, lotus.id)
    moved_id = seat.id
    for run in (second, third):
        async with services.uow_factory(lotus.id) as uow:
            tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
            move = MoveSeats(
                order_id=made.order_id, seat_ids=[moved_id], session_id=run.id, by="staff"
            )
            [moved_id] = await move_seats(uow, tenant, move)
        used = (-1, first.starts_at, run.starts_at)
        assert await told(services, lotus, lot_id, customer_id) == [used]
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, tenant, made.order_id, [moved_id])
    back = (1, third.starts_at, None)
    assert await told(services, lotus, lot_id, customer_id) == [back, used]
