"""Publishing many sessions by one rule: all that are wanted, or none."""

from datetime import date
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, insert, select

from src.booking.commands.busy import Slot, performer_exists, take_performer
from src.booking.commands.decision_due import plan_decisions
from src.booking.commands.sessions import place_errors, require_group_service
from src.booking.domain.kinds import SessionMode
from src.booking.domain.minimum import USUAL_HOURS, minimum_errors
from src.booking.domain.repeat import RepeatRule
from src.booking.domain.session_rules import SessionDraft, session_errors
from src.booking.domain.titles import pattern_error
from src.booking.models import Service, Session
from src.booking.queries.repeat import RepeatDate, rehearse_repeat
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.web.formats import datetime_local
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

_SESSIONS = cast(Table, Session.__table__)


class PublishRepeat(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions of one service by a rule; `left_out` are local days the owner does without."""

    service_id: UUID
    rule: RepeatRule
    capacity: int
    left_out: frozenset[date] = frozenset()
    mode: SessionMode = SessionMode.IN_PERSON
    title_pattern: str = ""
    meeting_url: str = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    min_seats: int | None = None
    decide_hours: int | None = None


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions that came of it, and how many of the wanted ones were there before."""

    session_ids: tuple[UUID, ...]
    already_there: int


async def check_repeat(
    uow: UnitOfWork, ctx: RequestContext, cmd: PublishRepeat
) -> list[RepeatDate]:
    """Every date of the repeat, creating nothing.

    Raises: NotFound, PlanLimitReached, InvalidInput; a date on which the performer is taken is
    only noted, so that it can be left out.
    """
    await require_feature_now(uow, ctx, Feature.GROUP_SERVICES)
    await require_group_service(uow, cmd.service_id)
    fields = await _errors(uow, cmd)
    try:
        dates = await rehearse_repeat(uow, cmd, ctx.here.zone, uow.clock.now())
    except InvalidInput as refused:
        raise InvalidInput(refused.message, fields={**fields, **refused.fields}) from None
    if not fields:
        fields = _errors_of_a_session(uow, cmd, dates)
    if fields:
        raise InvalidInput(_("The dates cannot be published like this."), fields=fields)
    return dates


async def publish_repeat(uow: UnitOfWork, ctx: RequestContext, cmd: PublishRepeat) -> Published:
    """Creates every wanted date that is not there yet, so a second submit creates nothing.

    Raises: NotFound, PlanLimitReached; InvalidInput when nothing is wanted or a performer is taken.
    """
    await _one_at_a_time(uow, cmd.service_id)
    dates = await check_repeat(uow, ctx, cmd)
    wanted = [each for each in dates if each.wanted]
    if not wanted:
        raise InvalidInput(_("No date is left to publish; tick at least one."))
    new = [each for each in wanted if not each.exists]
    _refuse_clashes(ctx, new)
    slots = [Slot(new_id(), each.occurrence.starts_at, each.occurrence.ends_at) for each in new]
    if new:
        await _insert(uow, cmd, new, slots)
        await audit(
            uow,
            ctx,
            "sessions.repeated",
            "service",
            cmd.service_id,
            count=len(new),
            first=new[0].occurrence.starts_at.isoformat(),
            last=new[-1].occurrence.starts_at.isoformat(),
        )
    return Published(
        session_ids=tuple(slot.session_id for slot in slots),
        already_there=len(wanted) - len(new),
    )


async def _one_at_a_time(uow: UnitOfWork, service_id: UUID) -> None:
    """Two submits of the same repeat wait for each other, or both would find nothing there."""
    await uow.session.execute(
        select(Service.id)
        .where(Service.tenant_id == uow.tenant, Service.id == service_id)
        .with_for_update(key_share=True)
    )


async def _errors(uow: UnitOfWork, cmd: PublishRepeat) -> dict[str, str]:
    fields = await place_errors(uow, cmd.location_id, cmd.mode, cmd.capacity)
    sentence = pattern_error(cmd.title_pattern)
    if sentence is not None:
        fields["title_pattern"] = sentence
    if cmd.performer_id is not None and not await performer_exists(uow, cmd.performer_id):
        fields["performer_id"] = _("Please choose one of the given ones.")
    return fields


def _errors_of_a_session(
    uow: UnitOfWork, cmd: PublishRepeat, dates: list[RepeatDate]
) -> dict[str, str]:
    """What the rules of a single session say about the first wanted date, and so about all."""
    first = next((each for each in dates if each.wanted), None)
    if first is None:
        return {}
    draft = SessionDraft(
        title=first.title,
        starts_at=first.occurrence.starts_at,
        ends_at=first.occurrence.ends_at,
        capacity=cmd.capacity,
        mode=cmd.mode,
        meeting_url=cmd.meeting_url,
    )
    now, hours = uow.clock.now(), cmd.decide_hours or USUAL_HOURS
    fields = session_errors(draft, now)
    if cmd.min_seats is not None:
        start = first.occurrence.starts_at
        fields |= minimum_errors(cmd.min_seats, hours, cmd.capacity, start, now)
    ends = fields.pop("ends_at", None)
    return {**fields, "duration_minutes": ends} if ends else fields


def _refuse_clashes(ctx: RequestContext, new: list[RepeatDate]) -> None:
    clashing = [each for each in new if each.clash is not None]
    if not clashing:
        return
    shown = ", ".join(
        datetime_local(each.occurrence.starts_at, ctx.here.zone) for each in clashing[:3]
    )
    raise InvalidInput(
        ngettext(
            "On %(num)s date the performer is taken already: %(dates)s. Leave it out.",
            "On %(num)s dates the performer is taken already: %(dates)s. Leave them out.",
            len(clashing),
            dates=shown if len(clashing) <= 3 else f"{shown} …",
        )
    )


async def _insert(
    uow: UnitOfWork, cmd: PublishRepeat, new: list[RepeatDate], slots: list[Slot]
) -> None:
    now = uow.clock.now()
    hours = None if cmd.min_seats is None else cmd.decide_hours or USUAL_HOURS
    shared: dict[str, Any] = {
        "tenant_id": uow.tenant,
        "service_id": cmd.service_id,
        "capacity": cmd.capacity,
        "seats_taken": 0,
        "mode": str(cmd.mode),
        "location_id": cmd.location_id,
        "meeting_url": cmd.meeting_url.strip(),
        "performer_id": cmd.performer_id,
        "min_seats": cmd.min_seats,
        "decide_hours": hours,
        "state": "scheduled",
        "sequence": 0,
        "in_term": True,
        "created_at": now,
    }
    rows = [
        {
            **shared,
            "id": slot.session_id,
            "title": each.title,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
        }
        for each, slot in zip(new, slots, strict=True)
    ]
    await uow.session.execute(insert(_SESSIONS), rows)
    if cmd.performer_id is not None:
        await take_performer(uow, cmd.performer_id, slots)
    if hours is not None:
        await plan_decisions(uow, [(slot.session_id, slot.starts_at, hours) for slot in slots])
