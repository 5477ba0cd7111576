"""What importing a timetable would do to this business as it is now."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import Range

from src.booking.domain.kinds import SessionMode
from src.booking.domain.minimum import USUAL_HOURS
from src.booking.domain.rehearsal import (
    BusySpan,
    Clash,
    ImportRules,
    KnownSession,
    PlannedSession,
    Rehearsal,
    rehearse,
)
from src.booking.domain.session_rules import LARGEST_CAPACITY
from src.booking.domain.timetable import ProposedSession, Timetable
from src.booking.domain.timetable_columns import ColumnChoice
from src.booking.models import Service, Session, TimetableImport
from src.booking.views.imports import ImportOptions, PastImport
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _, ngettext
from src.tenants.models import Location, Performer, PerformerBusy

MOST_PAST_IMPORTS = 20


@dataclass(frozen=True, slots=True)
class PlannedImport:
    """A rehearsal with the names in it found. Equal `digest`, equal effect.

    `new_performers` and `new_locations` are the ids that unknown names would get, empty unless the
    owner wants them taken up; `unknown_*` are those names whether or not.
    """

    rehearsal: Rehearsal
    create: Sequence[PlannedSession]
    clashes: Sequence[Clash]
    performer_names: Mapping[UUID, str]
    locations: Mapping[str, UUID]
    unknown_performers: Sequence[str]
    unknown_locations: Sequence[str]
    new_performers: Mapping[UUID, str]
    new_locations: Mapping[UUID, str]
    digest: str


@dataclass(slots=True)
class _Names:
    """Names in small letters with their ids, and those that nobody here has."""

    known: dict[str, UUID]
    unknown: list[str]
    new: dict[UUID, str] = field(default_factory=dict)


async def get_import(uow: UnitOfWork, import_id: UUID) -> TimetableImport:
    """Raises: NotFound, for another tenant's import and one that was given up too."""
    found = await uow.session.get(TimetableImport, (uow.tenant, import_id))
    if found is None:
        raise NotFound(_("There is no such import."))
    return found


async def list_imports(uow: UnitOfWork, service_id: UUID) -> list[PastImport]:
    """The service's last imports, latest first; the files themselves stay where they are."""
    names = ("id", "filename", "state", "created_count", "created_at", "committed_at")
    found = await uow.session.execute(
        select(*(getattr(TimetableImport, name) for name in names))
        .where(TimetableImport.tenant_id == uow.tenant, TimetableImport.service_id == service_id)
        .order_by(TimetableImport.created_at.desc(), TimetableImport.id.desc())
        .limit(MOST_PAST_IMPORTS)
    )
    return [PastImport(**{name: getattr(row, name) for name in names}) for row in found]


def options_of(stored: TimetableImport) -> ImportOptions:
    return msgspec.convert(stored.options, ImportOptions)


def choice_of(options: ImportOptions) -> ColumnChoice | None:
    """The columns as the owner pointed them out, None where they are found by their headings."""
    if options.columns is None:
        return None
    return ColumnChoice(options.columns, options.headless)


def hours_of_import(service: Service) -> int:
    """How long before the start of an imported session its minimum is decided."""
    return service.default_decide_hours or USUAL_HOURS


async def plan_import(
    uow: UnitOfWork,
    stored: TimetableImport,
    service: Service,
    timetable: Timetable,
    options: ImportOptions,
) -> PlannedImport:
    """Everything that would be created, clashes, is refused or there already; creates nothing."""
    performers = await _performers(uow, stored.id, timetable.sessions, options)
    locations = await _locations(uow, stored.id, timetable.sessions, options)
    rules = ImportRules(
        default_capacity=options.default_capacity,
        default_performer_id=options.default_performer_id,
        performers=performers.known,
        busy=await _busy(uow, timetable.sessions, performers, options),
        left_out=options.left_out,
        default_min_seats=service.default_min_seats,
        decided_until=uow.clock.now() + timedelta(hours=hours_of_import(service)),
    )
    rehearsal = rehearse(timetable, await _known(uow, service.id), rules)
    rooms = await _rooms(uow)
    create, clashes = _fitted(rehearsal, rooms, locations.known, options, service)
    return PlannedImport(
        rehearsal=rehearsal,
        create=create,
        clashes=[*rehearsal.clashes, *clashes],
        performer_names=await _performer_names(uow) | performers.new,
        locations=locations.known,
        unknown_performers=performers.unknown,
        unknown_locations=locations.unknown,
        new_performers=performers.new,
        new_locations=locations.new,
        digest=_digest(rehearsal, create, locations.known, options),
    )


def location_of(
    proposed: ProposedSession, known: Mapping[str, UUID], options: ImportOptions
) -> UUID | None:
    """The place by its name in the file, else the one chosen for all."""
    if proposed.location_name is None:
        return options.default_location_id
    return known.get(proposed.location_name.casefold(), options.default_location_id)


async def _performers(
    uow: UnitOfWork,
    import_id: UUID,
    proposed: Iterable[ProposedSession],
    options: ImportOptions,
) -> _Names:
    names = [one.performer_name for one in proposed if one.performer_name]
    here = await _performer_names(uow)
    known = {name.casefold(): performer_id for performer_id, name in here.items()}
    return _matched(names, known, import_id, take_up=options.add_performers)


