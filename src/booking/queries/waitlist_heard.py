"""What somebody who waits was told of when the dates are, where that is no longer so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from src.booking.commands.waitlist_said import is_said, said_time
from src.booking.domain.moves import Heard
from src.booking.models import Session, SessionChange, WaitlistEntry
from src.booking.queries.waitlist_page import EntryFacts
from src.platform.db.uow import UnitOfWork


async def with_heard(uow: UnitOfWork, timezone: str, facts: EntryFacts) -> EntryFacts:
    """With the times that the entry's mails have said of dates that have others now."""
    return replace(facts, heard=await _find_heard(uow, timezone, facts.entry, facts.coming))


async def _find_heard(
    uow: UnitOfWork, timezone: str, entry: WaitlistEntry, runs: Sequence[Session]
) -> Mapping[UUID, Heard]:
    """By session; `timezone` is the clock of now."""
    other = [run for run in runs if str(run.id) in entry.said and not is_said(entry, run)]
    if not other:
        return {}
    found = await uow.session.scalars(
        select(SessionChange)
        .where(
            SessionChange.tenant_id == uow.tenant,
            SessionChange.session_id.in_([run.id for run in other]),
        )
        .order_by(SessionChange.sequence)
    )
    by_session: dict[UUID, list[SessionChange]] = {}
    for change in found:
        by_session.setdefault(change.session_id, []).append(change)
    return {run.id: heard_of(entry, run, by_session.get(run.id, []), timezone) for run in other}


def heard_of(
    entry: WaitlistEntry, run: Session, changes: Sequence[SessionChange], timezone: str
) -> Heard:
    """What was said of the date; the changes, in their order, tell on which clock it was so and why
    the time is another one since.
    """
    starts_at, ends_at = said_time(entry, run)
    since: list[SessionChange] = []
    for change in changes:
        is_as_said = (change.starts_at, change.ends_at) == (starts_at, ends_at)
        since = [change] if is_as_said else [*since, change] if since else []
    return Heard(
        starts_at=starts_at,
        ends_at=ends_at,
        timezone=since[0].timezone if since else timezone,
        reasons=tuple(_reasons(since, run)),
    )


def _reasons(since: Sequence[SessionChange], run: Session) -> Iterable[str]:
    """Why its time was changed, the latest first."""
    became = run.starts_at, run.ends_at
    for change in reversed(since):
        was = change.starts_at, change.ends_at
        if was != became and change.reason:
            yield change.reason
        became = was
