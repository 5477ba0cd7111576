"""A calendar file as a timetable: repetitions worked out, moved dates moved, oddities told."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar.prop import vDuration, vText

from src.booking.domain.ics_events import Property, RawCalendar, RawEvent, read_calendar
from src.booking.domain.ics_recurrence import Budget, Window, rule_dates
from src.booking.domain.ics_zones import (
    Clock,
    FileClocks,
    defined_zones,
    is_day,
    known_zone,
    read_time,
)
from src.booking.domain.session_rules import LONGEST_SESSION
from src.booking.domain.timetable import (
    LARGEST_NUMBER_OF_SESSIONS,
    ProposedSession,
    RefusedRow,
    RowRefusedError,
    Timetable,
    last_moment,
    tidy_end,
    tidy_name,
    tidy_title,
)
from src.platform.csvio import decode
from src.platform.errors import InvalidInput
from src.platform.i18n import _

Properties = Mapping[str, list[Property]]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of an event before it becomes a session; `key` is its place in the repetition."""

    key: datetime
    starts_at: datetime
    ends_at: datetime
    event: Properties
    notes: tuple[str, ...]
    number: int


def parse_ics(content: bytes, *, zone: ZoneInfo, now: datetime) -> Timetable:
    """What the file proposes from now on, at most eighteen months ahead.

    An event that cannot be used is refused with its reason and the others go on.
    Raises: InvalidInput when the file is no calendar; UnreadableTextError when it is no text.
    """
    calendar = read_calendar(decode(content)[0])
    if not calendar.is_calendar:
        raise InvalidInput(_("This is not a calendar file."))
    reader = _Reader(calendar, zone, now)
    reader.read()
    return reader.timetable()


