"""Which reminders are due, and whom a new one would reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, Text, Uuid, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.reminding import (
    DueReminder,
    Offset,
    Upcoming,
    furthest_ahead,
    remind_at,
    reminders_from,
)
from src.booking.models import Seat, Service, Session, SessionChange
from src.platform.db.uow import UnitOfWork
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.queries.mail_choices import declined

_MOVED_AT = (
    select(SessionChange.changed_at)
    .where(
        SessionChange.tenant_id == Session.tenant_id,
        SessionChange.session_id == Session.id,
        SessionChange.sequence == Session.moved_sequence,
    )
    .scalar_subquery()
)
_DECLINED = declined("b.customer_id", MailTopic.REMINDERS)
# A seat that became its guest's after the moment was due is not reminded: they have just booked.
# Nor is one that is being cancelled; where that is undone, a later look finds it.
_WAITING = text(
    "SELECT s.session_id, s.booking_id, min(due.starts_at) AS starts_at,"  # noqa: S608 - our own words
    " array_agg(DISTINCT due.ahead || ' ' || due.unit) AS offsets"
    " FROM unnest(:session_ids, :starts, :aheads, :units, :moments)"
    " AS due (session_id, starts_at, ahead, unit, at)"
    " JOIN seats s ON s.tenant_id = :tenant_id AND s.session_id = due.session_id"
    " AND s.state = 'confirmed' AND s.cancellation_id IS NULL AND s.changed_at <= due.at"
    " JOIN bookings b ON b.tenant_id = :tenant_id AND b.id = s.booking_id"
    f" WHERE NOT {_DECLINED}"
    " AND NOT EXISTS (SELECT FROM reminders_sent r WHERE r.tenant_id = :tenant_id"
    " AND r.booking_id = s.booking_id AND r.session_id = due.session_id"
    " AND r.starts_at = due.starts_at AND r.ahead = due.ahead AND r.unit = due.unit)"
    " GROUP BY s.session_id, s.booking_id ORDER BY s.session_id, s.booking_id LIMIT :most"
).bindparams(
    bindparam("session_ids", type_=ARRAY(Uuid)),
    bindparam("starts", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("aheads", type_=ARRAY(Integer)),
    bindparam("units", type_=ARRAY(Text)),
    bindparam("moments", type_=ARRAY(TIMESTAMP(timezone=True))),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A booking whose guest is to be reminded of one date, for each of the due offsets at once."""

    booking_id: UUID
    session_id: UUID
    starts_at: datetime
    offsets: Sequence[Offset]


async def has_reminders(uow: UnitOfWork) -> bool:
    """Whether any service of the tenant has a reminder."""
    found = await uow.session.scalar(
        select(Service.id)
        .where(Service.tenant_id == uow.tenant, func.jsonb_array_length(Service.reminders) > 0)
        .limit(1)
    )
    return found is not None


async def list_upcoming(uow: UnitOfWork, now: datetime) -> list[Upcoming]:
    """The dates ahead of services with reminders, as far as a reminder can reach."""
    found = await uow.session.execute(
        select(Service.id, Service.reminders).where(
            Service.tenant_id == uow.tenant, func.jsonb_array_length(Service.reminders) > 0
        )
    )
    by_service = {row.id: reminders_from(row.reminders) for row in found}
    if not by_service:
        return []
    reach = furthest_ahead(each for reminders in by_service.values() for each in reminders)
    dates = await uow.session.execute(
        select(Session.id, Session.service_id, Session.starts_at, _MOVED_AT.label("moved_at"))
        .where(
            Session.tenant_id == uow.tenant,
            Session.service_id.in_(by_service),
            Session.state == SessionState.SCHEDULED,
            Session.starts_at > now,
            Session.starts_at <= now + reach,
        )
        .order_by(Session.starts_at)
    )
    return [
        Upcoming(
            session_id=row.id,
            starts_at=row.starts_at,
            reminders=by_service[row.service_id],
            moved_at=row.moved_at,
        )
        for row in dates
    ]


async def list_waiting(uow: UnitOfWork, due: Sequence[DueReminder], most: int) -> list[Waiting]:
    """The bookings that have not been reminded yet, in the order of their dates' ids."""
    if not due:
        return []
    found = await uow.session.execute(
        _WAITING,
        {
            "tenant_id": uow.tenant,
            "session_ids": [one.session_id for one in due],
            "starts": [one.starts_at for one in due],
            "aheads": [one.ahead for one in due],
            "units": [str(one.unit) for one in due],
            "moments": [one.at for one in due],
            "most": most,
        },
    )
    return [
        Waiting(
            row.booking_id, row.session_id, row.starts_at, [_offset(one) for one in row.offsets]
        )
        for row in found
    ]


def _offset(words: str) -> Offset:
    ahead, _space, unit = words.partition(" ")
    return int(ahead), BeforeUnit(unit)


async def count_reached(
    uow: UnitOfWork, service_id: UUID, offsets: Sequence[Offset], now: datetime, zone: ZoneInfo
) -> int:
    """How many bookings that are there already will be reminded by one of the new `offsets`."""
    dates = await uow.session.execute(
        select(Session.id, Session.starts_at).where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            Session.state == SessionState.SCHEDULED,
            Session.starts_at > now,
            Session.seats_taken > 0,
        )
    )
    sessions = [
        row.id
        for row in dates
        if any(remind_at(ahead, unit, row.starts_at, zone) >= now for ahead, unit in offsets)
    ]
    found = await uow.session.scalar(
        select(func.count(func.distinct(Seat.booking_id))).where(
            Seat.tenant_id == uow.tenant,
            Seat.session_id.in_(sessions),
            Seat.state == SeatState.CONFIRMED,
        )
    )
    return found or 0
