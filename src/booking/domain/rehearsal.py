"""What an import would do, before it does anything: created, clashing, refused, there already."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from src.booking.domain.timetable import ProposedSession, RefusedRow, Timetable
from src.platform.i18n import _

_Place = tuple[str, datetime, str]


@dataclass(frozen=True, slots=True)
class KnownSession:
    """A session the service has, whatever became of it."""

    session_id: UUID
    title: str
    starts_at: datetime
    import_key: str | None
    location_name: str | None = None


@dataclass(frozen=True, slots=True)
class BusySpan:
    """A stretch of time that a performer is taken for; `what` says by what."""

    starts_at: datetime
    ends_at: datetime
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRules:
    """What the owner chose for rows that do not say it themselves.

    `performers` maps the name, in small letters, to the performer; rows without a name get
    `default_performer_id`. `busy` is what those performers are taken for already. `left_out` are
    uids of sessions, and of whole events, that the owner does not want. What starts at
    `decided_until` or before has no minimum group size any more: it would be called off at once.
    """

    default_capacity: int
    default_performer_id: UUID | None
    performers: Mapping[str, UUID]
    busy: Mapping[UUID, Sequence[BusySpan]]
    left_out: frozenset[str] = frozenset()
    default_min_seats: int | None = None
    decided_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A session that would be created."""

    proposed: ProposedSession
    capacity: int
    performer_id: UUID | None
    min_seats: int | None = None


@dataclass(frozen=True, slots=True)
class Clash:
    """A session that cannot be created because of another, `reason` says which."""

    proposed: ProposedSession
    reason: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything an import would do. Equal `digest`, equal effect."""

    create: tuple[PlannedSession, ...]
    clashes: tuple[Clash, ...]
    refused: tuple[RefusedRow, ...]
    already_there: tuple[ProposedSession, ...]
    left_out: tuple[ProposedSession, ...]
    notes: tuple[str, ...]
    digest: str


def rehearse(timetable: Timetable, known: Sequence[KnownSession], rules: ImportRules) -> Rehearsal:
    """Sorts every proposed session into what would happen to it.

    Reading the same file again finds its own sessions by their import key and leaves them alone;
    a session of the same title at the same moment and place clashes, whoever made it. Of several
    such in the file the first one counts.
    """
    keys = {session.import_key for session in known if session.import_key}
    places = {_place(session) for session in known}
    read = _Read()
    create: list[PlannedSession] = []
    clashes: list[Clash] = []
    there: list[ProposedSession] = []
    left_out: list[ProposedSession] = []
    taken = _Taken(rules.busy)
    for proposed in timetable.sessions:
        if proposed.uid in keys:
            there.append(proposed)
            continue
        if rules.left_out and not rules.left_out.isdisjoint((proposed.uid, proposed.event)):
            left_out.append(proposed)
            continue
        earlier = read.same_as(proposed)
        if earlier is not None:
            clashes.append(Clash(proposed, _("The same as %(row)s, which counts.", row=earlier)))
            continue
        if _place(proposed) in places:
            clashes.append(Clash(proposed, _("There is such a session at that time already.")))
            continue
        performer_id = _performer(proposed, rules)
        busy_with = taken.by(performer_id, proposed)
        if busy_with is not None:
            clashes.append(Clash(proposed, _("Taken at that time: %(what)s.", what=busy_with)))
            continue
        read.add(proposed)
        taken.take(performer_id, proposed)
        capacity = proposed.capacity or rules.default_capacity
        least = _least(proposed, capacity, rules)
        create.append(PlannedSession(proposed, capacity, performer_id, least))
    return Rehearsal(
        tuple(create),
        tuple(clashes),
        timetable.refused,
        tuple(there),
        tuple(left_out),
        timetable.notes,
        _digest(create),
    )


class _Read:
    """What the file has said so far, to be found by the next that says the same."""

    def __init__(self) -> None:
        self._rows: dict[str | _Place, str] = {}

    def same_as(self, proposed: ProposedSession) -> str | None:
        """Where in the file it stands already."""
        return self._rows.get(proposed.uid) or self._rows.get(_place(proposed))

    def add(self, proposed: ProposedSession) -> None:
        self._rows[proposed.uid] = self._rows[_place(proposed)] = proposed.row_ref


class _Taken:
    """Who is taken when, by what was there and by what this import has planned so far."""

    def __init__(self, busy: Mapping[UUID, Sequence[BusySpan]]) -> None:
        self._days: dict[tuple[UUID, int], list[BusySpan]] = defaultdict(list)
        for performer_id, spans in busy.items():
            for span in spans:
                self._add(performer_id, span)

    def _add(self, performer_id: UUID, span: BusySpan) -> None:
        """Kept by day, so that thousands of sessions are compared with their neighbours only."""
        for day in range(span.starts_at.toordinal(), span.ends_at.toordinal() + 1):
            self._days[performer_id, day].append(span)

    def by(self, performer_id: UUID | None, proposed: ProposedSession) -> str | None:
        if performer_id is None:
            return None
        for day in range(proposed.starts_at.toordinal(), proposed.ends_at.toordinal() + 1):
            for span in self._days[performer_id, day]:
                if span.starts_at < proposed.ends_at and proposed.starts_at < span.ends_at:
                    return span.what
        return None

    def take(self, performer_id: UUID | None, proposed: ProposedSession) -> None:
        if performer_id is not None:
            what = proposed.title or proposed.row_ref
            self._add(performer_id, BusySpan(proposed.starts_at, proposed.ends_at, what))


def _place(session: KnownSession | ProposedSession) -> _Place:
    """What tells sessions of a service apart when nothing else does."""
    return session.title.casefold(), session.starts_at, (session.location_name or "").casefold()


def _least(proposed: ProposedSession, capacity: int, rules: ImportRules) -> int | None:
    """The file's minimum, else the default where there are as many seats."""
    if rules.decided_until is not None and proposed.starts_at <= rules.decided_until:
        return None
    if proposed.min_seats is not None:
        return proposed.min_seats
    least = rules.default_min_seats
    return least if least is not None and least <= capacity else None


def _performer(proposed: ProposedSession, rules: ImportRules) -> UUID | None:
    if proposed.performer_name is None:
        return rules.default_performer_id
    return rules.performers.get(proposed.performer_name.casefold(), rules.default_performer_id)


def _digest(create: Sequence[PlannedSession]) -> str:
    said = [
        f"{plan.proposed.uid}|{plan.proposed.starts_at.isoformat()}|{plan.proposed.ends_at.isoformat()}"
        f"|{plan.proposed.title}|{plan.capacity}|{plan.performer_id}|{plan.min_seats}"
        for plan in create
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