class _Reader:
    """Goes through one file's events, keeping what was understood and what was not."""

    def __init__(self, calendar: RawCalendar, zone: ZoneInfo, now: datetime) -> None:
        own = known_zone(calendar.own_zone) if calendar.own_zone else None
        self._clocks = FileClocks(zone, own, defined_zones(calendar.zones))
        self._calendar = calendar
        self._now, self._last = now, last_moment(now)
        self._budget = Budget()
        self._sessions: list[ProposedSession] = []
        self._refused: list[RefusedRow] = []
        self._notes: list[str] = []

    def read(self) -> None:
        by_uid: dict[str, list[tuple[RawEvent, Properties]]] = defaultdict(list)
        for event in self._calendar.events:
            try:
                properties = event.properties()
            except RowRefusedError as reason:
                self._refuse(event.number, "", reason)
                continue
            by_uid[_uid(properties, event.number)].append((event, properties))
        for uid, events in by_uid.items():
            self._read_uid(uid, events)

    def timetable(self) -> Timetable:
        notes = list(self._notes)
        if self._calendar.cut_off:
            notes.append(_("The file is very long; only its first events were read."))
        if len(self._sessions) > LARGEST_NUMBER_OF_SESSIONS:
            notes.append(_("Only the first 10,000 dates were read; import the rest later."))
        # What starts together stays in the order of the file.
        ordered = sorted(self._sessions, key=lambda session: session.starts_at)
        return Timetable(
            tuple(ordered[:LARGEST_NUMBER_OF_SESSIONS]), tuple(self._refused), tuple(notes)
        )

    def _read_uid(self, uid: str, events: Sequence[tuple[RawEvent, Properties]]) -> None:
        """An event with the dates that were moved or cancelled by themselves."""
        masters = _newest([pair for pair in events if "RECURRENCE-ID" not in pair[1]])
        changes = [pair for pair in events if "RECURRENCE-ID" in pair[1]]
        moved = self._moved(sorted(changes, key=lambda pair: _sequence(pair[1])))
        for event, properties in masters:
            try:
                self._read_master(uid, event, properties, moved)
            except RowRefusedError as reason:
                self._refuse(event.number, _title(properties), reason, self._told_start(properties))
        for key, (event, properties) in moved.items():
            self._read_moved(uid, key, event, properties)

    def _moved(
        self, events: Sequence[tuple[RawEvent, Properties]]
    ) -> dict[datetime, tuple[RawEvent, Properties]]:
        found: dict[datetime, tuple[RawEvent, Properties]] = {}
        for event, properties in events:
            try:
                clock, local = self._when(properties["RECURRENCE-ID"][0])
                found[clock.to_utc(local, [])] = (event, properties)
            except RowRefusedError as reason:
                self._refuse(event.number, _title(properties), reason)
        return found

    def _read_master(
        self,
        uid: str,
        event: RawEvent,
        properties: Properties,
        moved: Mapping[datetime, tuple[RawEvent, Properties]],
    ) -> None:
        _check_state(properties)
        clock, start = self._when(_required(properties, "DTSTART"))
        length = self._length(properties, clock, start)
        left_out = self._listed(properties, "EXDATE")
        days_out = _listed_days(properties, "EXDATE")
        notes: list[str] = [clock.warning] if clock.warning else []
        past = 0
        for local in self._starts(properties, clock, start, notes):
            own: list[str] = list(notes)
            at = clock.to_utc(local, own)
            if at in left_out or at in moved or f"{local:%Y%m%d}" in days_out:
                continue
            if at <= self._now:
                past += 1
                continue
            self._propose(uid, at, event, properties, (at, clock.to_utc(local + length, [])), own)
        if any(session.uid.startswith(f"{uid}|") for session in self._sessions[-1:]) or moved:
            return
        if past:
            raise RowRefusedError(_("It is over."))
        if start > clock.to_local(self._last):
            raise RowRefusedError(_("It is more than eighteen months ahead."))

    def _read_moved(self, uid: str, key: datetime, event: RawEvent, properties: Properties) -> None:
        try:
            _check_state(properties)
            clock, start = self._when(_required(properties, "DTSTART"))
            length = self._length(properties, clock, start)
            notes: list[str] = [clock.warning] if clock.warning else []
            at = clock.to_utc(start, notes)
            if self._now < at <= self._last:
                end = clock.to_utc(start + length, [])
                self._propose(uid, key, event, properties, (at, end), notes)
        except RowRefusedError as reason:
            self._refuse(event.number, _title(properties), reason, self._told_start(properties))

    def _told_start(self, properties: Properties) -> datetime | None:
        """When an event that is refused would begin, as far as it can be read."""
        try:
            clock, start = self._when(_required(properties, "DTSTART"))
            return clock.to_utc(start, [])
        except RowRefusedError:
            return None

    def _starts(
        self, properties: Properties, clock: Clock, start: datetime, notes: list[str]
    ) -> Iterator[datetime]:
        """Every wall-clock start in the window, the event's own one included, without doubles."""
        starts = {start}
        window = Window(clock.to_local(self._now), clock.to_local(self._last))
        for rule in properties.get("RRULE", []):
            dates = rule_dates(rule.value, start, clock, window, self._budget)
            starts.update(dates.starts)
            if dates.capped:
                notes.append(_("It repeats without end; dates within eighteen months were read."))
        starts.update(clock.to_local(at) for at in self._listed(properties, "RDATE"))
        last = clock.to_local(self._last)
        yield from sorted(local for local in starts if local <= last)

    def _listed(self, properties: Properties, name: str) -> set[datetime]:
        """The moments of EXDATE or RDATE; a period counts by its start."""
        found: set[datetime] = set()
        for item in properties.get(name, []):
            for value in item.value.split(",")[:2000]:
                single = Property(item.params, value.split("/")[0].strip())
                if is_day(single.value):
                    continue
                clock, local = self._when(single)
                found.add(clock.to_utc(local, []))
        return found

    def _when(self, item: Property) -> tuple[Clock, datetime]:
        """The clock a time is on and the time on it. Raises: RowRefusedError for whole days."""
        if is_day(item.value) or item.params.get("VALUE", "").upper() == "DATE":
            raise RowRefusedError(_("It lasts whole days; a session needs a start and an end."))
        local, in_utc = read_time(item.value.strip())
        if in_utc:
            clock = self._clocks.universal
            return clock, clock.to_local(local.replace(tzinfo=ZoneInfo("UTC")))
        return (self._clocks.named(item.tzid) if item.tzid else self._clocks.floating), local

    def _length(self, properties: Properties, clock: Clock, start: datetime) -> timedelta:
        """How long it lasts on the wall clock."""
        if "DTEND" in properties:
            end_clock, end = self._when(properties["DTEND"][0])
            if end_clock.zone == clock.zone:
                return end - start
            return end_clock.to_utc(end, []) - clock.to_utc(start, [])
        if "DURATION" in properties:
            try:
                length = vDuration.from_ical(properties["DURATION"][0].value)  # type: ignore[no-untyped-call]  # the library's omission
            except (ValueError, OverflowError):
                raise RowRefusedError(_("Its duration cannot be read.")) from None
            return min(timedelta(seconds=length.total_seconds()), LONGEST_SESSION * 2)
        raise RowRefusedError(_("It has no end."))

    def _propose(
        self,
        uid: str,
        key: datetime,
        event: RawEvent,
        properties: Properties,
        span: tuple[datetime, datetime],
        notes: list[str],
    ) -> None:
        ends_at = tidy_end(span[0], span[1], notes)
        self._sessions.append(
            ProposedSession(
                row_ref=_("event %(number)s", number=event.number),
                uid=f"{uid}|{key:%Y%m%dT%H%M%SZ}",
                title=tidy_title(_title(properties), notes),
                starts_at=span[0],
                ends_at=ends_at,
                location_name=tidy_name(_text(properties, "LOCATION")),
                notes=tuple(notes),
            )
        )

    def _refuse(
        self,
        number: int,
        title: str,
        reason: RowRefusedError,
        starts_at: datetime | None = None,
    ) -> None:
        ref = _("event %(number)s", number=number)
        self._refused.append(RefusedRow(ref, title[:200], str(reason), starts_at))


