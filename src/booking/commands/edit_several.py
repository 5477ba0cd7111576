"""Editing several sessions in one act: those after one too, all still to come, or chosen ones.

One transaction: what is written about the sessions comes first, they themselves last and by id,
each by the guarded statement of a single edit. So all are changed or none, and every guest is told
of all their dates in one mail.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.due import drop_several_due
from src.booking.commands.announcing import announced
from src.booking.commands.busy import Slot, free_performer, slot_of, take_performer
from src.booking.commands.changes import note_changes
from src.booking.commands.decision_due import plan_decisions
from src.booking.commands.drop_in import rules_errors
from src.booking.commands.edit_plan import (
    Change,
    EditSeveral,
    doubled,
    made_of,
    mark_of_plan,
    plan_edit,
)
from src.booking.commands.sessions import (
    CALENDAR_COLUMNS,
    DECISION_COLUMNS,
    DROP_IN_COLUMNS,
    LEADERS_TIME,
    TIME_COLUMNS,
    UpdateSession,
    check_session,
    columns_of,
    told_of,
    told_performers,
    write_session,
)
from src.booking.commands.waking import wake_edited
from src.booking.domain.drop_in import DropInRules
from src.booking.domain.kinds import DateScope
from src.booking.models import Series, Service, Session
from src.booking.queries.busy import Taken, called_in, taken_between
from src.booking.queries.drop_in import rules_kept
from src.booking.queries.on_offer import on_offer_beyond
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.web.formats import date_medium
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.models import Location, Performer

_FIELDS = {"starts_at": "start_time", "ends_at": "duration_minutes"}
"""What of a session's own fields is said in another way here."""


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What all checks of one act need, asked for once: see `_known`, `on_offer_beyond`, `doubled`.

    While `named` is kept, no date reads its place and leader again.
    """

    known: dict[UUID, list[Taken]]
    on_offer: dict[UUID, int]
    doubled: set[UUID]
    named: list[Location | Performer]
    services: dict[UUID, Service]
    series: dict[UUID, Series]


async def list_refusals(
    uow: UnitOfWork, ctx: RequestContext, planned: Sequence[Change]
) -> dict[UUID, str]:
    """Why sessions cannot be so, by session; with one of them, none is changed."""
    changes = made_of(planned)
    facts = await _facts(uow, changes)
    refusals: dict[UUID, str] = {}
    for one in changes:
        try:
            await _check(uow, ctx, one, facts)
        except InvalidInput as refused:
            refusals[one.session.id] = " ".join(refused.fields.values()) or refused.message
    return refusals


async def edit_several(uow: UnitOfWork, ctx: RequestContext, cmd: EditSeveral) -> int:
    """Changes all that are reached, or none. Returns how many.

    Raises: NotFound; InvalidInput, which names the first date that cannot be so; Conflict when it
    is not what was seen, when one of them changed meanwhile, or a leader was taken.
    """
    planned = await plan_edit(uow, ctx, cmd)
    changes = made_of(planned)
    if cmd.changes_place and cmd.location_id is not None:
        await _keep_place(uow, cmd.location_id)
    facts = await _facts(uow, changes)
    for change in changes:
        await _check_by_name(uow, ctx, change, facts)
    if cmd.seen not in (None, mark_of_plan(planned)):
        raise _not_as_seen()
    await _take_leaders(uow, changes)
    await _replan(uow, changes)
    told = told_performers([(one.becomes, one.changed) for one in changes])
    performers = await announced(uow, told)
    await note_changes(
        uow,
        [
            one.session
            for one in changes
            if one.changed & CALENDAR_COLUMNS or one.session.id in performers
        ],
        timezone=ctx.here.timezone,
        reason=cmd.reason.strip(),
        performers=performers,
    )
    await wake_edited(
        uow,
        resized=[one.session.id for one in changes if "capacity" in one.changed],
        moved=[one.session.id for one in changes if one.changed & TIME_COLUMNS],
    )
    for change in changes:
        said = {"starts_at": change.session.starts_at.isoformat()}
        said |= told_of(change.becomes, change.session, set(change.changed))
        await audit(uow, ctx, "session.changed", "session", change.session.id, **said)
    await uow.settle()
    own = {"edited_at": uow.clock.now()} if _is_of_one(cmd) else {}
    for change in sorted(changes, key=lambda one: one.session.id):
        columns = {**change.columns, **own}
        tells = change.session.id in performers
        changed = set(change.changed)
        await write_session(uow, change.session, columns, changed, move_guests=True, tells=tells)
    return len(changes)


def _is_of_one(cmd: EditSeveral) -> bool:
    """Whether it was meant for one date only, which has been edited on its own then."""
    return cmd.scope is DateScope.THIS or (cmd.scope is DateScope.CHOSEN and len(cmd.chosen) == 1)


def _not_as_seen() -> Conflict:
    return Conflict(
        _(
            "This is not what you looked at: something was typed or has changed since. Nothing is"
            " done yet; please look at the dates again."
        ),
        code="session_changed",
    )


async def _keep_place(uow: UnitOfWork, location_id: UUID) -> None:
    """Its key is kept before any session is held, for whoever renames it waits for its sessions."""
    await uow.session.execute(
        select(Location.id)
        .where(Location.tenant_id == uow.tenant, Location.id == location_id)
        .with_for_update(read=True, key_share=True)
    )


async def _known(uow: UnitOfWork, changes: Sequence[Change]) -> dict[UUID, list[Taken]]:
    """What takes each leader then: the sessions of this very act where they go to, the others where
    they are.
    """
    moving = {one.session.id for one in changes if one.changed & LEADERS_TIME}
    led: dict[UUID, list[UpdateSession]] = {}
    for one in changes:
        if one.becomes.performer_id is not None:
            led.setdefault(one.becomes.performer_id, []).append(one.becomes)
    names = await _names(uow, changes) if moving else {}
    known: dict[UUID, list[Taken]] = {}
    for performer_id, runs in led.items():
        since, until = min(run.starts_at for run in runs), max(run.ends_at for run in runs)
        taken = await taken_between(uow, performer_id, since, until) if since < until else []
        known[performer_id] = [one for one in taken if one.session_id not in moving]
        known[performer_id] += [
            Taken(run.starts_at, run.ends_at, run.session_id, names[run.session_id])
            for run in runs
            if run.session_id in moving
        ]
    return known


async def _names(uow: UnitOfWork, changes: Sequence[Change]) -> dict[UUID, str]:
    """What the sessions of this act are called then."""
    found = await uow.session.execute(
        select(Service.id, Service.name).where(
            Service.tenant_id == uow.tenant,
            Service.id.in_({one.session.service_id for one in changes}),
        )
    )
    services = {row.id: row.name for row in found}
    return {
        one.session.id: called_in(services[one.session.service_id], one.becomes.title)
        for one in changes
    }


async def _named(uow: UnitOfWork, changes: Sequence[Change]) -> list[Location | Performer]:
    """The places and leaders of all, read once: while they are kept, no date reads its own again,
    for the database session itself holds on to nothing that was only read.
    """
    places = {one.becomes.location_id for one in changes} - {None}
    leaders = {one.becomes.performer_id for one in changes} - {None}
    there = select(Location).where(Location.tenant_id == uow.tenant, Location.id.in_(places))
    who = select(Performer).where(Performer.tenant_id == uow.tenant, Performer.id.in_(leaders))
    return [*await uow.session.scalars(there), *await uow.session.scalars(who)]


async def _facts(uow: UnitOfWork, changes: Sequence[Change]) -> _Facts:
    capacities = [(one.session, one.becomes.capacity) for one in changes]
    return _Facts(
        known=await _known(uow, changes),
        on_offer=await on_offer_beyond(uow, capacities),
        doubled=doubled(changes),
        named=await _named(uow, changes),
        **await _sold(uow, changes),
    )


async def _sold(uow: UnitOfWork, changes: Sequence[Change]) -> dict[str, Any]:
    """What rules for single dates hold together with, where such rules are changed."""
    selling = [one.session for one in changes if one.changed & DROP_IN_COLUMNS]
    if not selling:
        return {"services": {}, "series": {}}
    services = await uow.session.scalars(
        select(Service).where(
            Service.tenant_id == uow.tenant, Service.id.in_({one.service_id for one in selling})
        )
    )
    series = await uow.session.scalars(
        select(Series).where(
            Series.tenant_id == uow.tenant, Series.id.in_({one.series_id for one in selling})
        )
    )
    return {
        "services": {one.id: one for one in services},
        "series": {one.id: one for one in series},
    }


async def _check(uow: UnitOfWork, ctx: RequestContext, change: Change, facts: _Facts) -> None:
    """Raises: InvalidInput with what the rules of one session say, or that it has another date's
    start.
    """
    await check_session(
        uow, ctx, change.becomes, change.session, known=facts.known, on_offer=facts.on_offer
    )
    if change.session.id in facts.doubled:
        sentence = _("Another date that is changed here would start at the same time.")
        raise InvalidInput(sentence, fields={"starts_at": sentence})
    if change.drop_in is not None and change.changed & DROP_IN_COLUMNS:
        _check_drop_in(ctx, change.session, change.drop_in, facts)


def _check_drop_in(
    ctx: RequestContext, session: Session, rules: DropInRules, facts: _Facts
) -> None:
    """Raises: InvalidInput for a date in no series, and for what `rules_errors` says."""
    if session.series_id is None:
        sentence = _("This session is in no series: it is sold at the price of its service.")
        raise InvalidInput(sentence, fields={"allowed": sentence})
    behind = rules_kept(facts.series[session.series_id])
    service = facts.services[session.service_id]
    fields = rules_errors(rules, behind, service, ctx.here.currency)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)


async def _check_by_name(
    uow: UnitOfWork, ctx: RequestContext, change: Change, facts: _Facts
) -> None:
    """Raises: InvalidInput with the date and what `_check` says about it."""
    try:
        await _check(uow, ctx, change, facts)
    except InvalidInput as refused:
        day = date_medium(change.session.starts_at, ctx.here.zone)
        fields = {
            _FIELDS.get(name, name): _("%(day)s: %(why)s Nothing was changed.", day=day, why=why)
            for name, why in refused.fields.items()
        }
        raise InvalidInput(" ".join(fields.values()) or refused.message, fields=fields) from refused


async def _replan(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """When each is decided that has a minimum, or had one, in one statement each way."""
    due = [one for one in changes if one.changed & DECISION_COLUMNS]
    hours = {one.session.id: columns_of(one.becomes)["decide_hours"] for one in due}
    undecided = [ref for ref, ahead in hours.items() if ahead is None]
    if undecided:
        await drop_several_due(uow, undecided)
    await plan_decisions(
        uow,
        [
            (one.session.id, one.becomes.starts_at, hours[one.session.id])
            for one in due
            if hours[one.session.id] is not None
        ],
    )


async def _take_leaders(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """All are freed before any is taken, for sessions may change places with each other."""
    moved = [one for one in changes if one.changed & LEADERS_TIME]
    await free_performer(uow, [one.session.id for one in moved])
    by_leader: dict[UUID, list[Slot]] = {}
    for one in moved:
        becomes = one.becomes
        if becomes.performer_id is not None:
            slot = slot_of(one.session, becomes.starts_at, becomes.ends_at)
            by_leader.setdefault(becomes.performer_id, []).append(slot)
    for performer_id in sorted(by_leader):
        await take_performer(uow, performer_id, by_leader[performer_id])
