"""Publishing single sessions and correcting them.

A session's own row is contended (bookings claim its seats), so it is written last, by one guarded
statement that lets no guest lose a seat, and none be moved unless that is what was asked for. What
guests know of a session is kept before it changes, and they are told; see `changes`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, update

from src.booking.commands.announcing import announced
from src.booking.commands.busy import (
    Slot,
    free_performer,
    performer_exists,
    slot_of,
    take_performer,
)
from src.booking.commands.changes import changed_meanwhile, note_changes
from src.booking.commands.decision_due import move_past_errors, replan_decision
from src.booking.commands.services import get_group_service, get_service
from src.booking.commands.session_places import place_errors
from src.booking.commands.waking import wake_edited
from src.booking.domain.drop_in import DropInRules
from src.booking.domain.kinds import SessionMode, SessionState
from src.booking.domain.minimum import USUAL_HOURS, hours_of, minimum_errors
from src.booking.domain.seen import mark_of
from src.booking.domain.session_rules import SessionDraft, move_errors, session_errors
from src.booking.errors import MovesGuests
from src.booking.models import Session
from src.booking.queries.busy import Taken, taken_between
from src.booking.queries.drop_in import drop_in_columns
from src.booking.queries.on_offer import count_on_offer, on_offer_beyond
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.web.formats import date_range
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.customer_tags import read_tags, tag_errors
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

CALENDAR_COLUMNS = {"title", "starts_at", "ends_at", "mode", "location_id", "meeting_url"}
TIME_COLUMNS = {"starts_at", "ends_at"}
MINIMUM_COLUMNS = {"min_seats", "decide_hours"}
LEADERS_TIME = frozenset({*TIME_COLUMNS, "performer_id"})
"""What the leader's own time is taken by: when it is, and who they are."""
DECISION_COLUMNS = {"starts_at", *MINIMUM_COLUMNS}
DROP_IN_COLUMNS = frozenset(drop_in_columns(DropInRules()))

register_constraint(
    "pk_sessions",
    lambda: Conflict(_("This session has been published already."), code="already_submitted"),
)


class SessionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a session that its owner may choose; both moments are aware.

    With fewer than `min_seats`, where it has a minimum, it is called off `decide_hours` before its
    start, a day before unless said otherwise.
    """

    starts_at: datetime
    ends_at: datetime
    capacity: int
    mode: SessionMode = SessionMode.IN_PERSON
    title: str = ""
    meeting_url: str = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    min_seats: int | None = None
    decide_hours: int | None = None
    tags: tuple[str, ...] = ()


class CreateSession(SessionDetails, frozen=True, kw_only=True):
    """A new session; the same `session_id` sent again creates nothing more."""

    service_id: UUID
    session_id: UUID | None = None


class UpdateSession(SessionDetails, frozen=True, kw_only=True):
    """What the session is to be. `move_guests` says that whoever has a seat moves with it, `reason`
    then goes into their mails, and `tells_performer` that they hear who performs instead.
    `seen_sequence` is the state of the session that was looked at, and `seen` the mark of
    everything that was shown of it.
    """

    session_id: UUID
    move_guests: bool = False
    reason: str = ""
    tells_performer: bool = False
    seen_sequence: int | None = None
    seen: str | None = None


async def get_session(uow: UnitOfWork, session_id: UUID) -> Session:
    """Raises: NotFound, for another tenant's session too."""
    found = await uow.session.get(Session, (uow.tenant, session_id))
    if found is None:
        raise NotFound(_("There is no such session."))
    return found


def details_of_session(session: Session) -> SessionDetails:
    """The session as it is: what a change of some fields starts from."""
    return SessionDetails(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        capacity=session.capacity,
        mode=SessionMode(session.mode),
        title=session.title,
        meeting_url=session.meeting_url,
        location_id=session.location_id,
        performer_id=session.performer_id,
        min_seats=session.min_seats,
        decide_hours=session.decide_hours,
        tags=tuple(session.tags),
    )


