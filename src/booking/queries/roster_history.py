"""What people have done to a session: the log's entries, and the places that were moved."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, ScalarSelect, Select, select, union
from sqlalchemy.orm import aliased

from src.billing.models import Order
from src.booking.models import Cancellation, Seat, Session
from src.booking.queries.party import NUMBER, called_by_staff
from src.booking.views.roster import HistoryLine
from src.platform.db.uow import UnitOfWork
from src.tenants.models import AuditEntry, Participant

MOST_LINES = 100
_NEW, _WAS, _IS = aliased(Seat), aliased(Session), aliased(Session)


async def list_history(uow: UnitOfWork, session_id: UUID) -> list[HistoryLine]:
    """The latest first. A cancelling that was undone says so in its own line, too."""
    found = await uow.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.tenant_id == uow.tenant, AuditEntry.subject_id == session_id)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(MOST_LINES)
    )
    lines = [_logged(entry) for entry in found]
    undone = await _list_undone(uow, [one.cancellation_id for one in lines if one.cancellation_id])
    told = [
        msgspec.structs.replace(one, action=f"{one.action}.undone")
        if one.cancellation_id in undone
        else one
        for one in lines
    ]
    every = [*told, *await _list_moves(uow, session_id)]
    # Sorting keeps what has one moment as the log has it.
    return sorted(every, key=lambda line: line.at, reverse=True)[:MOST_LINES]


def _logged(entry: AuditEntry) -> HistoryLine:
    return HistoryLine(
        at=entry.at,
        who=entry.actor_name,
        action=entry.action,
        changed=tuple(entry.detail.get("changed", ())),
        reason=str(entry.detail.get("reason", "")),
        was=_span(entry.detail.get("was")),
        became=_span(entry.detail.get("became")),
        cancellation_id=entry.detail.get("cancellation"),
    )


def _span(written: list[str] | None) -> tuple[datetime, datetime] | None:
    """Start and end, from the log."""
    if not written:
        return None
    starts_at, ends_at = (datetime.fromisoformat(moment) for moment in written)
    return starts_at, ends_at


async def _list_undone(uow: UnitOfWork, cancellation_ids: Sequence[str]) -> set[str]:
    if not cancellation_ids:
        return set()
    found = await uow.session.scalars(
        select(Cancellation.id).where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.id.in_([UUID(one) for one in cancellation_ids]),
            Cancellation.state == "undone",
        )
    )
    return {str(one) for one in found}


async def _list_moves(uow: UnitOfWork, session_id: UUID) -> list[HistoryLine]:
    """Places that went to another date, or came from one; those of one order that moved together
    are one line.
    """
    tenant = Seat.tenant_id
    # As one condition about either seat, no index would serve it, and it is asked at each tick.
    moves = union(_moves(uow, Seat, session_id), _moves(uow, _NEW, session_id)).subquery()
    found = await uow.session.execute(
        select(Seat, _WAS, _IS, Participant.name, NUMBER, Order.guest_name)
        .add_columns(_who_moved().label("who"))
        .select_from(moves)
        .join(Seat, (tenant == uow.tenant) & (Seat.id == moves.c.seat_id))
        .join(_WAS, (_WAS.tenant_id == tenant) & (_WAS.id == Seat.session_id))
        .join(_IS, (_IS.tenant_id == tenant) & (_IS.id == moves.c.moved_to))
        .join(Order, (Order.tenant_id == tenant) & (Order.id == Seat.order_id))
        .join(
            Participant, (Participant.tenant_id == tenant) & (Participant.id == Seat.participant_id)
        )
        .order_by(Seat.changed_at.desc(), NUMBER)
        .limit(MOST_LINES)
    )
    acts: dict[Hashable, list[Row[Any]]] = {}
    for row in found:
        key = (row.Seat.changed_at, row.Seat.order_id, row[1].id, row[2].id)
        acts.setdefault(key, []).append(row)
    return [_moved(own, session_id) for own in acts.values()]


def _moves(uow: UnitOfWork, seat: type[Seat], session_id: UUID) -> Select[tuple[UUID, UUID]]:
    """Seats that were replaced, and on which date: those where `seat`, the old one or the new, is
    of the session.
    """
    return (
        select(Seat.id.label("seat_id"), _NEW.session_id.label("moved_to"))
        .join(_NEW, (_NEW.tenant_id == Seat.tenant_id) & (_NEW.replaces_id == Seat.id))
        .where(Seat.tenant_id == uow.tenant, seat.session_id == session_id)
    )


def _moved(own: Sequence[Row[Any]], session_id: UUID) -> HistoryLine:
    seat, was, became = own[0][:3]
    people = [called_by_staff(row.name, row.number, row.guest_name) for row in own]
    is_away = was.id == session_id
    return HistoryLine(
        at=seat.changed_at,
        who=own[0].who if seat.changed_by == "staff" and own[0].who else own[0].guest_name,
        action="seats.moved_away" if is_away else "seats.moved_here",
        changed=(),
        reason=seat.changed_why if seat.changed_by == "staff" else "",
        was=(was.starts_at, was.ends_at),
        became=(became.starts_at, became.ends_at),
        people=", ".join(people),
    )


def _who_moved() -> ScalarSelect[str]:
    """Whoever of staff moved places of the booking last until then; the log is written before."""
    return (
        select(AuditEntry.actor_name)
        .where(
            AuditEntry.tenant_id == Seat.tenant_id,
            AuditEntry.subject_id == Seat.booking_id,
            AuditEntry.action.in_(["booking.seat_moved", "booking.seat_swapped"]),
            AuditEntry.at <= Seat.changed_at,
        )
        .order_by(AuditEntry.at.desc())
        .limit(1)
        .correlate(Seat)
        .scalar_subquery()
    )
