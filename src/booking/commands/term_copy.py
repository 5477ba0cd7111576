"""Copying a series with its dates into a new term, which is off sale until it is published.

All of it is new rows, so only another copy of the same series waits for it; the database refuses a
performer's overlap last.
"""

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from src.booking.commands.busy import Slot, take_performer
from src.booking.commands.decision_due import plan_decisions
from src.booking.commands.series import get_series, lock_series
from src.booking.domain.drop_in import DropInRules
from src.booking.domain.kinds import SessionState
from src.booking.domain.price_tiers import document_of, put_off, read_tiers
from src.booking.domain.repeat import holiday_name
from src.booking.domain.term_copy import CopiedDate, copy_dates, first_overlap
from src.booking.domain.title_numbers import number_anew
from src.booking.models import Series, Session
from src.booking.queries.busy import Taken, taken_between
from src.booking.queries.drop_in import drop_in_columns
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.web.formats import date_medium
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

LONGEST_TITLE = 120
DROP_IN = tuple(drop_in_columns(DropInRules()))
_KEPT_OF_SERIES = (
    "service_id",
    "description",
    "price_type",
    "price_minor",
    "visibility",
    "join_policy",
    "gap_policy",
    *DROP_IN,
    "leaving",
    "tags",
    "takes_credits",
)
_KEPT_OF_SESSION = (
    "service_id",
    "capacity",
    "mode",
    "location_id",
    "meeting_url",
    "performer_id",
    "min_seats",
    "decide_hours",
    "tags",
    *DROP_IN,
)


class CopyTerm(msgspec.Struct, frozen=True, kw_only=True):
    """The series to copy and the day its first date is to be on; the same `new_id` copies once.

    `skip_holidays_of` is a country or a part of one, None for dates on holidays too. `ticked` are
    the sessions to copy; None for all that were not cancelled and whose leader is free.
    `number_anew` counts titles that count over what is copied.
    """

    series_id: UUID
    new_id: UUID
    title: str
    first_on: date
    skip_holidays_of: str | None = None
    ticked: frozenset[UUID] | None = None
    number_anew: bool = False


class PlannedDate(msgspec.Struct, frozen=True, kw_only=True):
    """One date of the copy and the session it is made from; `clash` names what takes its leader."""

    date: CopiedDate
    source: Session
    clash: str | None
    title: str
    is_wanted: bool

    @property
    def was_cancelled(self) -> bool:
        return _was_cancelled(self.source)


class PlannedTerm(msgspec.Struct, frozen=True, kw_only=True):
    """Every date of the copy from the first that took place on, those that were cancelled too.
    `cancelled_before` is how many were before that one; `counts` tells whether the titles do.
    """

    dates: list[PlannedDate]
    cancelled_before: int
    counts: bool

    @property
    def wanted(self) -> list[PlannedDate]:
        return [each for each in self.dates if each.is_wanted]


async def list_term(uow: UnitOfWork, series_id: UUID) -> list[Session]:
    """The dates of a series in order, cancelled ones too. Raises: Conflict where all were."""
    found = await uow.session.scalars(
        select(Session)
        .where(Session.tenant_id == uow.tenant, Session.series_id == series_id)
        .order_by(Session.starts_at, Session.id)
    )
    runs = list(found)
    if all(_was_cancelled(run) for run in runs):
        raise Conflict(_("This series has no date that could be copied."), code="no_dates")
    return runs


def held_dates(runs: list[Session]) -> list[Session]:
    """Those that were not cancelled."""
    return [run for run in runs if not _was_cancelled(run)]


def _was_cancelled(run: Session) -> bool:
    return run.state != str(SessionState.SCHEDULED)


async def plan_copy(uow: UnitOfWork, ctx: RequestContext, cmd: CopyTerm) -> PlannedTerm:
    """Every date of the copy, creating nothing. Raises: NotFound; Conflict; InvalidInput."""
    await get_series(uow, cmd.series_id)
    runs = await list_term(uow, cmd.series_id)
    fields: dict[str, str] = {}
    if not 1 <= len(cmd.title.strip()) <= LONGEST_TITLE:
        fields["title"] = _("Please give the series a title of at most 120 characters.")
    today = to_local(uow.clock.now(), ctx.here.zone).date()
    if not today < cmd.first_on < today.replace(year=today.year + 5, day=1):
        fields["first_on"] = _("Please choose a day that is still to come.")
    if fields:
        raise InvalidInput(_("The term cannot be copied like this."), fields=fields)
    before = next(at for at, run in enumerate(runs) if not _was_cancelled(run))
    shown = runs[before:]
    times = [(run.starts_at, run.ends_at) for run in shown]
    idle = {at for at, run in enumerate(shown) if _was_cancelled(run)}
    holiday_of = partial(holiday_name, cmd.skip_holidays_of)
    dates = copy_dates(times, cmd.first_on, ctx.here.zone, holiday_of, idle)
    pairs = list(zip(shown, dates, strict=True))
    taken = await _taken(uow, pairs)
    clashes = [_clash(taken, run, on) for run, on in pairs]
    wanted = [
        _is_wanted(cmd, run, on, clash) for (run, on), clash in zip(pairs, clashes, strict=True)
    ]
    titles = [run.title for run in runs]
    counted = number_anew(titles, [False] * before + wanted)
    if counted is not None and cmd.number_anew:
        titles = counted
    planned = [
        PlannedDate(date=on, source=run, clash=clash, title=title, is_wanted=is_wanted)
        for (run, on), clash, title, is_wanted in zip(
            pairs, clashes, titles[before:], wanted, strict=True
        )
    ]
    return PlannedTerm(dates=planned, cancelled_before=before, counts=counted is not None)


