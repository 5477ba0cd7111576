"""Lists and single things as the JSON API gives them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import Select, literal, select, tuple_

from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.mail_facts import BookingFacts, find_booking_facts
from src.booking.queries.on_offer import count_on_offer, on_offer_in
from src.booking.views.api import SeriesOut, SessionOut, SessionPage, series_out, session_out
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Participant

LARGEST_PAGE = 200


class SessionsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions a caller wants; `after` is the `next` of the page before."""

    service_id: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    after: str | None = None
    limit: int = 50


async def list_services(uow: UnitOfWork) -> Sequence[Service]:
    found = await uow.session.scalars(
        select(Service).where(Service.tenant_id == uow.tenant).order_by(Service.name, Service.id)
    )
    return found.all()


async def list_sessions(
    uow: UnitOfWork, tenant: TenantSnapshot, asked: SessionsAsked
) -> SessionPage:
    """Sessions by start; a page of at most 200, found by its place and not by counting."""
    limit = min(max(asked.limit, 1), LARGEST_PAGE)
    found = (await uow.session.scalars(_sessions(uow, asked).limit(limit + 1))).all()
    shown = found[:limit]
    more = len(found) > limit
    last = shown[-1] if shown else None
    offered = await on_offer_in(uow, shown)
    return SessionPage(
        items=[session_out(session, tenant, offered.get(session.id, 0)) for session in shown],
        next=_mark(last) if more and last is not None else None,
    )


def _sessions(uow: UnitOfWork, asked: SessionsAsked) -> Select[tuple[Session]]:
    statement = (
        select(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.starts_at >= (asked.from_at or uow.clock.now()),
            ~Session.is_slot,
        )
        .order_by(Session.starts_at, Session.id)
    )
    if asked.service_id is not None:
        statement = statement.where(Session.service_id == asked.service_id)
    if asked.to_at is not None:
        statement = statement.where(Session.starts_at <= asked.to_at)
    if asked.after:
        starts_at, session_id = _place(asked.after)
        place = tuple_(Session.starts_at, Session.id)
        statement = statement.where(place > tuple_(literal(starts_at), literal(session_id)))
    return statement


def _mark(last: Session) -> str:
    """Where a page ended, in signs that an address takes as they are."""
    return f"{last.starts_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}_{last.id.hex}"


def _place(after: str) -> tuple[datetime, UUID]:
    starts_at, _line, session_id = after.rpartition("_")
    try:
        found = datetime.fromisoformat(starts_at), UUID(session_id)
    except ValueError:
        found = None
    if found is None or found[0].tzinfo is None:
        sentence = _("Give the `next` of the page before.")
        raise InvalidInput(sentence, fields={"after": sentence})
    return found


async def get_session_out(uow: UnitOfWork, tenant: TenantSnapshot, session_id: UUID) -> SessionOut:
    """Raises: NotFound."""
    found = await uow.session.get(Session, (uow.tenant, session_id))
    if found is None:
        raise NotFound(_("There is no such session."))
    return session_out(found, tenant, await count_on_offer(uow, found))


async def list_series(
    uow: UnitOfWork, tenant: TenantSnapshot, series_id: UUID | None = None
) -> list[SeriesOut]:
    """All series, newest first, or the one; each with its sessions in order of time."""
    statement = select(Series).where(Series.tenant_id == uow.tenant).order_by(Series.id.desc())
    if series_id is not None:
        statement = statement.where(Series.id == series_id)
    found = (await uow.session.scalars(statement)).all()
    sessions = await uow.session.execute(
        select(Session.series_id, Session.id)
        .where(
            Session.tenant_id == uow.tenant,
            Session.series_id.in_([series.id for series in found]),
        )
        .order_by(Session.starts_at, Session.id)
    )
    by_series: dict[UUID, list[UUID]] = defaultdict(list)
    for owner, session_id in sessions:
        by_series[owner].append(session_id)
    return [series_out(series, by_series[series.id], tenant.currency) for series in found]


async def get_series_out(uow: UnitOfWork, tenant: TenantSnapshot, series_id: UUID) -> SeriesOut:
    """Raises: NotFound."""
    found = await list_series(uow, tenant, series_id)
    if not found:
        raise NotFound(_("There is no such series."))
    return found[0]


async def get_booking_facts(uow: UnitOfWork, booking_id: UUID) -> BookingFacts:
    """Raises: NotFound."""
    booking = await uow.session.get(Booking, (uow.tenant, booking_id))
    facts = await find_booking_facts(uow, booking.order_id) if booking is not None else None
    if facts is None:
        raise NotFound(_("There is no such booking."))
    return facts


async def participant_names(uow: UnitOfWork, booking_id: UUID) -> dict[UUID, str]:
    """Names by participant, for the seats of one booking."""
    found = await uow.session.execute(
        select(Participant.id, Participant.name)
        .join(
            Seat,
            (Seat.tenant_id == Participant.tenant_id) & (Seat.participant_id == Participant.id),
        )
        .where(Seat.tenant_id == uow.tenant, Seat.booking_id == booking_id)
    )
    return {row.id: row.name for row in found}
