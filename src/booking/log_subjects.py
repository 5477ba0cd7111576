"""What is offered and booked as the log names it."""

from collections.abc import Collection as Ids
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from src.billing.models import Order
from src.booking.models import (
    Agreement,
    Booking,
    Broadcast,
    Collection,
    Group,
    Series,
    Service,
    Session,
    SessionChange,
    WaitlistEntry,
    Worksheet,
)
from src.platform.db.uow import UnitOfWork
from src.tenants.log_subjects import LogSubject, Subjects, register_log_subject


def register_log_subjects_of_booking() -> None:
    register_log_subject("session", _sessions)
    register_log_subject("series", _series)
    register_log_subject("service", _services)
    register_log_subject("booking", _bookings)
    register_log_subject("broadcast", _broadcasts)
    register_log_subject("collection", _collections)
    register_log_subject("group", _groups)
    register_log_subject("waitlist_entry", _waitlist_entries)
    register_log_subject("agreement", _agreements)
    register_log_subject("worksheet", _worksheets)


async def _worksheets(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Worksheet.id, Worksheet.title).where(
            Worksheet.tenant_id == uow.tenant, Worksheet.id.in_(ids)
        )
    )
    return {row.id: LogSubject(row.title, f"worksheets/{row.id}") for row in found}


async def _agreements(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Agreement.id, Agreement.title).where(
            Agreement.tenant_id == uow.tenant, Agreement.id.in_(ids)
        )
    )
    return {row.id: LogSubject(row.title, f"agreements/{row.id}") for row in found}


async def _sessions(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    changes = await uow.session.execute(
        select(SessionChange.session_id, SessionChange.changed_at, SessionChange.starts_at)
        .where(SessionChange.tenant_id == uow.tenant, SessionChange.session_id.in_(ids))
        .order_by(SessionChange.sequence)
    )
    moves: dict[UUID, list[tuple[datetime, datetime]]] = {}
    for session_id, changed_at, starts_at in changes:
        moves.setdefault(session_id, []).append((changed_at, starts_at))
    found = await uow.session.execute(
        _named(select(Session.id, Service.name, Session.title, Session.starts_at), Session).where(
            Session.tenant_id == uow.tenant, Session.id.in_(ids)
        )
    )
    return {
        row.id: LogSubject(
            _called(row.name, row.title),
            f"sessions/{row.id}",
            row.starts_at,
            moves.get(row.id, ()),
        )
        for row in found
    }


async def _series(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        _named(select(Series.id, Service.name, Series.title), Series).where(
            Series.tenant_id == uow.tenant, Series.id.in_(ids)
        )
    )
    return {row.id: LogSubject(_called(row.name, row.title), f"series/{row.id}") for row in found}


async def _services(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Service.id, Service.name).where(Service.tenant_id == uow.tenant, Service.id.in_(ids))
    )
    return {row.id: LogSubject(row.name, f"services/{row.id}/edit") for row in found}


async def _bookings(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Booking.id, Order.reference, Order.guest_name)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(Booking.tenant_id == uow.tenant, Booking.id.in_(ids))
    )
    return {
        row.id: LogSubject(_called(row.reference, row.guest_name), f"bookings/{row.id}")
        for row in found
    }


async def _broadcasts(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Broadcast.id, Broadcast.subject).where(
            Broadcast.tenant_id == uow.tenant, Broadcast.id.in_(ids)
        )
    )
    return {row.id: LogSubject(row.subject, f"broadcasts/{row.id}") for row in found}


async def _collections(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Collection.id, Collection.title).where(
            Collection.tenant_id == uow.tenant, Collection.id.in_(ids)
        )
    )
    return {row.id: LogSubject(row.title, f"collections/{row.id}") for row in found}


async def _groups(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Group.id, Group.title).where(Group.tenant_id == uow.tenant, Group.id.in_(ids))
    )
    return {row.id: LogSubject(row.title, f"groups/{row.id}") for row in found}


async def _waitlist_entries(uow: UnitOfWork, ids: Ids[UUID]) -> Subjects:
    """By what they wait for; who waits stands in the entry."""
    of = WaitlistEntry
    title = func.coalesce(Session.title, Series.title)
    found = await uow.session.execute(
        select(of.id, of.session_id, of.series_id, Service.name, title.label("title"))
        .add_columns(Session.starts_at)
        .outerjoin(Session, (Session.tenant_id == of.tenant_id) & (Session.id == of.session_id))
        .outerjoin(Series, (Series.tenant_id == of.tenant_id) & (Series.id == of.series_id))
        .join(
            Service,
            (Service.tenant_id == of.tenant_id)
            & (Service.id == func.coalesce(Session.service_id, Series.service_id)),
        )
        .where(of.tenant_id == uow.tenant, of.id.in_(ids))
    )
    return {
        row.id: LogSubject(
            _called(row.name, row.title),
            f"sessions/{row.session_id}/waitlist"
            if row.session_id
            else f"series/{row.series_id}/waitlist",
            row.starts_at,
        )
        for row in found
    }


def _named(statement: Select[Any], of: type[Session] | type[Series]) -> Select[Any]:
    return statement.join(
        Service, (Service.tenant_id == of.tenant_id) & (Service.id == of.service_id)
    )


def _called(*words: str) -> str:
    return " · ".join(filter(None, words))