async def _locations(
    uow: UnitOfWork,
    import_id: UUID,
    proposed: Iterable[ProposedSession],
    options: ImportOptions,
) -> _Names:
    names = [one.location_name for one in proposed if one.location_name]
    found = await uow.session.execute(
        select(Location.id, Location.name).where(Location.tenant_id == uow.tenant)
    )
    known = {row.name.casefold(): row.id for row in found}
    return _matched(names, known, import_id, take_up=options.add_locations)


def _matched(
    names: Iterable[str], known: dict[str, UUID], import_id: UUID, *, take_up: bool
) -> _Names:
    """New ones get an id that comes out the same each time, so that a plan can be compared."""
    missing = {name.casefold(): name for name in names if name.casefold() not in known}
    matched = _Names(known=known, unknown=sorted(missing.values()))
    if take_up:
        for folded, name in missing.items():
            matched.known[folded] = uuid5(import_id, folded)
            matched.new[matched.known[folded]] = name
    return matched


async def _performer_names(uow: UnitOfWork) -> dict[UUID, str]:
    found = await uow.session.execute(
        select(Performer.id, Performer.name).where(Performer.tenant_id == uow.tenant)
    )
    return {row.id: row.name for row in found}


async def _known(uow: UnitOfWork, service_id: UUID) -> list[KnownSession]:
    """Those to come, and whatever an import made, however long ago."""
    found = await uow.session.execute(
        select(Session.id, Session.title, Session.starts_at, Session.import_key, Location.name)
        .outerjoin(
            Location,
            (Location.tenant_id == Session.tenant_id) & (Location.id == Session.location_id),
        )
        .where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            or_(Session.starts_at > uow.clock.now(), Session.import_key.is_not(None)),
        )
    )
    return [KnownSession(*row) for row in found]


async def _busy(
    uow: UnitOfWork,
    proposed: Sequence[ProposedSession],
    performers: _Names,
    options: ImportOptions,
) -> dict[UUID, list[BusySpan]]:
    """What takes the performers of the file from its first to its last moment."""
    named = {one.performer_name.casefold() for one in proposed if one.performer_name}
    ids = {performers.known[name] for name in named if name in performers.known}
    if options.default_performer_id is not None:
        ids.add(options.default_performer_id)
    busy: dict[UUID, list[BusySpan]] = defaultdict(list)
    if not ids or not proposed:
        return busy
    begins, ends = min(one.starts_at for one in proposed), max(one.ends_at for one in proposed)
    found = await uow.session.execute(
        select(PerformerBusy.performer_id, PerformerBusy.during, Service.name, Session.title)
        .outerjoin(
            Session,
            (Session.tenant_id == PerformerBusy.tenant_id)
            & (Session.id == PerformerBusy.source_id),
        )
        .outerjoin(
            Service,
            (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id),
        )
        .where(
            PerformerBusy.tenant_id == uow.tenant,
            PerformerBusy.performer_id.in_(ids),
            PerformerBusy.during.op("&&")(Range(begins, ends, bounds="[)")),
        )
    )
    for row in found:
        what = " · ".join(filter(None, (row.name, row.title))) or _("something else")
        busy[row.performer_id].append(BusySpan(_at(row.during.lower), _at(row.during.upper), what))
    return busy


def _at(bound: Any) -> datetime:
    assert isinstance(bound, datetime)
    return bound


async def _rooms(uow: UnitOfWork) -> dict[UUID, Location]:
    found = await uow.session.scalars(select(Location).where(Location.tenant_id == uow.tenant))
    return {location.id: location for location in found}


def _fitted(
    rehearsal: Rehearsal,
    rooms: Mapping[UUID, Location],
    locations: Mapping[str, UUID],
    options: ImportOptions,
    service: Service,
) -> tuple[list[PlannedSession], list[Clash]]:
    """Leaves out what does not fit into its room."""
    create: list[PlannedSession] = []
    clashes: list[Clash] = []
    for plan in rehearsal.create:
        place_id = location_of(plan.proposed, locations, options)
        room = rooms.get(place_id) if place_id is not None else None
        reason = _why_not_there(plan, room, service)
        if reason is None:
            create.append(plan)
        else:
            clashes.append(Clash(plan.proposed, reason))
    return create, clashes


def _why_not_there(plan: PlannedSession, room: Location | None, service: Service) -> str | None:
    if plan.capacity > LARGEST_CAPACITY:
        return _("It has more seats than any session can have.")
    if plan.min_seats is not None and plan.min_seats > plan.capacity:
        return _("It needs more people than it has seats.")
    if room is None:
        return None
    if room.is_online and service.mode == SessionMode.IN_PERSON:
        return _("%(place)s is an online place.", place=room.name)
    if not room.is_online and service.mode == SessionMode.ONLINE:
        return _("An online session has no room such as %(place)s.", place=room.name)
    if room.room_capacity is not None and plan.capacity > room.room_capacity:
        return ngettext(
            "%(place)s has room for %(num)s person.",
            "%(place)s has room for %(num)s people.",
            room.room_capacity,
            place=room.name,
        )
    return None


def _digest(
    rehearsal: Rehearsal,
    create: Sequence[PlannedSession],
    locations: Mapping[str, UUID],
    options: ImportOptions,
) -> str:
    """Changes with anything that would be created otherwise, places included."""
    places = "|".join(str(location_of(plan.proposed, locations, options)) for plan in create)
    return hashlib.sha256(f"{rehearsal.digest}|{places}".encode()).hexdigest()
