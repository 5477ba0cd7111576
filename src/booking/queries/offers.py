"""The facts that a booking is decided on, read in as few statements as can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.orm.attributes import set_committed_value

from src.booking.domain.kinds import SeatState
from src.booking.models import Seat, Series, Service, Session
from src.booking.queries.kept import is_kept
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _

# Made once: putting it together takes longer than running it.
_KEPT = is_kept("services.id", "series.id")
_SESSION = (
    select(Session, Service, Series, _KEPT)
    .join(Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id))
    .outerjoin(Series, (Series.tenant_id == Session.tenant_id) & (Series.id == Session.series_id))
    .where(
        Session.tenant_id == bindparam("tenant_id", type_=Uuid()),
        Session.id == bindparam("session_id"),
    )
)


@dataclass(frozen=True, slots=True)
class SessionOffer:
    """A session with its service and, if it belongs to one, its series. `is_kept`: for established
    customers only.
    """

    session: Session
    service: Service
    series: Series | None
    is_kept: bool


@dataclass(frozen=True, slots=True)
class SeriesOffer:
    """A series with its service and all its sessions in order of start. `is_kept` as above."""

    series: Series
    service: Service
    sessions: Sequence[Session]
    is_kept: bool


async def get_session_offer(uow: UnitOfWork, session_id: UUID) -> SessionOffer:
    """Raises: NotFound, for another tenant's session too."""
    found = await uow.session.execute(_SESSION, {"tenant_id": uow.tenant, "session_id": session_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound(_("There is no such session."))
    return SessionOffer(row[0], row[1], row[2], bool(row[3]))


async def get_series_offer(uow: UnitOfWork, series_id: UUID) -> SeriesOffer:
    """Raises: NotFound, for another tenant's series too."""
    found = await uow.session.execute(
        select(Series, Service, Session, _KEPT)
        .join(Service, (Service.tenant_id == Series.tenant_id) & (Service.id == Series.service_id))
        .outerjoin(
            Session,
            (Session.tenant_id == Series.tenant_id) & (Session.series_id == Series.id),
        )
        .where(Series.tenant_id == uow.tenant, Series.id == series_id)
        .order_by(Session.starts_at, Session.id),
        {"tenant_id": uow.tenant},
    )
    rows = found.all()
    if not rows:
        raise NotFound(_("There is no such series."))
    sessions = [row[2] for row in rows if row[2] is not None]
    return SeriesOffer(rows[0][0], rows[0][1], sessions, bool(rows[0][3]))


async def count_held_seats(uow: UnitOfWork, order_id: UUID) -> dict[UUID, int]:
    """How many seats of each session the order holds."""
    found = await uow.session.execute(
        select(Seat.session_id, func.count())
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id == order_id,
            Seat.state == str(SeatState.HELD),
        )
        .group_by(Seat.session_id)
    )
    return {row[0]: row[1] for row in found}


def count_as_free(sessions: Sequence[Session], held: Mapping[UUID, int]) -> None:
    """Takes seats out of what was read, and only there: nothing of it is ever written."""
    for session in sessions:
        if session.id in held:
            set_committed_value(session, "seats_taken", session.seats_taken - held[session.id])
