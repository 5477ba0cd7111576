"""Taking seats of sessions and giving them back: the last writes of a transaction.

Each claim is one guarded UPDATE over rows locked by id, so that two buyers of overlapping series
wait for each other instead of deadlocking, and nobody counts seats by reading an old snapshot.
Several rows are locked by a statement of their own: an update that locks them itself goes back to
the version of a row that it saw before it waited, on which the next in line waits for it.
The lock is FOR NO KEY UPDATE: a plain FOR UPDATE would fight the seats' foreign keys.
Source: docs/algorithms/seats.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from src.booking.commands.busy import free_performer
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _

_CLAIM_ONE = text(
    "UPDATE sessions SET seats_taken = seats_taken + :wanted"
    " WHERE tenant_id = :tenant_id AND id = :session_id AND state = 'scheduled'"
    " AND starts_at >= :earliest AND seats_taken + :wanted <= capacity"
    " AND (cast(:series_id AS uuid) IS NULL OR series_id = :series_id) RETURNING id"
)
_LOCK = text(
    "SELECT id FROM sessions WHERE tenant_id = :tenant_id AND id = ANY(:session_ids)"
    " ORDER BY id FOR NO KEY UPDATE"
)
_CLAIM_MANY = text(
    "UPDATE sessions SET seats_taken = seats_taken + :wanted"
    " WHERE tenant_id = :tenant_id AND id = ANY(:session_ids) AND state = 'scheduled'"
    " AND starts_at >= :earliest AND seats_taken + :wanted <= capacity"
    " AND (cast(:series_id AS uuid) IS NULL OR series_id = :series_id) RETURNING id"
)
_GIVE_BACK = text(
    "WITH freed AS (SELECT * FROM unnest(cast(:session_ids AS uuid[]), cast(:counts AS int[]))"
    " AS f (session_id, seats))"
    " UPDATE sessions SET seats_taken = seats_taken - freed.seats FROM freed"
    " WHERE tenant_id = :tenant_id AND id = freed.session_id"
    " RETURNING id, is_slot AND seats_taken = 0 AS is_empty"
)
_VACATE = text(
    "UPDATE sessions SET state = 'vacated' WHERE tenant_id = :tenant_id"
    " AND id = ANY(:session_ids) AND state = 'scheduled' AND is_slot AND seats_taken = 0"
    " RETURNING id"
)
_EXCHANGE = text(
    "WITH change AS (SELECT * FROM unnest(cast(:session_ids AS uuid[]), cast(:counts AS int[]))"
    " AS c (session_id, seats))"
    " UPDATE sessions SET seats_taken = seats_taken + change.seats FROM change"
    " WHERE tenant_id = :tenant_id AND id = change.session_id"
    " AND (change.seats < 0 OR (state = 'scheduled'"
    " AND starts_at >= :earliest AND seats_taken + change.seats <= capacity))"
    " RETURNING id, is_slot AND seats_taken = 0 AS is_empty"
)

_TURN = text(
    "WITH change AS (SELECT * FROM unnest(cast(:session_ids AS uuid[]), cast(:counts AS int[]),"
    " cast(:bought AS bool[])) AS c (session_id, seats, bought))"
    " UPDATE sessions SET seats_taken = seats_taken + change.seats FROM change"
    " WHERE tenant_id = :tenant_id AND id = change.session_id"
    " AND (NOT change.bought OR (state = 'scheduled'"
    " AND starts_at >= :earliest AND seats_taken + change.seats <= capacity"
    " AND (cast(:series_id AS uuid) IS NULL OR series_id = :series_id))) RETURNING id"
)


class SeatsGone(Conflict):
    """Somebody else was faster, or a session is no longer on sale; `session_ids` are those lost."""

    code = "sold_out"

    def __init__(self, session_ids: Sequence[UUID]) -> None:
        super().__init__(
            _("Sorry, the last places went while you were booking. You have not been charged.")
        )
        self.session_ids = tuple(session_ids)


async def claim_seats(
    uow: UnitOfWork,
    session_ids: Sequence[UUID],
    wanted: int,
    *,
    earliest: datetime,
    series_id: UUID | None = None,
) -> None:
    """Takes `wanted` seats in every one of the sessions, or raises and the transaction ends.

    Sessions that start before `earliest`, are being cancelled, lack room, or have left the series
    that is being bought, `series_id`, give none.
    Raises: SeatsGone.
    """
    scope = {
        "tenant_id": uow.tenant,
        "wanted": wanted,
        "earliest": earliest,
        "series_id": series_id,
    }
    if len(session_ids) == 1:
        found = await uow.session.execute(_CLAIM_ONE, {**scope, "session_id": session_ids[0]})
    else:
        await _lock(uow, session_ids)
        found = await uow.session.execute(_CLAIM_MANY, {**scope, "session_ids": list(session_ids)})
    claimed = set(found.scalars())
    lost = [session_id for session_id in session_ids if session_id not in claimed]
    if lost:
        raise SeatsGone(lost)


async def give_back_seats(uow: UnitOfWork, counts: Mapping[UUID, int]) -> None:
    """Frees so many seats of each session; an appointment's time is vacated with its last one."""
    if not counts:
        return
    if len(counts) > 1:
        await _lock(uow, list(counts))
    found = await uow.session.execute(
        _GIVE_BACK,
        {
            "tenant_id": uow.tenant,
            "session_ids": list(counts),
            "counts": list(counts.values()),
        },
    )
    await _vacate(uow, [row.id for row in found if row.is_empty])


