"""One change for several sessions: what it is, and what would become of each, changing nothing."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.commands.sessions import (
    UpdateSession,
    columns_of,
    details_of_session,
    get_session,
)
from src.booking.domain.drop_in import DropInRules
from src.booking.domain.kinds import DateScope, SessionMode
from src.booking.domain.seen import mark_of
from src.booking.domain.shifting import Shift
from src.booking.models import Session
from src.booking.queries.drop_in import drop_in_columns
from src.booking.queries.reached import list_reached
from src.platform.db.uow import UnitOfWork
from src.tenants.context import RequestContext


class EditSeveral(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed; None leaves it, and of place, leader and minimum the flags say
    whether.

    `weekday` (0 is Monday), `shift_days` and `start_time` are on the business's clock; see `Shift`.
    `meeting_url` goes with `mode`. `chosen` are the sessions of that scope. Sessions that were
    edited on their own are left alone unless `include_edited`, but not those that were named: the
    chosen ones, and the one that the act began from.
    `seen` is the `mark_of_plan` of what was looked at.
    """

    session_id: UUID
    scope: DateScope
    chosen: tuple[UUID, ...] = ()
    weekday: int | None = None
    shift_days: int | None = None
    start_time: time | None = None
    duration_minutes: int | None = None
    capacity: int | None = None
    title: str | None = None
    changes_place: bool = False
    location_id: UUID | None = None
    mode: SessionMode | None = None
    meeting_url: str = ""
    changes_performer: bool = False
    performer_id: UUID | None = None
    tells_performer: bool = False
    changes_minimum: bool = False
    min_seats: int | None = None
    decide_hours: int | None = None
    drop_in: DropInRules | None = None
    include_edited: bool = False
    reason: str = ""
    seen: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A session and what becomes of it; `is_protected`: it was edited on its own and stays.

    `drop_in` are its own rules from then on for being sold alone, where these are changed.
    """

    session: Session
    becomes: UpdateSession
    drop_in: DropInRules | None
    changed: frozenset[str]
    is_protected: bool

    @property
    def is_made(self) -> bool:
        return bool(self.changed) and not self.is_protected

    @property
    def columns(self) -> dict[str, Any]:
        """The session as it is to be kept."""
        return _columns(self.becomes, self.drop_in)

    @property
    def present(self) -> dict[str, Any]:
        """The session as it is, of the same columns."""
        return {name: getattr(self.session, name) for name in self.columns}


async def plan_edit(uow: UnitOfWork, ctx: RequestContext, cmd: EditSeveral) -> list[Change]:
    """Every session that is reached, in order of time, changing nothing. Raises: NotFound."""
    first = await get_session(uow, cmd.session_id)
    reached = await list_reached(uow, first, cmd.scope, ctx.here.zone, cmd.chosen)
    return [_change(session, cmd, ctx.here.zone) for session in reached]


def mark_of_plan(planned: Sequence[Change]) -> str:
    """The same while the same sessions are reached, are as they were, and would become the same."""
    return mark_of(
        [
            (
                one.session.id,
                one.session.sequence,
                _plain(one.present),
                one.is_protected,
                one.becomes,
                one.drop_in,
            )
            for one in planned
        ]
    )


def mark_of_command(cmd: EditSeveral) -> str:
    """The same for the same change of the same dates, whatever was looked at and began from."""
    fields = msgspec.structs.asdict(cmd)
    return mark_of({k: v for k, v in fields.items() if k not in {"seen", "session_id"}})


def mark_of_result(planned: Sequence[Change]) -> str:
    """What `mark_of_present` says once the change is made."""
    return mark_of(
        [(one.session.id, _plain(one.columns if one.is_made else one.present)) for one in planned]
    )


def mark_of_present(planned: Sequence[Change]) -> str:
    """The sessions as they are, whatever is to become of them."""
    return mark_of([(one.session.id, _plain(one.present)) for one in planned])


def _plain(columns: dict[str, Any]) -> dict[str, Any]:
    """Every moment on one clock, for the same one is written differently on another."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in columns.items()
    }


def doubled(changes: Collection[Change]) -> set[UUID]:
    """Those that would start together with another one of the same service, which they did not
    before: two dates of one week that go to the same weekday.
    """
    moved = [one for one in changes if "starts_at" in one.changed]
    found: set[UUID] = set()
    first_at: dict[tuple[UUID, datetime], Session] = {}
    for one in moved:
        key = (one.session.service_id, one.becomes.starts_at)
        first = first_at.setdefault(key, one.session)
        if first.starts_at != one.session.starts_at:
            found |= {first.id, one.session.id}
    return found


def _change(session: Session, cmd: EditSeveral, zone: ZoneInfo) -> Change:
    fields: dict[str, Any] = msgspec.structs.asdict(details_of_session(session))
    fields["starts_at"], fields["ends_at"] = _times(session, cmd, zone)
    if cmd.capacity is not None:
        fields["capacity"] = cmd.capacity
    if cmd.title is not None:
        fields["title"] = cmd.title
    if cmd.changes_place:
        fields["location_id"] = cmd.location_id
    if cmd.mode is not None:
        fields["mode"], fields["meeting_url"] = cmd.mode, cmd.meeting_url
    if cmd.changes_performer:
        fields["performer_id"] = cmd.performer_id
    if cmd.changes_minimum:
        fields["min_seats"], fields["decide_hours"] = cmd.min_seats, cmd.decide_hours
    becomes = UpdateSession(
        session_id=session.id,
        move_guests=True,
        reason=cmd.reason.strip(),
        tells_performer=cmd.tells_performer,
        **fields,
    )
    columns = _columns(becomes, cmd.drop_in)
    is_named = session.id == cmd.session_id or cmd.scope is DateScope.CHOSEN
    is_its_own = session.edited_at is not None and not is_named
    return Change(
        session=session,
        becomes=becomes,
        drop_in=cmd.drop_in,
        changed=frozenset(n for n in columns if getattr(session, n) != columns[n]),
        is_protected=is_its_own and not cmd.include_edited,
    )


def _columns(becomes: UpdateSession, drop_in: DropInRules | None) -> dict[str, Any]:
    own = drop_in_columns(drop_in) if drop_in is not None else {}
    return {**columns_of(becomes), **own}


def _times(session: Session, cmd: EditSeveral, zone: ZoneInfo) -> tuple[datetime, datetime]:
    shift = Shift(weekday=cmd.weekday, days=cmd.shift_days, start_time=cmd.start_time)
    starts_at, lasts = shift.of(session.starts_at, zone), session.ends_at - session.starts_at
    if cmd.duration_minutes is not None:
        lasts = timedelta(minutes=cmd.duration_minutes)
    return starts_at, starts_at + lasts


def made_of(planned: Sequence[Change]) -> list[Change]:
    """Those that are really changed."""
    return [one for one in planned if one.is_made]
