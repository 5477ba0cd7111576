"""The events of a calendar file as property lists, read so that one broken event harms no other."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from icalendar.parser import Contentline

from src.booking.domain.timetable import RowRefusedError
from src.platform.i18n import _

LARGEST_NUMBER_OF_EVENTS = 20_000


@dataclass(frozen=True, slots=True)
class Property:
    """One line of an event: its parameters and its value, unescaped only by whoever needs text."""

    params: Mapping[str, str]
    value: str

    @property
    def tzid(self) -> str | None:
        return self.params.get("TZID")


@dataclass(slots=True)
class RawEvent:
    """A VEVENT as it stands; `number` counts events from 1."""

    number: int
    lines: list[str] = field(default_factory=list)

    def properties(self) -> dict[str, list[Property]]:
        """The event's properties by name. Raises: RowRefusedError for a line that is none."""
        found: dict[str, list[Property]] = {}
        for line in self.lines:
            try:
                name, params, value = Contentline.from_ical(line).parts()  # type: ignore[no-untyped-call]  # the library's
            except ValueError:
                shown = line[:40]
                raise RowRefusedError(
                    _("The line “%(line)s” cannot be read.", line=shown)
                ) from None
            plain = {key.upper(): str(text) for key, text in params.items()}
            found.setdefault(name.upper(), []).append(Property(plain, value))
        return found


@dataclass(slots=True)
class RawCalendar:
    """What a file holds: events, described zones, and its own zone's name."""

    events: list[RawEvent] = field(default_factory=list)
    zones: list[list[str]] = field(default_factory=list)
    own_zone: str | None = None
    is_calendar: bool = False
    cut_off: bool = False


def read_calendar(text: str) -> RawCalendar:
    """Everything between BEGIN and END; parts inside an event, such as alarms, are passed over."""
    calendar = RawCalendar()
    stack: list[str] = []
    for line in _unfolded(text):
        keyword, _colon, name = line.partition(":")
        word = keyword.strip().upper()
        if word == "BEGIN":
            stack.append(name.strip().upper())
            _begin(calendar, stack, line)
        elif word == "END":
            if stack and stack[-1] == name.strip().upper():
                _keep(calendar, stack, line)
                stack.pop()
        elif stack:
            _keep(calendar, stack, line)
        if calendar.cut_off:
            break
    return calendar


def _begin(calendar: RawCalendar, stack: list[str], line: str) -> None:
    if stack[-1] == "VCALENDAR":
        calendar.is_calendar = True
    elif stack[-1] == "VEVENT":
        if len(calendar.events) >= LARGEST_NUMBER_OF_EVENTS:
            calendar.cut_off = True
            return
        # An event that was never closed ends where the next one begins.
        del stack[:-1]
        calendar.events.append(RawEvent(len(calendar.events) + 1))
    elif stack[-1] == "VTIMEZONE":
        calendar.zones.append([line])
    elif "VTIMEZONE" in stack:
        calendar.zones[-1].append(line)


def _keep(calendar: RawCalendar, stack: list[str], line: str) -> None:
    if stack[-1] == "VEVENT" and not line.upper().startswith("END:"):
        calendar.events[-1].lines.append(line)
    elif "VTIMEZONE" in stack and calendar.zones:
        calendar.zones[-1].append(line)
    elif stack[-1] == "VCALENDAR" and line.upper().startswith("X-WR-TIMEZONE"):
        calendar.own_zone = line.partition(":")[2].strip()


def _unfolded(text: str) -> Iterator[str]:
    """Logical lines: a line that begins with a blank continues the one before.

    Only CR and LF end a line; pasted descriptions hold other signs that Python takes for ends.
    """
    current = ""
    for line in re.split(r"\r\n|\n|\r", text):
        if line[:1] in (" ", "\t"):
            current += line[1:]
            continue
        if current.strip():
            yield current
        current = line
    if current.strip():
        yield current
