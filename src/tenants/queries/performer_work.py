"""What a performer has ahead, as whoever books them registers it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from src.platform.db.uow import UnitOfWork
from src.tenants.views.settings import PerformerWork

WorkProbe = Callable[[UnitOfWork, UUID, datetime], Awaitable[PerformerWork]]
_probes: dict[str, WorkProbe] = {}


def register_performer_work(name: str, probe: WorkProbe) -> None:
    """`probe(uow, performer_id, now)` is asked where somebody may be put aside."""
    _probes[name] = probe


async def list_performer_work(uow: UnitOfWork, performer_id: UUID, now: datetime) -> PerformerWork:
    found = [await probe(uow, performer_id, now) for probe in _probes.values()]
    return PerformerWork(
        ahead=[one for work in found for one in work.ahead],
        notes=[note for work in found for note in work.notes],
    )
