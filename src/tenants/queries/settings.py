"""What the settings pages show, and what other packages add to them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, literal, select, tuple_
from sqlalchemy.orm import aliased

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.localtime import to_local, to_utc
from src.tenants.models import ApiKey, AuditEntry, Location, Member, Performer, User
from src.tenants.views.settings import (
    ApiKeyRow,
    GuestsThere,
    LocationRow,
    LogEntry,
    LogPage,
    MovedDate,
    PerformerRow,
    UpcomingDates,
)

CurrencyLock = Callable[[UnitOfWork], Awaitable[str | None]]
LocationGuests = Callable[[UnitOfWork, UUID, datetime], Awaitable[GuestsThere]]
TimezonePreview = Callable[[UnitOfWork, datetime], Awaitable[UpcomingDates]]

LOG_ROWS = 50

_currency_locks: dict[str, CurrencyLock] = {}
_location_guests: dict[str, LocationGuests] = {}
_timezone_previews: dict[str, TimezonePreview] = {}


def register_currency_lock(name: str, probe: CurrencyLock) -> None:
    """`probe(uow)` says in a sentence why the currency cannot change any more, None if it may."""
    _currency_locks[name] = probe


def register_timezone_preview(name: str, probe: TimezonePreview) -> None:
    """`probe(uow, now)` gives dates ahead that a change of the business's clock touches."""
    _timezone_previews[name] = probe


def register_location_guests(name: str, probe: LocationGuests) -> None:
    """`probe(uow, location_id, now)` counts who comes to the place."""
    _location_guests[name] = probe


async def guests_there(uow: UnitOfWork, location_id: UUID, now: datetime) -> GuestsThere:
    """Who has to hear of it when the place is another one."""
    found = [await probe(uow, location_id, now) for probe in _location_guests.values()]
    return GuestsThere(
        guests=sum(one.guests for one in found), dates=sum(one.dates for one in found)
    )


async def currency_lock(uow: UnitOfWork) -> str | None:
    """Why the currency stays what it is, None while it may change."""
    for probe in _currency_locks.values():
        sentence = await probe(uow)
        if sentence is not None:
            return sentence
    return None


async def preview_timezone(
    uow: UnitOfWork, old: ZoneInfo, new: ZoneInfo, now: datetime
) -> tuple[int, list[MovedDate]]:
    """How many dates lie ahead, and the first few as either answer would leave them."""
    found = [await probe(uow, now) for probe in _timezone_previews.values()]
    samples = sorted(
        (date for dates in found for date in dates.samples), key=lambda date: date.starts_at
    )
    moved = [_moved(date.title, date.starts_at, old, new) for date in samples]
    return sum(dates.total for dates in found), moved


def _moved(title: str, starts_at: datetime, old: ZoneInfo, new: ZoneInfo) -> MovedDate:
    before = to_local(starts_at, old)
    moment = to_utc(before, new)
    return MovedDate(
        title=title,
        before=before,
        kept_instant=to_local(starts_at, new),
        kept_wall_clock=to_local(moment, new),
        wall_clock_at=moment,
    )


async def list_performers(uow: UnitOfWork) -> list[PerformerRow]:
    """Active ones first, each part by name."""
    of_the_business = and_(
        Member.tenant_id == Performer.tenant_id, Member.user_id == Performer.user_id
    )
    found = await uow.session.execute(
        select(Performer, User.name.label("member"))
        .outerjoin(Member, of_the_business)
        .outerjoin(User, User.id == Member.user_id)
        .where(Performer.tenant_id == uow.tenant)
        .order_by(Performer.active.desc(), Performer.name)
    )
    return [
        PerformerRow(
            id=row.Performer.id,
            name=row.Performer.name,
            user_id=row.Performer.user_id,
            member=row.member,
            active=row.Performer.active,
        )
        for row in found
    ]


