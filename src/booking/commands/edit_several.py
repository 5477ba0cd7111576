"""Editing several sessions in one act: this one and those after it, or all that are still to come.

One transaction: what is written about the sessions comes first, they themselves last and by id,
each by the guarded statement of a single edit. So all are changed or none, and every guest is told
of all their dates in one mail.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from src.booking.commands.busy import Slot, free_performer, take_performer
from src.booking.commands.changes import note_changes
from src.booking.commands.decision_due import plan_decision
from src.booking.commands.sessions import (
    CALENDAR_COLUMNS,
    TIME_COLUMNS,
    UpdateSession,
    check_session,
    columns_of,
    details_of_session,
    get_session,
    told_of,
    write_session,
)
from src.booking.commands.waking import wake_edited
from src.booking.domain.kinds import SessionState
from src.booking.models import Session
from src.booking.queries.busy import Taken, taken_between
from src.booking.queries.on_offer import on_offer_beyond
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.localtime import to_local, to_utc
from src.platform.web.formats import date_medium
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.models import Location, Performer

_FIELDS = {"starts_at": "start_time", "ends_at": "duration_minutes"}
"""What of a session's own fields is said in another way here."""


_LEADERS_TIME = frozenset({*TIME_COLUMNS, "performer_id"})


class Scope(StrEnum):
    """Which sessions: those of the series, or, outside of any, of the same weekday and time."""

    FOLLOWING = "following"
    ALL = "all"


