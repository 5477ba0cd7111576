"""Who has yet to hear of a change, and what they believe until then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, select

from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.domain.moves import Said, place_line, what_differs
from src.booking.models import Booking, Seat, Session, SessionChange
from src.booking.queries.mail_facts import Known, SeatFacts
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Location


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a session was in a state, and the reasons given since, the latest first. `performer` is
    who performs by now, where that is to be told.
    """

    said: Said
    reasons: tuple[str, ...] = ()
    performer: str = ""


def said_of(session: Session, location: Location | None, timezone: str) -> Said:
    """The session as guests are told of it on that clock."""
    in_person = session.mode != SessionMode.ONLINE and location is not None
    return Said(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        timezone=timezone,
        title=session.title,
        mode=session.mode,
        place=place_line(location.name, location.address) if in_person and location else "",
        meeting_url=session.meeting_url,
    )


Believed = Mapping[Known, Earlier]
"""What guests know of sessions, where it is no longer so."""


async def find_earlier(uow: UnitOfWork, known: Iterable[Known]) -> Believed:
    """What each session was in the state of that number; those that have not changed since lack."""
    wanted = set(known)
    if not wanted:
        return {}
    found = await uow.session.scalars(
        select(SessionChange)
        .where(
            SessionChange.tenant_id == uow.tenant,
            SessionChange.session_id.in_({session_id for session_id, _number in wanted}),
            SessionChange.sequence > min(number for _session_id, number in wanted),
        )
        .order_by(SessionChange.sequence)
    )
    by_session: dict[UUID, list[SessionChange]] = {}
    for change in found:
        by_session.setdefault(change.session_id, []).append(change)
    return {
        one: earlier
        for one in wanted
        if (earlier := _earlier(by_session.get(one[0], ()), one[1])) is not None
    }


def _earlier(changes: Sequence[SessionChange], number: int) -> Earlier | None:
    since = [change for change in changes if change.sequence > number]
    if not since:
        return None
    first = since[0]
    said = Said(
        starts_at=first.starts_at,
        ends_at=first.ends_at,
        timezone=first.timezone,
        title=first.title,
        mode=first.mode,
        place=first.place,
        meeting_url=first.meeting_url,
    )
    latest = since[::-1]
    return Earlier(
        said,
        tuple(change.reason for change in latest if change.reason),
        next((change.performer for change in latest if change.performer), ""),
    )


async def find_believed(uow: UnitOfWork, seats: Iterable[SeatFacts]) -> Believed:
    """What the guests of these seats were last told, where it is no longer so; mostly nothing."""
    return await find_earlier(uow, [item.known for item in seats if item.is_untold])


def is_news(item: SeatFacts, believed: Believed, timezone: str) -> bool:
    """Whether the seat's guest would read something new."""
    earlier = believed.get(item.known)
    if earlier is None:
        return False
    differs = what_differs(earlier.said, said_of(item.session, item.location, timezone))
    return bool(differs or earlier.performer)


async def list_bookings_to_tell(
    uow: UnitOfWork, action_id: UUID, *, after: UUID | None, most: int
) -> Sequence[Row[tuple[UUID, UUID]]]:
    """The next bookings, by id, with their customers who have not heard of what the act changed."""
    statement = untold(select(Booking.id, Booking.customer_id), uow, action_id)
    statement = statement.where(Seat.cancellation_id.is_(None))
    if after is not None:
        statement = statement.where(Booking.id > after)
    found = await uow.session.execute(statement.distinct().order_by(Booking.id).limit(most))
    return found.all()


def untold(statement: Select[Any], uow: UnitOfWork, action_id: UUID) -> Select[Any]:
    """Confirmed seats of sessions that still come, whose guests know an earlier state.

    A session that is being cancelled is left out, and nobody is told for a seat that is: its guests
    get that mail, or, if the cancelling is undone, this one then.
    """
    of_the_act = exists().where(
        SessionChange.tenant_id == Session.tenant_id,
        SessionChange.session_id == Session.id,
        SessionChange.action_id == action_id,
    )
    return (
        statement.select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.state == str(SeatState.CONFIRMED),
            Seat.told_sequence < Session.sequence,
            Session.state == str(SessionState.SCHEDULED),
            Session.ends_at > uow.clock.now(),
            of_the_act,
        )
    )