async def get_performer(uow: UnitOfWork, performer_id: UUID) -> PerformerRow:
    """Raises: NotFound."""
    found = [row for row in await list_performers(uow) if row.id == performer_id]
    if not found:
        raise NotFound(_("There is no such performer."))
    return found[0]


async def list_locations(uow: UnitOfWork) -> list[LocationRow]:
    """Active ones first, each part by name."""
    found = await uow.session.scalars(
        select(Location)
        .where(Location.tenant_id == uow.tenant)
        .order_by(Location.active.desc(), Location.name)
    )
    return [_location(row) for row in found]


async def get_location(uow: UnitOfWork, location_id: UUID) -> LocationRow:
    """Raises: NotFound."""
    found = await uow.session.get(Location, (uow.tenant, location_id))
    if found is None:
        raise NotFound(_("There is no such place."))
    return _location(found)


def _location(row: Location) -> LocationRow:
    return LocationRow(
        id=row.id,
        name=row.name,
        address=row.address,
        room_capacity=row.room_capacity,
        is_online=row.is_online,
        active=row.active,
    )


async def list_api_keys(uow: UnitOfWork) -> list[ApiKeyRow]:
    """Keys in use before revoked ones, the newest first."""
    found = await uow.session.execute(
        select(ApiKey, User.name.label("creator"))
        .outerjoin(User, User.id == ApiKey.created_by)
        .where(ApiKey.tenant_id == uow.tenant)
        .order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())
    )
    return [_key(row.ApiKey, row.creator or "") for row in found]


async def get_api_key(uow: UnitOfWork, key_id: UUID) -> ApiKeyRow:
    """Raises: NotFound."""
    found = [row for row in await list_api_keys(uow) if row.id == key_id]
    if not found:
        raise NotFound(_("There is no such key."))
    return found[0]


def _key(key: ApiKey, creator: str) -> ApiKeyRow:
    return ApiKeyRow(
        id=key.id,
        name=key.name,
        last_four=key.last_four,
        created_by=creator,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )


async def list_log(
    uow: UnitOfWork, *, older_than: UUID | None = None, newer_than: UUID | None = None
) -> LogPage:
    """A page of the business's log, by the time that stands in it and of one time by their ids."""
    statement = select(AuditEntry).where(AuditEntry.tenant_id == uow.tenant)
    place = tuple_(AuditEntry.at, AuditEntry.id)
    if newer_than is not None:
        statement = statement.where(place > _place_of(uow, newer_than))
        statement = statement.order_by(AuditEntry.at, AuditEntry.id)
    else:
        statement = statement.order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        if older_than is not None:
            statement = statement.where(place < _place_of(uow, older_than))
    found = (await uow.session.scalars(statement.limit(LOG_ROWS + 1))).all()
    goes_on = len(found) > LOG_ROWS
    if newer_than is not None:
        rows = list(reversed(found[:LOG_ROWS]))
        return _log_page(rows, has_newer=goes_on, has_older=True)
    return _log_page(found[:LOG_ROWS], has_newer=older_than is not None, has_older=goes_on)


def _place_of(uow: UnitOfWork, entry_id: UUID) -> ColumnElement[Any]:
    """Where in the log the entry stands; nothing comes before or after one that is not there."""
    other = aliased(AuditEntry)
    at = select(other.at).where(other.tenant_id == uow.tenant, other.id == entry_id)
    return tuple_(at.scalar_subquery(), literal(entry_id))


def _log_page(rows: Sequence[AuditEntry], *, has_newer: bool, has_older: bool) -> LogPage:
    entries = [
        LogEntry(
            id=row.id,
            at=row.at,
            actor_kind=row.actor_kind,
            actor=row.actor_name,
            action=row.action,
            subject_kind=row.subject_kind,
            subject_id=row.subject_id,
            detail=row.detail,
        )
        for row in rows
    ]
    return LogPage(
        entries=entries,
        newer_than=entries[0].id if entries and has_newer else None,
        older_than=entries[-1].id if entries and has_older else None,
    )