def _is_wanted(cmd: CopyTerm, run: Session, on: CopiedDate, clash: str | None) -> bool:
    if on.holiday is not None:
        return False
    if cmd.ticked is not None:
        return run.id in cmd.ticked
    return not _was_cancelled(run) and clash is None


async def is_copied(uow: UnitOfWork, series_id: UUID, new_id: UUID) -> bool:
    """Whether that copy of the series is made already; one that is being made now is waited for.

    Nobody else copies the series until the end. Raises: NotFound; Conflict where that id is of
    another series, which is no copy of this one.
    """
    await lock_series(uow, series_id)
    made = await uow.session.get(Series, (uow.tenant, new_id))
    if made is not None and made.copied_from != series_id:
        raise Conflict(_("This form belongs to another series. Please open the copy anew."))
    return made is not None


async def copy_term(uow: UnitOfWork, ctx: RequestContext, cmd: CopyTerm) -> UUID:
    """The new series with its dates, a draft: nothing of it is sold before it is published.

    Raises: PlanLimitReached, NotFound, Conflict; InvalidInput where a leader is taken, by another
    ticked date too, or nothing is ticked.
    """
    await require_feature_now(uow, ctx, Feature.GROUP_SERVICES)
    await require_feature_now(uow, ctx, Feature.SERIES)
    if await is_copied(uow, cmd.series_id, cmd.new_id):
        return cmd.new_id
    term = await plan_copy(uow, ctx, cmd)
    _check_ticked(term.wanted, ctx.here.zone)
    source = await get_series(uow, cmd.series_id)
    await _insert_series(uow, ctx, source, cmd, term.dates)
    made = [_copied(uow, each, cmd.new_id) for each in term.wanted]
    uow.session.add_all(made)
    said = {"title": cmd.title.strip(), "count": len(made), "copied": str(source.id)}
    await audit(uow, ctx, "series.copied", "series", cmd.new_id, **said)
    await uow.session.flush()
    await _plan(uow, made)
    return cmd.new_id


def _check_ticked(wanted: list[PlannedDate], zone: ZoneInfo) -> None:
    if not wanted:
        raise InvalidInput(_("Tick at least one date."))
    if any(each.clash for each in wanted):
        raise InvalidInput(
            _("Somebody is taken at a ticked time: untick it, or choose another first day.")
        )
    # A cancelled date and the one that replaced it are copied to the same time.
    led = [
        (each.source.performer_id, each.date)
        for each in wanted
        if each.source.performer_id is not None
    ]
    if (both := first_overlap(led)) is not None:
        raise InvalidInput(
            _(
                "Two ticked dates with the same leader overlap on %(day)s: untick one of them.",
                day=date_medium(both[1].starts_at, zone),
            )
        )


async def _insert_series(
    uow: UnitOfWork,
    ctx: RequestContext,
    source: Series,
    cmd: CopyTerm,
    planned: list[PlannedDate],
) -> None:
    """Joining is open for as many days after the first date as it was, and an early bird ends as
    long before it.
    """
    now, until_on = uow.clock.now(), source.join_until_on
    later = cmd.first_on - to_local(planned[0].source.starts_at, ctx.here.zone).date()
    if until_on is not None:
        until_on += later
    uow.session.add(
        Series(
            tenant_id=uow.tenant,
            id=cmd.new_id,
            title=cmd.title.strip(),
            copied_from=source.id,
            join_until_on=until_on,
            price_tiers=document_of(put_off(read_tiers(source.price_tiers), later)),
            created_at=now,
            updated_at=now,
            **_kept(source, _KEPT_OF_SERIES),
        )
    )
    await uow.session.flush()


def _copied(uow: UnitOfWork, each: PlannedDate, series_id: UUID) -> Session:
    return Session(
        tenant_id=uow.tenant,
        id=new_id(),
        series_id=series_id,
        starts_at=each.date.starts_at,
        ends_at=each.date.ends_at,
        title=each.title,
        created_at=uow.clock.now(),
        **_kept(each.source, _KEPT_OF_SESSION),
    )


def _kept(row: Series | Session, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


async def _plan(uow: UnitOfWork, made: list[Session]) -> None:
    """Leaders are taken for the new dates, and their minimums are looked at in time."""
    by_leader: dict[UUID, list[Slot]] = {}
    for session in made:
        if session.performer_id is not None:
            slot = Slot(session.id, session.starts_at, session.ends_at)
            by_leader.setdefault(session.performer_id, []).append(slot)
    await plan_decisions(
        uow, [(one.id, one.starts_at, one.decide_hours) for one in made if one.decide_hours]
    )
    for performer_id in sorted(by_leader):
        await take_performer(uow, performer_id, by_leader[performer_id])


async def _taken(
    uow: UnitOfWork, pairs: list[tuple[Session, CopiedDate]]
) -> dict[UUID, list[Taken]]:
    """What takes each leader within the new term: one query a leader, however many the dates."""
    dates: dict[UUID, list[CopiedDate]] = {}
    for run, on in pairs:
        if run.performer_id is not None:
            dates.setdefault(run.performer_id, []).append(on)
    return {
        performer_id: await taken_between(
            uow, performer_id, min(on.starts_at for on in led), max(on.ends_at for on in led)
        )
        for performer_id, led in dates.items()
    }


def _clash(taken: dict[UUID, list[Taken]], run: Session, on: CopiedDate) -> str | None:
    if run.performer_id is None:
        return None
    clashes = (one for one in taken[run.performer_id] if one.overlaps(on.starts_at, on.ends_at))
    return next((one.title for one in clashes), None)