async def _vacate(uow: UnitOfWork, session_ids: Sequence[UUID]) -> None:
    """An appointment that nobody comes to any more takes nobody's time. One that is being called
    off is left to that.
    """
    if not session_ids:
        return
    scope = {"tenant_id": uow.tenant, "session_ids": list(session_ids)}
    vacated = (await uow.session.execute(_VACATE, scope)).scalars().all()
    await free_performer(uow, vacated)


async def exchange_seats(
    uow: UnitOfWork, freed: Mapping[UUID, int], session_id: UUID, *, earliest: datetime
) -> None:
    """Frees so many seats of each session and takes as many of another one, or raises and the
    transaction ends. The time of an appointment that was moved is vacated.

    All of them are locked by id first, so two guests who exchange seats of the same two sessions
    in opposite directions wait for each other and do not deadlock.
    Raises: SeatsGone.
    """
    counts = {freed_id: -count for freed_id, count in freed.items()}
    counts[session_id] = sum(freed.values())
    scope = {"tenant_id": uow.tenant, "session_ids": list(counts)}
    await _lock(uow, list(counts))
    found = await uow.session.execute(
        _EXCHANGE, {**scope, "counts": list(counts.values()), "earliest": earliest}
    )
    rows = found.all()
    if session_id not in {row.id for row in rows}:
        raise SeatsGone([session_id])
    await _vacate(uow, [row.id for row in rows if row.is_empty])


async def turn_seats(
    uow: UnitOfWork,
    freed: Mapping[UUID, int],
    wanted: Mapping[UUID, int],
    *,
    earliest: datetime,
    series_id: UUID | None = None,
) -> None:
    """Turns places that are held otherwise, such as by an offer, into others, or raises and the
    transaction ends: so many of each session are freed and so many taken at once.

    What is taken is judged as by `claim_seats`, also where as much of the session is freed.
    Raises: SeatsGone.
    """
    session_ids = sorted({*freed, *wanted})
    if not session_ids:
        return
    await _lock(uow, session_ids)
    scope = {
        "tenant_id": uow.tenant,
        "session_ids": session_ids,
        "counts": [wanted.get(one, 0) - freed.get(one, 0) for one in session_ids],
        "bought": [one in wanted for one in session_ids],
        "earliest": earliest,
        "series_id": series_id,
    }
    turned = set((await uow.session.execute(_TURN, scope)).scalars())
    lost = [session_id for session_id in wanted if session_id not in turned]
    if lost:
        raise SeatsGone(lost)


async def _lock(uow: UnitOfWork, session_ids: Sequence[UUID]) -> None:
    scope = {"tenant_id": uow.tenant, "session_ids": list(session_ids)}
    await uow.session.execute(_LOCK, scope)