async def create_session(uow: UnitOfWork, ctx: RequestContext, cmd: CreateSession) -> UUID:
    """One more date of a group service, on sale at once.

    Raises: NotFound, PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.GROUP_SERVICES)
    await require_group_service(uow, cmd.service_id)
    session_id = cmd.session_id or new_id()
    if await uow.session.get(Session, (uow.tenant, session_id)) is not None:
        return session_id
    await check_session(uow, ctx, cmd, None)
    uow.session.add(
        Session(
            tenant_id=uow.tenant,
            id=session_id,
            service_id=cmd.service_id,
            created_at=uow.clock.now(),
            **columns_of(cmd),
        )
    )
    await audit(uow, ctx, "session.published", "session", session_id, **_said(cmd))
    await uow.session.flush()
    if cmd.performer_id is not None:
        await take_performer(uow, cmd.performer_id, [Slot(session_id, cmd.starts_at, cmd.ends_at)])
    if cmd.min_seats is not None:
        await replan_decision(uow, session_id, cmd.starts_at, cmd.decide_hours or USUAL_HOURS)
    return session_id


async def update_session(uow: UnitOfWork, ctx: RequestContext, cmd: UpdateSession) -> None:
    """Corrects or moves a session; its guests keep their seats and are told of what they must know.

    Raises: NotFound; Conflict when it is cancelled or changed meanwhile; InvalidInput; MovesGuests
    when its time would change, somebody has a seat, and nobody said that guests are to be moved.
    """
    session = await get_session(uow, cmd.session_id)
    if session.state != SessionState.SCHEDULED:
        raise Conflict(_("This session is cancelled and stays as it was."), code="not_scheduled")
    columns, changed = columns_of(cmd), changed_by(cmd, session)
    if changed and _is_stale(session, cmd):
        raise changed_meanwhile()
    await check_session(uow, ctx, cmd, session)
    if not changed:
        return
    if changed & TIME_COLUMNS and session.seats_taken and not cmd.move_guests:
        on_offer = await count_on_offer(uow, session)
        raise MovesGuests(session.seats_taken - on_offer, on_offer)
    if changed & LEADERS_TIME:
        await free_performer(uow, [session.id])
        if cmd.performer_id is not None:
            await take_performer(
                uow, cmd.performer_id, [slot_of(session, cmd.starts_at, cmd.ends_at)]
            )
    if changed & DECISION_COLUMNS:
        await replan_decision(uow, session.id, cmd.starts_at, columns["decide_hours"])
    performers = await announced(uow, told_performers([(cmd, changed)]))
    if changed & CALENDAR_COLUMNS or performers:
        told = {"timezone": ctx.here.timezone, "reason": cmd.reason.strip()}
        await note_changes(uow, [session], performers=performers, **told)
    await wake_edited(
        uow,
        resized=[session.id] if cmd.capacity != session.capacity else [],
        moved=[session.id] if changed & TIME_COLUMNS else [],
    )
    said = await which_session(uow, session) | told_of(cmd, session, changed)
    await audit(uow, ctx, "session.changed", "session", session.id, **said)
    await uow.settle()
    columns["edited_at"] = uow.clock.now()
    await write_session(uow, session, columns, changed, cmd.move_guests, tells=bool(performers))


def changed_by(cmd: UpdateSession, session: Session) -> set[str]:
    """The columns that are not yet as the command wants them; none where all of it is done."""
    return {name for name, wanted in columns_of(cmd).items() if getattr(session, name) != wanted}


def told_performers(
    changes: Sequence[tuple[UpdateSession, Collection[str]]],
) -> dict[UUID, UUID | None]:
    """By session that gets another performer, whom its guests are to be told, None for nobody."""
    return {
        cmd.session_id: cmd.performer_id if cmd.tells_performer else None
        for cmd, changed in changes
        if "performer_id" in changed
    }


def _is_stale(session: Session, cmd: UpdateSession) -> bool:
    if cmd.seen_sequence not in (None, session.sequence):
        return True
    return cmd.seen not in (None, mark_of(details_of_session(session)))


async def require_group_service(uow: UnitOfWork, service_id: UUID) -> None:
    """Raises: NotFound; Conflict for a service that has no sessions."""
    await get_group_service(uow, service_id)


async def check_session(
    uow: UnitOfWork,
    ctx: RequestContext,
    cmd: SessionDetails,
    session: Session | None,
    *,
    known: Mapping[UUID, Sequence[Taken]] | None = None,
    on_offer: Mapping[UUID, int] | None = None,
) -> None:
    """Raises: InvalidInput with every field that will not do.

    `known` is what takes each leader and `on_offer` what `on_offer_beyond` says, where these were
    asked for several sessions at once.
    """
    if on_offer is None:
        on_offer = await on_offer_beyond(uow, [(session, cmd.capacity)] if session else [])
    draft = SessionDraft(
        title=cmd.title,
        starts_at=cmd.starts_at,
        ends_at=cmd.ends_at,
        capacity=cmd.capacity,
        mode=cmd.mode,
        meeting_url=cmd.meeting_url,
        taken=session.seats_taken if session is not None else 0,
        on_offer=on_offer.get(session.id, 0) if session is not None else 0,
        current_starts_at=session.starts_at if session is not None else None,
        current_ends_at=session.ends_at if session is not None else None,
    )
    now = uow.clock.now()
    fields = {**session_errors(draft, now), **move_errors(draft, now)}
    fields = {**await _minimum_errors(uow, cmd, session), **fields, **tag_errors(cmd.tags)}
    fields = {**await place_errors(uow, cmd.location_id, cmd.mode, cmd.capacity), **fields}
    if not fields:
        fields = await _performer_errors(uow, ctx, cmd, session, known)
    if fields:
        raise InvalidInput(_("The session cannot be saved like this."), fields=fields)


async def _minimum_errors(
    uow: UnitOfWork, cmd: SessionDetails, session: Session | None
) -> dict[str, str]:
    """A minimum that stays may be decided already; one that is set anew must not."""
    if cmd.min_seats is None:
        return {}
    hours = cmd.decide_hours or USUAL_HOURS
    if session is None or (session.min_seats, session.decide_hours) != (cmd.min_seats, hours):
        return minimum_errors(cmd.min_seats, hours, cmd.capacity, cmd.starts_at, uow.clock.now())
    if cmd.capacity >= cmd.min_seats:
        return await move_past_errors(uow, session, cmd.starts_at)
    return {"capacity": _("It needs at least %(least)s people.", least=cmd.min_seats)}


async def _performer_errors(
    uow: UnitOfWork,
    ctx: RequestContext,
    cmd: SessionDetails,
    session: Session | None,
    known: Mapping[UUID, Sequence[Taken]] | None,
) -> dict[str, str]:
    if cmd.performer_id is None:
        return {}
    if not await performer_exists(uow, cmd.performer_id):
        return {"performer_id": _("Please choose one of the given ones.")}
    own = session.id if session is not None else None
    if known is None:
        taken = await taken_between(
            uow, cmd.performer_id, cmd.starts_at, cmd.ends_at, except_session=own
        )
    else:
        taken = [
            one
            for one in known.get(cmd.performer_id, ())
            if one.session_id != own and one.overlaps(cmd.starts_at, cmd.ends_at)
        ]
    if not taken:
        return {}
    return {
        "performer_id": _(
            "Already taken then by “%(title)s”, %(when)s.",
            title=taken[0].title,
            when=date_range(taken[0].starts_at, taken[0].ends_at, ctx.here.zone),
        )
    }


def columns_of(cmd: SessionDetails) -> dict[str, Any]:
    return {
        "title": cmd.title.strip(),
        "starts_at": cmd.starts_at,
        "ends_at": cmd.ends_at,
        "capacity": cmd.capacity,
        "mode": str(cmd.mode),
        "location_id": cmd.location_id,
        "meeting_url": cmd.meeting_url.strip(),
        "performer_id": cmd.performer_id,
        "min_seats": cmd.min_seats,
        "decide_hours": hours_of(cmd.min_seats, cmd.decide_hours),
        "tags": read_tags(",".join(cmd.tags)),
    }


def _said(cmd: SessionDetails) -> dict[str, Any]:
    return {"starts_at": cmd.starts_at.isoformat(), "capacity": cmd.capacity, "title": cmd.title}


async def which_session(uow: UnitOfWork, session: Session) -> dict[str, Any]:
    """The session for the log, by what it was called and when it was."""
    name = session.title or (await get_service(uow, session.service_id)).name
    return {"of": name, "starts_at": session.starts_at.isoformat()}


def told_of(cmd: UpdateSession, session: Session, changed: set[str]) -> dict[str, Any]:
    """For the log: what changed, and of a move the times before and after."""
    told: dict[str, Any] = {"changed": sorted(changed)}
    if changed & TIME_COLUMNS:
        told["was"] = [session.starts_at.isoformat(), session.ends_at.isoformat()]
        told["became"] = [cmd.starts_at.isoformat(), cmd.ends_at.isoformat()]
    if cmd.reason.strip():
        told["reason"] = cmd.reason.strip()
    return told


async def write_session(
    uow: UnitOfWork,
    session: Session,
    columns: dict[str, Any],
    changed: set[str],
    move_guests: bool,
    *,
    tells: bool = False,
) -> None:
    """The guarded update: whoever books meanwhile loses no seat, and is not moved unasked, and the
    leader's time is taken for the session as it is then.

    `edited_at` among the columns marks the session as edited on its own. `tells`: guests hear of
    the change, though it is none of their calendars.
    """
    statement = update(Session).where(
        Session.tenant_id == uow.tenant,
        Session.id == session.id,
        Session.state == str(SessionState.SCHEDULED),
        Session.seats_taken <= columns["capacity"],
    )
    values = {name: columns[name] for name in changed}
    if "edited_at" in columns:
        values["edited_at"] = columns["edited_at"]
    least = func.coalesce(Session.min_seats, 0)
    if changed & MINIMUM_COLUMNS:
        values |= {"decided_at": None, "decision_asked_at": None}
        least = func.coalesce(columns["min_seats"], 0)
    capacity = columns["capacity"] if "capacity" in changed else Session.capacity
    statement = statement.where(least <= capacity)
    if changed & DROP_IN_COLUMNS:
        statement = statement.where(Session.series_id == session.series_id)
    if changed & LEADERS_TIME:
        statement = statement.where(
            Session.starts_at == session.starts_at,
            Session.ends_at == session.ends_at,
            Session.performer_id.is_not_distinct_from(session.performer_id),
        )
    if tells or changed & CALENDAR_COLUMNS:
        statement = statement.where(Session.sequence == session.sequence)
        values["sequence"] = session.sequence + 1
    if changed & TIME_COLUMNS:
        values |= {"moved_sequence": session.sequence + 1, "decision_asked_at": None}
        if not move_guests:
            statement = statement.where(Session.seats_taken == 0)
    written = await uow.session.execute(statement.values(**values).returning(Session.id))
    if written.first() is None:
        raise changed_meanwhile()