class EditSeveral(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed; None leaves it, and of place and leader the flags say whether.

    `start_time` is on the business's clock. Sessions that were edited on their own are left alone
    unless `include_edited`.
    """

    session_id: UUID
    scope: Scope
    start_time: time | None = None
    duration_minutes: int | None = None
    capacity: int | None = None
    title: str | None = None
    changes_place: bool = False
    location_id: UUID | None = None
    changes_performer: bool = False
    performer_id: UUID | None = None
    include_edited: bool = False
    reason: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A session and what becomes of it; `is_protected`: it was edited on its own and stays."""

    session: Session
    becomes: UpdateSession
    changed: frozenset[str]
    is_protected: bool


async def plan_edit(uow: UnitOfWork, ctx: RequestContext, cmd: EditSeveral) -> list[Change]:
    """Every session that is reached, in order of time, changing nothing. Raises: NotFound."""
    first = await get_session(uow, cmd.session_id)
    reached = await _reached(uow, first, cmd.scope, ctx.here.zone)
    return [_change(session, cmd, ctx.here.zone) for session in reached]


async def list_refusals(
    uow: UnitOfWork, ctx: RequestContext, planned: Sequence[Change]
) -> dict[UUID, str]:
    """Why sessions cannot be so, by session; with one of them, none is changed."""
    changes = [one for one in planned if one.changed and not one.is_protected]
    known, _kept = await _known(uow, changes), await _named(uow, changes)
    on_offer = await on_offer_beyond(uow, _capacities(changes))
    refusals: dict[UUID, str] = {}
    for one in changes:
        try:
            await check_session(uow, ctx, one.becomes, one.session, known=known, on_offer=on_offer)
        except InvalidInput as refused:
            refusals[one.session.id] = " ".join(refused.fields.values()) or refused.message
    return refusals


async def edit_several(uow: UnitOfWork, ctx: RequestContext, cmd: EditSeveral) -> int:
    """Changes all that are reached, or none. Returns how many.

    Raises: NotFound; InvalidInput, which names the first date that cannot be so; Conflict when one
    of them changed meanwhile or a leader was taken.
    """
    changes = [
        change
        for change in await plan_edit(uow, ctx, cmd)
        if change.changed and not change.is_protected
    ]
    if cmd.changes_place and cmd.location_id is not None:
        await _keep_place(uow, cmd.location_id)
    known, _kept = await _known(uow, changes), await _named(uow, changes)
    on_offer = await on_offer_beyond(uow, _capacities(changes))
    for change in changes:
        await _check(uow, ctx, change, known, on_offer)
    await _take_leaders(uow, changes)
    heard_of = [change.session for change in changes if change.changed & CALENDAR_COLUMNS]
    await note_changes(uow, heard_of, timezone=ctx.here.timezone, reason=cmd.reason.strip())
    await wake_edited(
        uow,
        resized=[one.session.id for one in changes if "capacity" in one.changed],
        moved=[one.session.id for one in changes if one.changed & TIME_COLUMNS],
    )
    for change in changes:
        said = told_of(change.becomes, change.session, set(change.changed))
        await audit(uow, ctx, "session.changed", "session", change.session.id, **said)
    await uow.settle()
    for change in sorted(changes, key=lambda one: one.session.id):
        columns = columns_of(change.becomes)
        await write_session(uow, change.session, columns, set(change.changed), move_guests=True)
    return len(changes)


async def _keep_place(uow: UnitOfWork, location_id: UUID) -> None:
    """Its key is kept before any session is held, for whoever renames it waits for its sessions."""
    await uow.session.execute(
        select(Location.id)
        .where(Location.tenant_id == uow.tenant, Location.id == location_id)
        .with_for_update(read=True, key_share=True)
    )


async def _reached(
    uow: UnitOfWork, first: Session, scope: Scope, zone: ZoneInfo
) -> Sequence[Session]:
    """Those that have not begun: what has been is history."""
    since = first.starts_at if scope is Scope.FOLLOWING else uow.clock.now()
    of_series = Session.series_id == first.series_id
    is_loose = first.series_id is None
    found = await uow.session.scalars(
        select(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.service_id == first.service_id,
            Session.series_id.is_(None) if is_loose else of_series,
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at >= since,
            Session.starts_at > uow.clock.now(),
        )
        .order_by(Session.starts_at, Session.id)
    )
    rhythm = _rhythm(first, zone)
    return [one for one in found if not is_loose or _rhythm(one, zone) == rhythm]


def _rhythm(session: Session, zone: ZoneInfo) -> tuple[int, time]:
    local = to_local(session.starts_at, zone)
    return local.weekday(), local.time()


def _change(session: Session, cmd: EditSeveral, zone: ZoneInfo) -> Change:
    fields: dict[str, Any] = msgspec.structs.asdict(details_of_session(session))
    fields["starts_at"], fields["ends_at"] = _times(session, cmd, zone)
    if cmd.capacity is not None:
        fields["capacity"] = cmd.capacity
    if cmd.title is not None:
        fields["title"] = cmd.title
    if cmd.changes_place:
        fields["location_id"] = cmd.location_id
    if cmd.changes_performer:
        fields["performer_id"] = cmd.performer_id
    becomes = UpdateSession(
        session_id=session.id, move_guests=True, reason=cmd.reason.strip(), **fields
    )
    columns = columns_of(becomes)
    return Change(
        session=session,
        becomes=becomes,
        changed=frozenset(n for n in columns if getattr(session, n) != columns[n]),
        is_protected=session.edited_at is not None and not cmd.include_edited,
    )


def _times(session: Session, cmd: EditSeveral, zone: ZoneInfo) -> tuple[datetime, datetime]:
    starts_at, lasts = session.starts_at, session.ends_at - session.starts_at
    if cmd.start_time is not None:
        on = to_local(starts_at, zone).date()
        starts_at = to_utc(datetime.combine(on, cmd.start_time.replace(tzinfo=None)), zone)
    if cmd.duration_minutes is not None:
        lasts = timedelta(minutes=cmd.duration_minutes)
    return starts_at, starts_at + lasts


async def _known(uow: UnitOfWork, changes: Sequence[Change]) -> dict[UUID, list[Taken]]:
    """What takes each leader then, apart from the sessions that move away in this very act."""
    moving = {one.session.id for one in changes if one.changed & _LEADERS_TIME}
    led: dict[UUID, list[UpdateSession]] = {}
    for one in changes:
        if one.becomes.performer_id is not None:
            led.setdefault(one.becomes.performer_id, []).append(one.becomes)
    known: dict[UUID, list[Taken]] = {}
    for performer_id, runs in led.items():
        since, until = min(run.starts_at for run in runs), max(run.ends_at for run in runs)
        taken = await taken_between(uow, performer_id, since, until) if since < until else []
        known[performer_id] = [one for one in taken if one.session_id not in moving]
    return known


async def _named(uow: UnitOfWork, changes: Sequence[Change]) -> list[Location | Performer]:
    """The places and leaders of all, read once: while they are kept, no date reads its own again,
    for the database session itself holds on to nothing that was only read.
    """
    places = {one.becomes.location_id for one in changes} - {None}
    leaders = {one.becomes.performer_id for one in changes} - {None}
    there = select(Location).where(Location.tenant_id == uow.tenant, Location.id.in_(places))
    who = select(Performer).where(Performer.tenant_id == uow.tenant, Performer.id.in_(leaders))
    return [*await uow.session.scalars(there), *await uow.session.scalars(who)]


def _capacities(changes: Sequence[Change]) -> list[tuple[Session, int]]:
    return [(one.session, one.becomes.capacity) for one in changes]


async def _check(
    uow: UnitOfWork,
    ctx: RequestContext,
    change: Change,
    known: dict[UUID, list[Taken]],
    on_offer: dict[UUID, int],
) -> None:
    """Raises: InvalidInput with the date and what the rules of one session say about it."""
    try:
        await check_session(
            uow, ctx, change.becomes, change.session, known=known, on_offer=on_offer
        )
    except InvalidInput as refused:
        day = date_medium(change.session.starts_at, ctx.here.zone)
        fields = {
            _FIELDS.get(name, name): _("%(day)s: %(why)s Nothing was changed.", day=day, why=why)
            for name, why in refused.fields.items()
        }
        raise InvalidInput(" ".join(fields.values()) or refused.message, fields=fields) from refused


async def _take_leaders(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """All are freed before any is taken, for sessions may change places with each other."""
    moved = [one for one in changes if one.changed & _LEADERS_TIME]
    await free_performer(uow, [one.session.id for one in moved])
    by_leader: dict[UUID, list[Slot]] = {}
    for one in moved:
        becomes = one.becomes
        if becomes.performer_id is not None:
            slot = Slot(one.session.id, becomes.starts_at, becomes.ends_at)
            by_leader.setdefault(becomes.performer_id, []).append(slot)
        if one.session.decide_hours is not None:
            hours = one.session.decide_hours
            await plan_decision(uow, one.session.id, becomes.starts_at, hours)
    for performer_id in sorted(by_leader):
        await take_performer(uow, performer_id, by_leader[performer_id])
