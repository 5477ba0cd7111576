"""When dates took place at a moment that is past, since a business may move them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from src.billing.lines import DateMoved
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Seat, Session, SessionChange
from src.platform.db.uow import UnitOfWork
from src.platform.web.formats import datetime_local


class Dates(NamedTuple):
    """Dates with the changes of each that guests had to hear of, the earliest first."""

    sessions: Mapping[UUID, Session]
    changes: Mapping[UUID, Sequence[SessionChange]]
    zone: ZoneInfo

    def words_at(self, session: Session, moment: datetime) -> str:
        """When it was to start, as it stood at the moment."""
        later = (one for one in self.changes.get(session.id, ()) if one.changed_at > moment)
        return self._words(next((one.starts_at for one in later), session.starts_at))

    def moves_of(self, seats: Iterable[Seat]) -> list[DateMoved]:
        """The moves of dates that any of the seats was in then, each once."""
        sold: dict[UUID, list[Seat]] = {}
        for seat in seats:
            sold.setdefault(seat.session_id, []).append(seat)
        return [
            move
            for session_id, own in sold.items()
            for change, move in self._moves(self.sessions[session_id])
            if any(_was_in(seat, change) for seat in own)
        ]

    def _moves(self, session: Session) -> Iterable[tuple[SessionChange, DateMoved]]:
        changes = self.changes.get(session.id, ())
        starts = [*(one.starts_at for one in changes), session.starts_at]
        for change, becomes in zip(changes, starts[1:], strict=True):
            if becomes != change.starts_at:
                yield (
                    change,
                    DateMoved(
                        at=change.changed_at,
                        why=change.reason,
                        was=self._words(change.starts_at),
                        becomes=self._words(becomes),
                        page=f"sessions/{session.id}",
                    ),
                )

    def _words(self, moment: datetime) -> str:
        return datetime_local(moment, self.zone)


async def read_dates(uow: UnitOfWork, sessions: Iterable[Session], zone: ZoneInfo) -> Dates:
    by_id = {one.id: one for one in sessions}
    found = await uow.session.scalars(
        select(SessionChange)
        .where(SessionChange.tenant_id == uow.tenant, SessionChange.session_id.in_(by_id))
        .order_by(SessionChange.sequence)
    )
    changes: dict[UUID, list[SessionChange]] = {}
    for change in found:
        changes.setdefault(change.session_id, []).append(change)
    return Dates(by_id, changes, zone)


def start_last_held() -> ColumnElement[datetime]:
    """When the date of the seat at hand starts or, for a seat that has ended, was to start then:
    SQL, beside `seats` and `sessions`.
    """
    then = (
        select(SessionChange.starts_at)
        .where(
            SessionChange.tenant_id == Seat.tenant_id,
            SessionChange.session_id == Seat.session_id,
            SessionChange.changed_at > Seat.changed_at,
            Seat.state.not_in(sorted(LIVE_SEATS)),
        )
        .order_by(SessionChange.sequence)
        .limit(1)
        .correlate(Seat)
    )
    return func.coalesce(then.scalar_subquery(), Session.starts_at)


def _was_in(seat: Seat, change: SessionChange) -> bool:
    is_later = change.sequence > seat.sold_sequence
    return is_later and (seat.state in LIVE_SEATS or change.changed_at <= seat.changed_at)