def _newest(
    events: Sequence[tuple[RawEvent, Properties]],
) -> list[tuple[RawEvent, Properties]]:
    """The versions with the highest SEQUENCE; a program may leave older ones in its file."""
    highest = max((_sequence(properties) for _event, properties in events), default=0)
    return [pair for pair in events if _sequence(pair[1]) == highest]


def _sequence(properties: Properties) -> int:
    text = _text(properties, "SEQUENCE").strip()
    return int(text[:9]) if text.isascii() and text.isdigit() else 0


def _listed_days(properties: Properties, name: str) -> set[str]:
    """The whole days of EXDATE, as written: some programs leave out days instead of moments."""
    values = (value for item in properties.get(name, []) for value in item.value.split(",")[:2000])
    return {value.strip() for value in values if is_day(value.strip())}


def _check_state(properties: Properties) -> None:
    if _text(properties, "STATUS").upper() == "CANCELLED":
        raise RowRefusedError(_("It is cancelled."))


def _required(properties: Properties, name: str) -> Property:
    if name not in properties:
        raise RowRefusedError(_("It has no start."))
    return properties[name][0]


def _uid(properties: Properties, number: int) -> str:
    """The event's own id, or one made of its content where it has none."""
    uid = _text(properties, "UID").strip()
    if uid:
        return uid[:200]
    start = _text(properties, "DTSTART")
    said = f"{start}|{_title(properties)}|{number if not start else ''}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _title(properties: Properties) -> str:
    return _text(properties, "SUMMARY")


def _text(properties: Properties, name: str) -> str:
    found = properties.get(name)
    return str(vText.from_ical(found[0].value)) if found else ""
