"""Going through a repeat before it happens: every date, and what stands in its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from src.booking.domain.repeat import Occurrence, RepeatRule, preview
from src.booking.domain.titles import titled
from src.booking.models import Session
from src.booking.queries.busy import Taken, taken_between
from src.platform.db.uow import UnitOfWork


class RepeatWish(Protocol):
    """What the rehearsal needs of a repeat."""

    @property
    def service_id(self) -> UUID: ...
    @property
    def rule(self) -> RepeatRule: ...
    @property
    def title_pattern(self) -> str: ...
    @property
    def performer_id(self) -> UUID | None: ...
    @property
    def left_out(self) -> frozenset[date]: ...


@dataclass(frozen=True, slots=True)
class RepeatDate:
    """One date of a repeat.

    `wanted`: the rule and the owner mean it to take place. `exists`: the very same session, by
    start and title, is there already. `clash` is what takes the performer at that time.
    """

    occurrence: Occurrence
    title: str
    wanted: bool
    passed: bool
    exists: bool
    clash: Taken | None

    @property
    def will_be_created(self) -> bool:
        return self.wanted and not self.exists


async def rehearse_repeat(
    uow: UnitOfWork, wish: RepeatWish, zone: ZoneInfo, now: datetime
) -> list[RepeatDate]:
    """Every date of the rule in order. Titles number the wanted dates.

    Raises: InvalidInput with errors by the rule's fields.
    """
    occurrences = preview(wish.rule, zone)
    starts_at, ends_at = _span(occurrences)
    there = await _existing(uow, wish.service_id, starts_at, ends_at)
    taken: Sequence[Taken] = ()
    if wish.performer_id is not None:
        taken = await taken_between(uow, wish.performer_id, starts_at, ends_at)
    return _dates(occurrences, wish, there, taken, now)


def _span(occurrences: list[Occurrence]) -> tuple[datetime, datetime]:
    return occurrences[0].starts_at, max(occurrence.ends_at for occurrence in occurrences)


async def _existing(
    uow: UnitOfWork, service_id: UUID, starts_at: datetime, ends_at: datetime
) -> dict[tuple[datetime, str], UUID]:
    found = await uow.session.execute(
        select(Session.starts_at, Session.title, Session.id).where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            Session.starts_at.between(starts_at, ends_at),
            Session.state == "scheduled",
        )
    )
    return {(row.starts_at, row.title): row.id for row in found}


def _dates(
    occurrences: list[Occurrence],
    wish: RepeatWish,
    there: dict[tuple[datetime, str], UUID],
    taken: Sequence[Taken],
    now: datetime,
) -> list[RepeatDate]:
    dates: list[RepeatDate] = []
    number = 0
    own: Taken | None = None
    for occurrence in occurrences:
        passed = occurrence.starts_at < now
        left_out = occurrence.local_start.date() in wish.left_out
        wanted = occurrence.included and not passed and not left_out
        number += wanted
        title = titled(wish.title_pattern, number) if wanted else ""
        same = there.get((occurrence.starts_at, title)) if wanted else None
        rivals = [*taken, own] if own is not None and wish.performer_id else list(taken)
        clash = _clash(occurrence, rivals, same)
        dates.append(RepeatDate(occurrence, title, wanted, passed, same is not None, clash))
        if wanted:
            own = Taken(occurrence.starts_at, occurrence.ends_at, None, title)
    return dates


def _clash(occurrence: Occurrence, taken: Sequence[Taken], same: UUID | None) -> Taken | None:
    """The first that takes the performer at that time, but for the session that is this one."""
    for other in taken:
        is_same = same is not None and other.session_id == same
        if not is_same and other.overlaps(occurrence.starts_at, occurrence.ends_at):
            return other
    return None
