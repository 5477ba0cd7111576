"""A session's history tells moves, and what was undone as undone."""

import re
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.queries.roster_history import list_history
from src.platform.services import Services
from tests.booking.web.pages import fields_of
from tests.booking.web.test_roster_bulk import a_guest, ids_of, press
from tests.support.builders import Business, a_service, a_session
from tests.support.owner import as_who_signed_in

pytestmark = pytest.mark.anyio

COLUMNS = (
    "tenant_id, booking_id, order_id, participant_id, share_minor, tier, returned_minor,"
    " sequence, sold_sequence, told_sequence, changed_at, changed_by, changed_why"
)
OTHERS_MOVES = text(
    # Each old one, and where it went, of all the years before: nothing else of them matters here.
    f"WITH was AS (INSERT INTO seats ({COLUMNS}, id, session_id, state)"
    f" SELECT {COLUMNS}, gen_random_uuid(), :elsewhere, 'swapped'"
    " FROM seats, generate_series(1, 5000) WHERE session_id = :here RETURNING *)"
    f" INSERT INTO seats ({COLUMNS}, id, session_id, state, replaces_id)"
    f" SELECT {COLUMNS}, gen_random_uuid(), session_id, 'cancelled', id FROM was"
)


async def words_at(client: AsyncClient, path: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", (await client.get(path)).text).split())


async def test_a_move_stands_in_both_histories_with_who_and_why(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    first = await a_session(services.uow_factory, service, in_days=2)
    second = await a_session(services.uow_factory, service, in_days=3)
    hedy = await a_guest(services, lotus, first, "Hedy", "Ida")
    seats = await ids_of(services, lotus, hedy)
    move = MoveSeats(
        order_id=hedy.order_id, seat_ids=seats, session_id=second.id, by="staff", why="The hall"
    )
    async with services.uow_factory(lotus.id) as uow:
        await move_by_staff(uow, lotus.ctx, move)
    left = await words_at(client, f"/app/lotus/sessions/{first.id}")
    times = "Wed, Mar 3, 2027, 10:00 AM–11:00 AM Thu, Mar 4, 2027, 10:00 AM–11:00 AM"
    assert f"Moved to another date Hedy, Ida {times} The hall" in left
    assert f"· {lotus.owner.name}" in left.split("Moved to another date")[1]
    assert "Nobody comes any more" in left, "not that nobody has booked yet"
    came = await words_at(client, f"/app/lotus/sessions/{second.id}")
    assert f"Moved here from another date Hedy, Ida {times}" in came


async def test_the_moves_of_other_dates_are_not_gone_through(
    services: Services, lotus: Business, rolled_back: AsyncEngine
) -> None:
    """Seats are looked up in their indexes by either session, however many the business had."""
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    here = await a_session(services.uow_factory, service, in_days=2)
    elsewhere = await a_session(services.uow_factory, service, in_days=3)
    await a_guest(services, lotus, here, "Hedy")
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(OTHERS_MOVES, {"here": here.id, "elsewhere": elsewhere.id})
        async with as_who_signed_in(uow):
            await uow.session.execute(text("ANALYZE seats"))
        event.listen(rolled_back.sync_engine, "before_cursor_execute", note)
        try:
            await list_history(uow, here.id)
        finally:
            event.remove(rolled_back.sync_engine, "before_cursor_execute", note)
        statement, values = asked[-1]
        connection = await uow.session.connection()
        found = await connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", values)
        plan = "\n".join(found.scalars())
    for side in ("seats_1", "seats_2_1"):
        by_session = rf"ix_seats_session on seats {side}\n *Index Cond: .*session_id = "
        assert re.search(by_session, plan), plan


@pytest.mark.slow
async def test_a_cancelling_that_was_undone_says_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, in_days=2)
    carl = await a_guest(services, lotus, session, "Carl")
    mine = await ids_of(services, lotus, carl)
    asked = await press(client, session, "cancel", mine, {"sure": "on"})
    progress = asked.headers["location"]
    here = f"/app/lotus/sessions/{session.id}"
    assert "undone in time" not in await words_at(client, here)
    token = fields_of(await client.get(progress), f"{progress}/undo")["_csrf_token"]
    await client.post(f"{progress}/undo", data={"_csrf_token": token})
    await press(client, session, "cancel", mine, {"sure": "on"})
    history = await words_at(client, here)
    assert history.count("Places cancelled, and undone in time") == 1
    assert history.count("Places cancelled") == 2, "the one that goes on stays what it is"
