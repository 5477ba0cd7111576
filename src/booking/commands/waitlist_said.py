"""What mails have said to somebody who waits of when the dates are.

Kept with the entry, whose row is locked before the dates are read: a move that commits meanwhile
is told by its own work, which sees that another time was said.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from src.booking.models import Session, WaitlistEntry


def is_said(entry: WaitlistEntry, run: Session) -> bool:
    """Whether the latest mail that named this date said the time that it has."""
    return entry.said.get(str(run.id)) == _time(run)


def said_time(entry: WaitlistEntry, run: Session) -> tuple[datetime, datetime]:
    """The time of this date that the latest mail has said. Raises: KeyError where none has."""
    starts_at, ends_at = entry.said[str(run.id)].split("/")
    return datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at)


def note_said(entry: WaitlistEntry, runs: Iterable[Session]) -> None:
    """A mail that is queued with this transaction says when these dates are."""
    entry.said = {**entry.said, **{str(run.id): _time(run) for run in runs}}


def _time(run: Session) -> str:
    return "/".join(at.astimezone(UTC).isoformat() for at in (run.starts_at, run.ends_at))
